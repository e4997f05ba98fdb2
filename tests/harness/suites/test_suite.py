"""Suites are read strictly, and mistakes in them are reported in one line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from liftbench.errors import UserError
from liftbench.plugin.registry import Registry, load_registry
from liftbench.suites.grids import unfold
from liftbench.suites.published import read_published
from liftbench.suites.suite import make_params, read_suite
from liftbench.tables.printed_numbers import printed_numbers

GOOD = """
title: A table
protocol: e3d
data:
  - {dataset: tiny, subsets: [one], fit: train, evaluate: [train]}
methods:
  seeded: {}
published:
  - {paper: p, table: T1}
limits: {seconds: 5}
"""
BUILTIN = sorted(load_registry().suites.items)
# Further protocols of suites, under which their papers print nothing.
UNPRINTED = {"nrsfm_classic": {"e3d", "frobenius_flip"}}


def problem(folder: Path, content: str) -> str:
    """Return the message, of one line, that refuses a suite of this content."""
    path = folder / "mine.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_suite(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


def test_suite_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD, encoding="utf-8")
    suite = read_suite(path)
    assert suite.name == "mine"
    assert suite.data[0].subsets == ("one",)
    assert suite.data[0].seeds == 1
    assert suite.limits.seconds == 5
    assert suite.limits.memory_gib == 8


@pytest.mark.parametrize("name", BUILTIN)
def test_every_protocol_of_a_builtin_suite_shows_a_number_of_each_printed_table(
    name: str, registry: Registry
) -> None:
    """A misspelt split, setting or metric would leave the printed numbers out in silence."""
    suite = unfold(read_suite(registry.suites[name]), registry)
    columns = {
        (data.dataset, subset, split, data.setting or suite.setting)
        for data in suite.data
        for subset in data.subsets
        for split in data.evaluate
    }
    for table in suite.published:
        alone = suite.model_copy(update={"published": (table,)})
        numbers = read_published(registry.published)
        # Some of a table's numbers may be those of one protocol alone.
        asked = set(table.metrics.values()) if table.only else set(suite.protocols)
        for protocol in asked - UNPRINTED.get(name, set()):
            found = printed_numbers(alone, registry.protocols[protocol], registry, numbers)
            assert columns & {position[1:] for position in found}, protocol


@pytest.mark.parametrize("name", BUILTIN)
def test_builtin_suite_reads(name: str, registry: Registry) -> None:
    suite = read_suite(registry.suites[name])
    assert suite.name == name
    assert suite.protocol in registry.protocols.items


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title:", "titel:", "titel: unknown key 'titel': did you mean 'title'?"),
        ("title:", "nots: [a]\ntitle:", "nots: unknown key 'nots': did you mean 'notes'?"),
        ("fit:", "fitt:", "data.0.fitt: unknown key 'fitt': did you mean 'fit'?"),
        ("evaluate: [train]", "evaluate: [train], seed: 3", "data.0.seed: unknown key 'seed'"),
        ("fit:", "corupt: {}, fit:", "data.0.corupt: unknown key 'corupt': did you mean 'corrup"),
        ("{}", "{parms: {}}", "methods.seeded.parms: unknown key 'parms': did you mean 'params'?"),
        ("paper:", "papre:", "published.0.papre: unknown key 'papre': did you mean 'paper'?"),
        (
            "T1}",
            "T1, rows: {seeded: {metod: a, setting: b}}}",
            "published.0.rows.seeded.metod: unknown key 'metod': did you mean 'method'?",
        ),
        (
            "seeded: {}",
            "seeded: {extra: {dataset: a, subst: b, split: c}}",
            "methods.seeded.extra.subst: unknown key 'subst': did you mean 'subset'?",
        ),
        ("seconds:", "secnds:", "limits.secnds: unknown key 'secnds': did you mean 'seconds'?"),
    ],
)
def test_unknown_key_is_reported_with_place_and_nearest_name(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert problem(tmp_path, GOOD.replace(old, new)).startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("protocol: e3d", "protocol: [e3d]", "protocol"),
        ("protocol: e3d\n", "", "protocol"),
        ("[one]", "one", "data.0.subsets"),
        ("[one]", "[01]", "data.0.subsets.0"),
        ("[one]", "[]", "data.0.subsets"),
        ("evaluate: [train]", "evaluate: []", "data.0.evaluate"),
        ("evaluate: [train]", "evaluate: [train], seeds: 0", "data.0.seeds"),
        ("evaluate: [train]", "evaluate: [train], seeds: many", "data.0.seeds"),
        ("fit:", "corruption: [missing], fit:", "data.0.corruption"),
        ("fit:", "corruption: {missing: 0.3}, fit:", "data.0.corruption.missing"),
        ("fit:", "setting: [a], fit:", "data.0.setting"),
        ("  seeded: {}", "  []", "methods"),
        ("seeded: {}", "seeded: 3", "methods.seeded"),
        ("seconds: 5", "seconds: 0", "limits.seconds"),
        ("seconds: 5", "memory_gib: much", "limits.memory_gib"),
    ],
)
def test_wrong_value_is_named_by_its_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    assert old in GOOD
    assert problem(tmp_path, GOOD.replace(old, new)).startswith(f"{place}: ")


def test_a_column_has_rows_of_the_suite(tmp_path: Path) -> None:
    named = GOOD.replace("fit:", "methods: [seeded, sedeed], fit:")
    assert problem(tmp_path, named) == (
        "data.0.methods: unknown method 'sedeed': did you mean 'seeded'?"
    )
    assert problem(tmp_path, GOOD.replace("fit:", "methods: [], fit:")).startswith("data.0.methods")


def test_a_printed_table_may_stand_alone(tmp_path: Path) -> None:
    without = GOOD.replace("methods:\n  seeded: {}", "methods: {}")
    path = tmp_path / "mine.yaml"
    path.write_text(without, encoding="utf-8")
    assert read_suite(path).methods == {}
    nothing = without.replace("  - {paper: p, table: T1}", "  []")
    message = problem(tmp_path, nothing)
    assert message == "methods: expected at least one, or a published table"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            "{sedeed: {method: a, setting: b}}",
            "published.0.rows: unknown method 'sedeed': did you mean 'seeded'?",
        ),
        (
            "{seeded: {method: a, setting: b}, other: {method: a, setting: b}}",
            "published.0: rows: 'seeded' and 'other' have the same printed numbers; keep one",
        ),
        (
            "{seeded: {method: a, setting: b, settings: [c]}, other: {method: a, setting: c}}",
            "published.0: rows: 'seeded' and 'other' have the same printed numbers; keep one",
        ),
    ],
)
def test_a_printed_row_belongs_to_one_row_of_the_suite(
    tmp_path: Path, rows: str, message: str
) -> None:
    assert problem(tmp_path, GOOD.replace("T1}", f"T1, rows: {rows}}}")) == message


def test_further_protocols_follow_the_main_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace("e3d", "e3d\nalso: [mpjpe, stress]"), encoding="utf-8")
    assert read_suite(path).protocols == ("e3d", "mpjpe", "stress")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [1", "not valid YAML"),
        ("- a\n- b", "expected a mapping"),
        ("", "expected a mapping"),
        ("name: other\n" + GOOD, "remove the key 'name'"),
        ("1: other\n" + GOOD, "expected text as the name of a key, got 1"),
    ],
)
def test_content_that_is_not_a_suite(tmp_path: Path, content: str, message: str) -> None:
    assert message in problem(tmp_path, content)


def test_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"title: \xff\xfe")
    with pytest.raises(UserError, match=r"mine\.yaml: not valid YAML"):
        read_suite(path)


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.yaml: No such file"):
        read_suite(tmp_path / "absent.yaml")


@dataclass(frozen=True)
class Params:
    steps: int = 10
    widths: tuple[int, ...] = (1, 2)

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError("steps: expected at least 1")


def test_params_fill_the_defaults() -> None:
    assert make_params("method 'm'", Params, {}) == Params()
    given = {"steps": 3, "widths": [4, 5]}
    assert make_params("method 'm'", Params, given) == Params(3, (4, 5))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stps": 3}, r"unknown parameter of method 'm' 'stps': did you mean 'steps'\?"),
        ({"steps": 0}, r"method 'm': steps: expected at least 1"),
        ({"steps": math.inf}, r"method 'm': steps: expected a finite number, got inf"),
        ({"steps": "many"}, r"method 'm': steps: Input should be a valid integer"),
        ({"widths": [1, "x"]}, r"method 'm': widths: 1: Input should be a valid integer"),
    ],
)
def test_refused_params(given: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        make_params("method 'm'", Params, given)
    assert "\n" not in str(caught.value)
