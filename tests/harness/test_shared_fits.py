"""Runs that differ only in what they predict from share a fit, and nothing runs twice."""

from __future__ import annotations

import itertools
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest

from liftbench import Reconstruction
from liftbench.runs import execute
from liftbench.runs.exchange import read_observations, save_reconstructions
from liftbench.runs.store import RunRecord

if TYPE_CHECKING:
    from tests.harness.conftest import TinyBench

pytestmark = pytest.mark.usefixtures("unrendered_figures")
DATA = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train", "unseen"]}
# The 12 frames of `tiny` have 5 points, of which 2 may be hidden.
AXES = ("--noise-ratio", "0,0.1,0.2", "--missing", "0,40")
CELLS, METHODS, SEEDS = 6, 2, 2


def two_methods(bench: TinyBench, **params: Any) -> Path:
    """Write a suite of two methods with two seeds; each writes its fits to one file."""
    methods = {
        name: {"plugin": "tallying", "params": {"file": str(tally(bench)), "spread": i, **params}}
        for i, name in enumerate("ab")
    }
    return bench.suite(data=[{**DATA, "seeds": SEEDS}], methods=methods)


def tally(bench: TinyBench) -> Path:
    return bench.folder / "fits.txt"


def fits(bench: TinyBench) -> list[str]:
    return tally(bench).read_text(encoding="utf-8").split("\n")[:-1]


def all_records(bench: TinyBench) -> dict[str, RunRecord]:
    return {record.spec.key: record for record in bench.store().records()}


class Killed(BaseException):
    """Ends the harness at once, as a signal would."""


