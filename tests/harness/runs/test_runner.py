"""Runs end as rows whatever happens to them, and a store is never left half written."""

from __future__ import annotations

import itertools
import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
from click.testing import Result

from liftbench import (
    Capabilities,
    Dataset,
    Images,
    Observations,
    Reconstruction,
    Skeleton,
)
from liftbench.runs import process, runner, scoring
from liftbench.runs.exchange import read_observations, save_reconstructions
from liftbench.runs.runner import incompatibility
from liftbench.runs.store import RunRecord, RunSpec

if TYPE_CHECKING:
    from tests.harness.conftest import TinyBench

Wait = Callable[[Callable[[], object]], None]


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class FakeChild:
    """Takes the place of `run_child`: it counts the calls and ends as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **outcome: object) -> None:
        self.outcome = {"status": "ok", "peak_memory_mib": 1.0, **outcome}
        self.methods: list[str] = []
        self.images: dict[str, Images | None] = {}
        monkeypatch.setattr(runner, "run_child", self)

    def __call__(self, folder: Path, task: dict[str, Any], *_: object) -> dict[str, Any]:
        self.methods.append(task["method"])
        splits = {}
        for name in itertools.chain(*task["evaluate"]):
            seen = read_observations(folder / f"{name}.npz")
            points_2d, self.images[task["method"]] = seen.points_2d, seen.images
            splits[name] = Reconstruction(np.pad(points_2d, ((0, 0), (0, 0), (0, 1))))
        if self.outcome["status"] == "ok":
            save_reconstructions(folder / "predictions.npz", splits)
        return dict(self.outcome)


# --- what a method may do to itself ------------------------------------------------------------

BAD = {
    "raises": ("failed", "RuntimeError: cannot fit this"),
    "wrong_shape": ("failed", "ValueError: predict: expected points_3d (8, 5, 3), got (8, 4, 3)"),
    "not_finite": ("failed", "ValueError: Reconstruction.points_3d: 1 of 8 frames hold NaN"),
    "wrong_type": ("failed", "TypeError: predict: expected a Reconstruction, got ndarray"),
    "exits_at_once": ("failed", "the process exited with code 3 before it had finished"),
    "kills_itself": ("failed", "the process was killed by signal 9 before it had finished"),
    "calls_exit": ("failed", "SystemExit: 0"),
    "takes_memory": ("out_of_memory", "took more than 0.5 GiB of memory"),
    "memory_error": ("out_of_memory", "MemoryError: refused"),
    "collapsed": ("failed", "e3d@1: all points coincide in 8 of 8 predicted frames"),
}


def test_each_bad_method_is_a_row_and_the_others_finish(bench: TinyBench, wait_until: Wait) -> None:
    pid_file = bench.folder / "orphan.pid"
    methods = {**{name: {} for name in BAD}, "orphan": {"params": {"file": str(pid_file)}}}
    suite = bench.suite(methods=methods, limits={"seconds": 300, "memory_gib": 0.5})
    result = bench.call("run", suite, "--jobs", 2)
    assert result.exit_code == 1
    records = bench.records()
    assert set(records) == {*BAD, "orphan", "zero_depth", "rigid"}
    for name, (status, error) in BAD.items():
        record = records[name]
        assert (name, record.status) == (name, status)
        assert record.error.startswith(error)
        assert record.scores == {}
        assert f"{name} tiny one seed 0: {status}: {error}" in result.stdout
    for name in ("orphan", "zero_depth", "rigid"):
        assert records[name].status == "ok", records[name].error
        assert records[name].scores["e3d@1"]["train"].frames == 8
    assert "last words" in records["exits_at_once"].error.splitlines()
    assert 'raise RuntimeError("cannot fit this")' in records["raises"].error
    wait_until(lambda: gone(int(pid_file.read_text(encoding="utf-8"))))
    assert not list((bench.store().folder / "scratch").iterdir())


def test_method_that_hangs_costs_one_row(bench: TinyBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE_SECONDS", 0.5)
    suite = bench.suite(methods={"hangs": {}}, limits={"seconds": 4})
    result = bench.call("run", suite, "--methods", "hangs")
    assert result.exit_code == 1
    record = bench.records()["hangs"]
    assert record.status == "timeout"
    assert record.error.startswith("took longer than 4 s")


def test_method_that_cannot_take_the_data_is_skipped(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    for params, reason in (
        ({"camera": "perspective"}, "the method has no perspective camera"),
        ({"hide_one": True}, "the method needs every point to be visible"),
    ):
        data = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["unseen"]}
        suite = bench.suite(next(iter(params)), data=[{**data, "params": params}])
        result = bench.call("run", suite, "--methods", "seeded")
        assert result.exit_code == 0, "skipped is no failure"
        record = bench.records(suite.stem)["seeded"]
        assert (record.status, record.error) == ("skipped", reason)
        assert f"seeded tiny one seed 0: skipped: {reason}" in result.stdout
    assert child.methods == []


def test_images_are_drawn_for_methods_that_need_them_and_told_to_no_other(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    data = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train"]}
    bench.call("run", bench.suite("blind", data=[data]), "--methods", "looking")
    record = bench.records("blind")["looking"]
    assert record.error == "the method needs images, which are not there"
    assert record.status == "skipped"
    suite = bench.suite(data=[{**data, "params": {"pictures": True}}])
    bench.call("run", suite, "--methods", "filling")
    assert child.images == {"filling": None}
    assert not list(bench.root.rglob("*.png"))
    bench.call("run", suite, "--methods", "looking")
    images = child.images["looking"]
    assert images is not None
    assert [images.image(frame).shape for frame in range(8)] == [(1, n, 3) for n in range(1, 9)]


def test_incompatibility_looks_at_camera_and_points() -> None:
    points = np.zeros((2, 3, 2))
    points[0, 0] = np.nan
    seen = Observations(
        points, np.isfinite(points[..., 0]), np.zeros(2, int), "perspective", Skeleton(("a", *"bc"))
    )
    able = Capabilities(cameras=("orthographic", "perspective"), missing_points=True)
    assert incompatibility(able, seen) == ""
    assert "camera" in incompatibility(Capabilities(missing_points=True), seen)
    assert "visible" in incompatibility(Capabilities(cameras=("perspective",)), seen)


@pytest.mark.parametrize(
    ("sequence", "reason"),
    [
        ([4, 4, 4, 2, 2], ""),
        ([4, 4, 2, 4, 2], "in the order of time: frames of different sequences are mixed"),
        ([4, 4, 2, 2, 4], "in the order of time: frames of different sequences are mixed"),
        ([0, 1, 2, 3, 4], "in the order of time: 5 of 5 have one frame only"),
        ([0, 0, 0, 0, 9], "in the order of time: 1 of 2 have one frame only"),
    ],
)
def test_incompatibility_looks_at_sequences(sequence: list[int], reason: str) -> None:
    shown = np.ones((5, 1), dtype=bool)
    seen = Observations(
        np.zeros((5, 1, 2)), shown, np.array(sequence), "orthographic", Skeleton(("a",))
    )
    assert incompatibility(Capabilities(), seen) == ""
    told = incompatibility(Capabilities(needs_sequences=True), seen)
    assert told.endswith(reason)
    assert bool(told) == bool(reason)


def test_incompatibility_looks_at_the_number_of_frames() -> None:
    shown = np.ones((5, 1), dtype=bool)
    seen = Observations(
        np.zeros((5, 1, 2)), shown, np.zeros(5, int), "orthographic", Skeleton(("a",))
    )
    assert incompatibility(Capabilities(most_frames=5), seen) == ""
    told = incompatibility(Capabilities(most_frames=4), seen)
    assert told == "the method takes at most 4 frames, there are 5"


# --- what is run, and run again ----------------------------------------------------------------


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


# --- runs that another suite has ---------------------------------------------------------------


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
def test_run_that_failed_or_is_asked_again_is_not_taken_over(
    finished: TinyBench,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    fields: dict[str, Any],
) -> None:
    child = FakeChild(monkeypatch)
    change(finished, "rigid", **fields)
    run_other(finished, *words)
    assert child.methods == ["rigid"]


def test_failed_run_of_its_own_is_run_again_though_another_suite_has_it(
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


def test_rerun_takes_the_place_in_every_suite(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_other(finished, protocol="mpjpe")
    FakeChild(monkeypatch, fit_seconds=123.0)
    assert finished.call("rerun", finished.records()["rigid"].spec.key).exit_code == 0
    records = [finished.records(suite)["rigid"] for suite in ("small", "other")]
    assert records[0] == records[1]
    assert records[0].fit_seconds == 123.0
    assert set(records[0].scores) == {"e3d@1", "mpjpe@1"}


# --- asking again ------------------------------------------------------------------------------


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


def test_damaged_data_costs_its_rows(bench: TinyBench, monkeypatch: pytest.MonkeyPatch) -> None:
    child = FakeChild(monkeypatch)
    bench.add_subset("two")
    (bench.root / "tiny" / "one.npy").write_bytes(b"damaged")
    data = {"dataset": "tiny", "subsets": ["one", "two"], "fit": "train", "evaluate": ["train"]}
    result = bench.call("run", bench.suite(data=[data]), "--methods", "seeded")
    assert result.exit_code == 1
    records = {record.spec.dataset["subset"]: record for record in bench.store().records()}
    assert records["one"].error == f"{bench.root / 'tiny' / 'one.npy'}: damaged"
    assert records["two"].status == "ok"
    assert child.methods == ["seeded"]


def test_dataset_that_raises_costs_its_rows(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    bench.add_subset("two")
    load = runner.Bench.load

    def raises_for_one(self: runner.Bench, spec: RunSpec, split: str) -> Dataset:
        if spec.dataset["subset"] == "one":
            raise ZeroDivisionError("a bug of the adapter")
        return load(self, spec, split)

    monkeypatch.setattr(runner.Bench, "load", raises_for_one)
    data = {"dataset": "tiny", "subsets": ["one", "two"], "fit": "train", "evaluate": ["train"]}
    result = bench.call("run", bench.suite(data=[data]), "--methods", "seeded")
    assert result.exit_code == 1
    records = {record.spec.dataset["subset"]: record for record in bench.store().records()}
    error = records["one"].error
    assert error.startswith("ZeroDivisionError: a bug of the adapter\nTraceback")
    assert records["two"].status == "ok"
    assert child.methods == ["seeded"]


def test_unreadable_predictions_are_a_failed_row(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoils(folder: Path, *_: object) -> dict[str, Any]:
        (folder / "predictions.npz").write_bytes(b"PK half")
        return {"status": "ok", "peak_memory_mib": 1.0}

    monkeypatch.setattr(runner, "run_child", spoils)
    assert bench.call("run", bench.suite(), "--methods", "seeded").exit_code == 1
    record = bench.records()["seeded"]
    assert record.status == "failed"
    assert record.error.startswith("predictions: ")


def change(bench: TinyBench, method: str, **fields: object) -> RunRecord:
    """Edit the stored record of a method and return it as it is now."""
    path = bench.store().record_path(bench.records()[method].spec.key)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **fields}), encoding="utf-8")
    return bench.records()[method]


# --- the harness is stopped --------------------------------------------------------------------


class Stopped:
    """`liftbench run` of a quick method and one that waits, once it waits."""

    def __init__(self, bench: TinyBench, wait_until: Wait, processes: list[psutil.Process]) -> None:
        self.flag = bench.folder / "flag"
        pid_file = bench.folder / "waiting.pid"
        waiting = {"params": {"flag": str(self.flag), "pid_file": str(pid_file)}}
        suite = bench.suite(methods={"rigid": {}, "waiting": waiting})
        self.words = ("run", suite, "--methods", "rigid,waiting", "--jobs", 1)
        self.harness = bench.start(*self.words)
        processes.append(self.harness)
        wait_until(lambda: pid_file.exists() and pid_file.read_text(encoding="utf-8"))
        self.child = int(pid_file.read_text(encoding="utf-8"))
        processes.append(psutil.Process(self.child))
        self.before = bench.records()
        assert set(self.before) == {"rigid"}
        assert not gone(self.child)


def test_killed_harness_loses_no_row_and_leaves_no_child(
    bench: TinyBench, wait_until: Wait, kill_later: list[psutil.Process]
) -> None:
    stopped = Stopped(bench, wait_until, kill_later)
    stopped.harness.kill()
    assert stopped.harness.wait() == -signal.SIGKILL
    wait_until(lambda: gone(stopped.child))
    assert bench.records() == stopped.before
    stopped.flag.touch()
    result = bench.call(*stopped.words)
    assert result.exit_code == 0
    assert "1 runs to do" in result.stderr
    assert bench.records()["rigid"] == stopped.before["rigid"]
    assert bench.records()["waiting"].status == "ok"
    assert not list((bench.store().folder / "scratch").iterdir())


def test_interrupted_harness_ends_its_child_and_keeps_the_rest(
    bench: TinyBench, wait_until: Wait, kill_later: list[psutil.Process]
) -> None:
    stopped = Stopped(bench, wait_until, kill_later)
    stopped.harness.send_signal(signal.SIGINT)
    assert stopped.harness.wait(90) == 130
    assert gone(stopped.child)
    assert bench.records() == stopped.before
    table = (bench.results / "small" / "leaderboard.csv").read_text(encoding="utf-8")
    assert "waiting" in table


# --- repeating and scoring ---------------------------------------------------------------------


def test_deterministic_run_is_identical(finished: TinyBench) -> None:
    record = finished.records()["seeded"]
    path = finished.store().record_path(record.spec.key)
    before = path.read_bytes()
    result = finished.call("rerun", record.spec.key[:12], "--verify")
    assert result.exit_code == 0
    assert "identical bit for bit" in result.stdout
    assert path.read_bytes() == before


def test_run_that_differs_says_how(finished: TinyBench) -> None:
    record = finished.records()["urandom"]
    path = finished.store().record_path(record.spec.key)
    before = path.read_bytes()
    result = finished.call("rerun", record.spec.key, "--verify")
    assert result.exit_code == 1
    assert "differs: train: predictions differ in their bits" in result.stdout
    assert "differs: unseen e3d@1: stored " in result.stdout
    assert path.read_bytes() == before


def test_verify_says_where_the_environment_differs(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeChild(monkeypatch)
    record = change(finished, "rigid", environment={"python": "2.7"})
    result = finished.call("rerun", record.spec.key, "--verify")
    assert result.exit_code == 1
    assert "environment: python: stored 2.7, here 3." in result.stdout


def test_rerun_takes_the_place_of_the_stored_run(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeChild(monkeypatch, fit_seconds=123.0)
    key = finished.records()["rigid"].spec.key
    assert finished.call("rerun", key).exit_code == 0
    assert finished.records()["rigid"].fit_seconds == 123.0


def test_rerun_that_fails_is_stored_and_told(
    finished: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeChild(monkeypatch, status="failed", error="ValueError: now it fails")
    key = finished.records()["rigid"].spec.key
    result = finished.call("rerun", key)
    assert result.exit_code == 1
    assert "repeated: failed ValueError: now it fails" in result.stdout
    assert finished.records()["rigid"].status == "failed"


@pytest.mark.parametrize("key", ["0000", "", "*", "../x"])
def test_rerun_of_an_unknown_key(finished: TinyBench, key: str) -> None:
    result = finished.call("rerun", key)
    assert result.exit_code == 2
    assert result.stderr.startswith("liftbench: no stored run under ")


def test_rerun_of_data_that_has_changed_is_refused(finished: TinyBench) -> None:
    finished.add_subset("one", np.ones((12, 5, 3)))
    result = finished.call("rerun", finished.records()["rigid"].spec.key)
    assert result.exit_code == 2
    assert "are not those of the stored run" in result.stderr


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


def test_missing_predictions_are_told(finished: TinyBench) -> None:
    record = finished.records()["rigid"]
    finished.store().predictions_path(record.spec.key).unlink()
    result = finished.call("score", finished.folder / "small.yaml")
    assert result.exit_code == 0
    expected = f"{record.spec.key[:12]} rigid one: no stored predictions, kept as it is"
    assert expected in result.stdout.splitlines()
    assert finished.records()["rigid"] == record


def test_damaged_predictions_are_told_in_one_line(finished: TinyBench) -> None:
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


def test_record_keeps_what_its_dataset_says_of_the_files(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeChild(monkeypatch)
    bench.add_subset("noted")
    data = {"dataset": "tiny", "subsets": ["noted"], "fit": "train", "evaluate": ["train"]}
    suite = bench.suite(data=[data])
    assert bench.call("run", suite, "--methods", "seeded").exit_code == 0
    assert bench.records()["seeded"].data_note == "only a few frames"
    change(bench, "seeded", data_note="")
    assert bench.call("score", suite).exit_code == 0
    assert bench.records()["seeded"].data_note == "only a few frames"
