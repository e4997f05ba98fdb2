"""The entries of a JSON list are those that json reads, wherever the window ends."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liftbench_datasets.reading import json_stream
from liftbench_datasets.reading.json_stream import stream_entries

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1, 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def streamed(text: str, block: int = 1 << 20) -> list[Any]:
    stream = io.StringIO(text)
    read = stream.read
    with mock.patch.object(stream, "read", lambda size: read(min(size, block))):
        return list(stream_entries(stream, "data"))


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, max_size=6), st.integers(1, 9), st.sampled_from([None, 1]))
def test_entries_are_those_of_json(entries: list[Any], block: int, indent: int | None) -> None:
    for content in (entries, {"dataset": "x", "data": entries, "more": [1, {"data": 2}]}):
        assert streamed(json.dumps(content, indent=indent), block) == entries


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"expected '\[', got the end"),
        ("7", r"expected '\[', got '7'"),
        ('{"dataset": "x"}', "it has no 'data'"),
        ('{"data": {}}', r"expected '\[', got '\{'"),
        ('{"data": [1, 2', "got the end"),
        ('{"data": [1, 2]', "expected ',' or '}', got the end"),
        ("[1 2]", "expected ',' or ']', got '2'"),
        ("[1, ]", "Expecting value at character 4"),
        ('[1, 2, {"a": nope}]', "Expecting value at character 13"),
        ("[1] []", "more after the end"),
    ],
)
@pytest.mark.parametrize("block", [1, 3, 1 << 20])
def test_damage_is_an_error(text: str, message: str, block: int) -> None:
    with pytest.raises(ValueError, match=message):
        streamed(text, block)


def test_a_window_holds_few_entries_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_BLOCK", 1000)
    stream = io.StringIO(json.dumps([[1.5] * 20] * 5000))
    entries = stream_entries(stream, "data")
    next(entries)
    assert stream.tell() == 1000
    assert len(list(entries)) == 4999


def test_endless_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_LONGEST", 3 << 20)
    with pytest.raises(ValueError, match="longer than"):
        streamed('["' + "x" * (10 << 20))


def test_nan_is_read() -> None:
    assert str(streamed('{"data": [[NaN, 1], -Infinity]}')) == "[[nan, 1], -inf]"


@pytest.mark.parametrize("opened", ["[", '[{"a":'])
def test_deeply_nested_brackets_are_refused_in_little_memory(opened: str) -> None:
    text = '{"data": [7, ' + opened * 100_000
    tracemalloc.start()
    with pytest.raises(ValueError, match="brackets are nested too deep at character 13"):
        streamed(text)
    assert tracemalloc.get_traced_memory()[1] < 10**7
    tracemalloc.stop()
