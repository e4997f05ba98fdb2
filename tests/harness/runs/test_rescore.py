"""Stored predictions are scored again, and nothing is run."""

from __future__ import annotations

import numpy as np
import pytest
from tests.harness.conftest import TinyBench
from tests.harness.runs.conftest import FakeChild, change

from liftbench.runs import scoring


def test_scoring_again_changes_nothing(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    runs = finished.store().folder / "runs"
    before = {path.name: path.read_bytes() for path in runs.iterdir()}
    result = finished.call("score", finished.folder / "small.yaml")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 4
    assert {path.name: path.read_bytes() for path in runs.iterdir()} == before
    assert child.methods == []


def test_scores_come_from_the_predictions(finished: TinyBench) -> None:
    stored = finished.records()["rigid"]
    wrong = {"e3d@1": {"train": {"value": 9.0, "groups": {}, "frames": 1}}}
    change(finished, "rigid", scores=wrong, status="failed", error="scored by mistake")
    finished.call("score", finished.folder / "small.yaml")
    assert finished.records()["rigid"] == stored


def test_scoring_with_another_protocol_adds_scores(finished: TinyBench) -> None:
    before = finished.records()
    suite = finished.folder / "small.yaml"
    assert finished.call("score", suite, "--protocol", "mpjpe").exit_code == 0
    for name, record in finished.records().items():
        assert set(record.scores) == {"e3d@1", "mpjpe@1"}
        assert set(record.scores["mpjpe@1"]) == {"train", "unseen"}
        assert record.scores["e3d@1"] == before[name].scores["e3d@1"]


def test_missing_predictions_are_reported(finished: TinyBench) -> None:
    record = finished.records()["rigid"]
    finished.store().predictions_path(record.spec.key).unlink()
    result = finished.call("score", finished.folder / "small.yaml")
    assert result.exit_code == 0
    expected = f"{record.spec.key[:12]} rigid one: no stored predictions, kept as it is"
    assert expected in result.stdout.splitlines()
    assert finished.records()["rigid"] == record


def test_damaged_predictions_are_reported_in_one_line(finished: TinyBench) -> None:
    path = finished.store().predictions_path(finished.records()["rigid"].spec.key)
    path.write_bytes(path.read_bytes()[:200])
    result = finished.call("score", finished.folder / "small.yaml")
    assert result.exit_code == 2
    assert str(path) in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_scoring_other_data_is_refused(finished: TinyBench) -> None:
    finished.add_subset("one", np.ones((12, 5, 3)))
    result = finished.call("score", finished.folder / "small.yaml")
    assert result.exit_code == 2
    assert "are not those of the stored run" in result.stderr


def test_protocol_that_cannot_score_leaves_the_record_as_it_is(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = finished.records()

    def refuses(*_: object) -> None:
        raise ValueError("cannot be scored")

    monkeypatch.setattr(scoring, "frame_errors", refuses)
    suite = finished.folder / "small.yaml"
    result = finished.call("score", suite, "--protocol", "mpjpe")
    assert "mpjpe@1: cannot be scored" in result.stdout
    assert finished.records() == before
