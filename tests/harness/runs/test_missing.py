"""Missing runs are done; stored runs are repeated only if `--rerun` asks for it."""

from __future__ import annotations

import pytest
from tests.harness.conftest import TinyBench
from tests.harness.runs.conftest import FakeChild, change


def test_finished_suite_starts_nothing(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    table = finished.results / "small" / "leaderboard.csv"
    before = table.read_bytes()
    result = finished.call(
        "run", finished.folder / "small.yaml", "--methods", "seeded,urandom,rigid"
    )
    assert result.exit_code == 0
    assert child.methods == []
    assert "0 runs to do" in result.stderr
    assert table.read_bytes() == before


def test_only_what_is_missing_is_run(finished: TinyBench, monkeypatch: pytest.MonkeyPatch) -> None:
    child = FakeChild(monkeypatch)
    suite = finished.folder / "small.yaml"
    finished.call("run", suite, "--seeds", 3)
    assert sorted(child.methods) == ["seeded", "zero_depth"]


def test_two_rows_of_one_run_share_it(bench: TinyBench, monkeypatch: pytest.MonkeyPatch) -> None:
    child = FakeChild(monkeypatch)
    suite = bench.suite(methods={"a": {"plugin": "seeded"}, "b": {"plugin": "seeded"}})
    assert bench.call("run", suite, "--methods", "a,b").exit_code == 0
    assert child.methods == ["seeded"]


def test_failed_run_is_run_again_only_when_asked(bench: TinyBench) -> None:
    flag = bench.folder / "flag"
    suite = bench.suite(methods={"flagged": {"params": {"flag": str(flag)}}})
    words = ("run", suite, "--methods", "flagged")
    assert bench.call(*words).exit_code == 1
    flag.touch()
    again = bench.call(*words)
    assert again.exit_code == 1, "the failure still stands in the store"
    assert "0 runs to do" in again.stderr
    assert bench.call(*words, "--rerun", "failed").exit_code == 0
    assert bench.records()["flagged"].status == "ok"


@pytest.mark.parametrize(
    ("status", "rerun", "again"),
    [
        ("ok", "failed", False),
        ("skipped", "failed", False),
        ("timeout", "failed", True),
        ("out_of_memory", "failed", True),
        ("ok", "stale", False),
        ("ok", "none", False),
        ("ok", "all", True),
    ],
)
def test_which_stored_runs_are_run_again(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch, status: str, rerun: str, again: bool
) -> None:
    child = FakeChild(monkeypatch)
    change(finished, "rigid", status=status)
    suite = finished.folder / "small.yaml"
    finished.call("run", suite, "--methods", "rigid", "--rerun", rerun)
    assert child.methods == ["rigid"] * again


def test_run_of_other_versions_is_stale(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    change(finished, "rigid", environment={"packages": {"numpy": "1.0"}})
    suite = finished.folder / "small.yaml"
    finished.call("run", suite, "--methods", "rigid,urandom", "--rerun", "stale")
    assert child.methods == ["rigid"]


def test_failure_leaves_no_predictions_of_an_earlier_run(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeChild(monkeypatch, status="failed", error="ValueError: now it fails")
    suite = finished.folder / "small.yaml"
    finished.call("run", suite, "--methods", "rigid", "--rerun", "all")
    key = finished.records()["rigid"].spec.key
    assert not finished.store().predictions_path(key).exists()
    assert finished.call("score", suite).exit_code == 0
    assert finished.records()["rigid"].status == "failed", "scoring must not bring it back to life"
