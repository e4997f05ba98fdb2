"""Runs that another suite has finished are not run again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from click.testing import Result
from tests.harness.conftest import TinyBench
from tests.harness.runs.conftest import FakeChild, change


def run_other(bench: TinyBench, *words: object, **changes: Any) -> Result:
    """Run a suite `other` that asks for the run of `rigid` which `small` has."""
    data = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train", "unseen"]}
    suite = bench.suite("other", data=[data], **changes)
    return bench.call("run", suite, "--methods", "rigid", *words)


def test_run_of_another_suite_is_taken_over(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    result = run_other(finished)
    assert result.exit_code == 0
    assert child.methods == []
    assert "rigid tiny one seed 0: ok taken over from suite small: train e3d 0." in result.stderr
    record = finished.records()["rigid"]
    assert finished.records("other") == {"rigid": record}
    first, second = (
        finished.store(suite).predictions_path(record.spec.key).read_bytes()
        for suite in ("small", "other")
    )
    assert first == second
    assert "0 runs to do" in run_other(finished).stderr


def test_run_of_another_protocol_is_scored_from_its_predictions(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    assert run_other(finished, protocol="mpjpe").exit_code == 0
    assert child.methods == []
    scores = finished.records("other")["rigid"].scores
    assert set(scores) == {"e3d@1", "mpjpe@1"}
    assert set(scores["mpjpe@1"]) == {"train", "unseen"}


@pytest.mark.parametrize(("protocol", "again"), [("e3d", False), ("mpjpe", True)])
def test_scores_without_predictions_serve_their_protocol_alone(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch, protocol: str, again: bool
) -> None:
    child = FakeChild(monkeypatch)
    finished.store().predictions_path(finished.records()["rigid"].spec.key).unlink()
    run_other(finished, protocol=protocol)
    assert child.methods == ["rigid"] * again
    assert set(finished.records("other")["rigid"].scores) == {f"{protocol}@1"}


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ((), {"status": "failed", "scores": {}}),
        ((), {"status": "failed"}),
        (("--rerun", "all"), {}),
        (("--rerun", "stale"), {"environment": {"packages": {"numpy": "1.0"}}}),
    ],
)
def test_run_that_failed_or_is_to_be_repeated_is_not_taken_over(
    finished: TinyBench,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    fields: dict[str, Any],
) -> None:
    child = FakeChild(monkeypatch)
    change(finished, "rigid", **fields)
    run_other(finished, *words)
    assert child.methods == ["rigid"]


def test_own_failed_run_is_repeated_although_another_suite_has_the_run(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    record = replace(finished.records()["rigid"], status="failed", scores={}, error="x")
    finished.store("other").write(record)
    run_other(finished)
    assert child.methods == [], "it is not asked for"
    run_other(finished, "--rerun", "failed")
    assert child.methods == ["rigid"]


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_damage_in_another_suite_costs_no_row(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    child = FakeChild(monkeypatch)
    path = finished.store().record_path(finished.records()["rigid"].spec.key).with_suffix(suffix)
    path.write_bytes(path.read_bytes()[:200])
    assert run_other(finished).exit_code == 0
    assert child.methods == ["rigid"]


def test_rerun_replaces_the_record_in_every_suite(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_other(finished, protocol="mpjpe")
    FakeChild(monkeypatch, fit_seconds=123.0)
    assert finished.call("rerun", finished.records()["rigid"].spec.key).exit_code == 0
    records = [finished.records(suite)["rigid"] for suite in ("small", "other")]
    assert records[0] == records[1]
    assert records[0].fit_seconds == 123.0
    assert set(records[0].scores) == {"e3d@1", "mpjpe@1"}