class CountingChild:
    """Takes the place of `run_child`: keeps the tasks, and ends the harness at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, killed_at: int | None = None) -> None:
        self.tasks: list[dict[str, Any]] = []
        self.killed_at = killed_at
        monkeypatch.setattr(execute, "run_child", self)

    def __call__(self, folder: Path, task: dict[str, Any], *_: object) -> dict[str, Any]:
        self.tasks.append(task)
        if len(self.tasks) == self.killed_at:
            raise Killed
        made = {}
        for name in itertools.chain(*task["evaluate"]):
            points = np.nan_to_num(read_observations(folder / f"{name}.npz").points_2d)
            made[name] = Reconstruction(np.dstack([points, points[..., :1]]))
        save_reconstructions(folder / "predictions.npz", made)
        return {"status": "ok", "peak_memory_mib": 1.0, "fit_seconds": 2.0}


# --- a sweep that is killed --------------------------------------------------------------------


def test_sweep_that_learns_from_corrupted_data_goes_on_after_a_kill(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("sweep", two_methods(bench), *AXES, "--methods", "a,b", "--jobs", 1)
    first = CountingChild(monkeypatch, killed_at=9)
    with pytest.raises(Killed):
        bench.call(*words)
    before = all_records(bench)
    assert len(before) == 8
    second = CountingChild(monkeypatch)
    result = bench.call(*words)
    assert result.exit_code == 0
    assert "24 runs: 8 stored, 0 to take over from other suites, 16 to do in 16" in result.stderr
    after = all_records(bench)
    assert len(after) == CELLS * METHODS * SEEDS
    assert len(second.tasks) == len(after) - len(before)
    done = Counter((t["params"]["spread"], t["seed"]) for t in first.tasks[:-1] + second.tasks)
    assert set(done.values()) == {CELLS}
    assert {key: after[key] for key in before} == before
    CountingChild(monkeypatch, killed_at=1)
    assert "0 runs to do" in bench.call(*words).stderr


def test_sweep_of_tests_fits_each_method_once_though_it_was_killed(
    bench: TinyBench,
    wait_until: Callable[[Callable[[], object]], None],
    kill_later: list[psutil.Process],
) -> None:
    suite = two_methods(bench)
    words = ("sweep", suite, *AXES, "--corrupt", "test", "--methods", "a,b", "--jobs", 1)
    harness = bench.start(*words)
    kill_later.append(harness)
    wait_until(lambda: len(all_records(bench)) >= CELLS)
    harness.kill()
    assert harness.wait() == -signal.SIGKILL
    before = all_records(bench)
    result = bench.call(*words)
    assert result.exit_code == 0
    after = all_records(bench)
    assert len(after) == CELLS * METHODS * SEEDS
    assert {key: after[key] for key in before} == before
    lines = Counter(fits(bench))
    assert len(lines) == METHODS * SEEDS, "once a method and seed"
    assert sum(lines.values()) <= METHODS * SEEDS + 1, "but for the one under way at the kill"


# --- sharing a fit changes nothing -------------------------------------------------------------


def one_method(bench: TinyBench, **params: Any) -> Path:
    row = {"plugin": "tallying", "params": {"file": str(tally(bench)), **params}}
    return bench.suite(data=[DATA], methods={"one": row})


def cells(bench: TinyBench) -> dict[str, RunRecord]:
    """Return the records by the keys of their corruptions."""
    return {",".join(r.spec.corruption): r for r in bench.store().records()}


@pytest.fixture
def shared(bench: TinyBench) -> TinyBench:
    """A bench with a sweep of four cells that share one fit."""
    words = ("--noise-ratio", "0,0.1", "--missing", "0,40", "--corrupt", "test")
    result = bench.call("sweep", one_method(bench), *words, "--methods", "one")
    assert result.exit_code == 0, result.output
    assert len(fits(bench)) == 1
    return bench


def test_a_run_that_shared_its_fit_is_the_same_alone(shared: TinyBench) -> None:
    """The method draws random numbers in `predict`, so an earlier run could change a later one."""
    records = cells(shared)
    assert set(records) == {"", "noise_ratio", "missing", "noise_ratio,missing"}
    for record in (records["noise_ratio"], records["noise_ratio,missing"]):
        again = shared.call("rerun", record.spec.key, "--verify")
        assert "identical bit for bit" in again.stdout
    assert len(fits(shared)) == 3


def test_the_clean_cell_is_the_run_of_the_plain_suite(shared: TinyBench) -> None:
    result = shared.call("run", shared.folder / "small.yaml", "--methods", "one")
    assert "0 runs to do" in result.stderr
    assert shared.call("run", one_suite(shared, "other"), "--methods", "one").exit_code == 0
    assert len(fits(shared)) == 1
    (plain,) = shared.store("other").records()
    assert plain == cells(shared)[""]


def one_suite(bench: TinyBench, name: str) -> Path:
    path = bench.folder / f"{name}.yaml"
    path.write_text((bench.folder / "small.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return path


def test_a_plain_run_is_taken_over_and_the_others_are_fitted_once(bench: TinyBench) -> None:
    one_method(bench)
    assert bench.call("run", one_suite(bench, "plain"), "--methods", "one").exit_code == 0
    words = ("--noise-ratio", "0,0.1,0.2", "--corrupt", "test", "--methods", "one")
    result = bench.call("sweep", bench.folder / "small.yaml", *words)
    assert "3 runs: 0 stored, 1 to take over from other suites, 2 to do in 1 fits" in result.stderr
    assert "taken over from suite plain" in result.stderr
    assert len(fits(bench)) == 2
    (plain,) = bench.store("plain").records()
    assert cells(bench)[""] == plain


def test_runs_of_a_fit_learn_from_the_same_and_predict_from_their_own(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    class Reading(CountingChild):
        def __call__(self, folder: Path, task: dict[str, Any], *_: object) -> dict[str, Any]:
            for path in folder.glob("*.npz"):
                seen[path.stem] = read_observations(path)
            return super().__call__(folder, task)

    child = Reading(monkeypatch)
    words = ("--missing", "0,20,40", "--corrupt", "test", "--frames", "50", "--methods", "one")
    in_turn = ("--jobs", "1")  # the fit on half of the frames comes last, so `seen` keeps it
    assert bench.call("sweep", one_method(bench), *words, *in_turn).exit_code == 0
    assert [len(task["evaluate"]) for task in child.tasks] == [3, 3], "of all frames, and of half"
    assert seen["fit"].frames == 4
    assert seen["fit"].visible.all()
    shown = [int(seen[f"unseen-{i}"].visible[0].sum()) for i in range(3)]
    assert shown == [5, 4, 3]
    assert {seen[f"train-{i}"].frames for i in range(3)} == {8}


# --- what fails --------------------------------------------------------------------------------


def test_a_run_that_fails_does_not_affect_the_others(bench: TinyBench) -> None:
    suite = one_method(bench, fails_below=4)
    words = ("--missing", "0,20,40", "--corrupt", "test", "--methods", "one")
    result = bench.call("sweep", suite, *words)
    assert result.exit_code == 1
    records = {
        r.spec.corruption.get("missing", {}).get("params", {}).get("share"): r
        for r in bench.store().records()
    }
    assert {share: r.status for share, r in records.items()} == {
        None: "ok",
        0.2: "ok",
        0.4: "failed",
    }
    assert records[0.4].error.startswith("RuntimeError: too few points\nTraceback")
    assert records[0.4].scores == {}
    assert len(fits(bench)) == 1


def test_method_that_needs_every_point_is_skipped_where_some_are_hidden(bench: TinyBench) -> None:
    words = ("--missing", "0,20", "--corrupt", "test", "--methods", "seeded")
    assert bench.call("sweep", bench.suite(data=[DATA]), *words).exit_code == 0
    assert {key: r.status for key, r in cells(bench).items()} == {"": "ok", "missing": "skipped"}


def test_transductive_method_cannot_predict_from_other_points(bench: TinyBench) -> None:
    suite = bench.suite(data=[{**DATA, "evaluate": ["train"]}], methods={"transductive": {}})
    words = ("--noise-ratio", "0,0.1", "--methods", "transductive")
    assert bench.call("sweep", suite, *words).exit_code == 0
    assert {key: r.status for key, r in cells(bench).items()} == {"": "ok", "noise_ratio": "ok"}
    assert bench.call("sweep", suite, *words, "--corrupt", "test").exit_code == 0
    staged = [r for r in bench.store().records() if "stage" in str(r.spec.corruption)]
    assert [(r.status, r.error) for r in staged] == [
        ("skipped", "the method can only reconstruct what it was fitted to")
    ]
