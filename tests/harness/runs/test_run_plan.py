"""Damaged data fails only its own rows, and a stopped harness leaves its store intact."""

from __future__ import annotations

import signal

import psutil
import pytest
from tests.harness.conftest import TinyBench, Wait
from tests.harness.runs.conftest import FakeChild, gone

from liftbench import (
    Dataset,
)
from liftbench.runs.bench import Bench
from liftbench.runs.store import RunSpec


def test_damaged_data_fails_only_its_rows(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_dataset_that_raises_fails_only_its_rows(
    bench: TinyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FakeChild(monkeypatch)
    bench.add_subset("two")
    load = Bench.load

    def raises_for_one(self: Bench, spec: RunSpec, split: str) -> Dataset:
        if spec.dataset["subset"] == "one":
            raise ZeroDivisionError("a bug of the adapter")
        return load(self, spec, split)

    monkeypatch.setattr(Bench, "load", raises_for_one)
    data = {"dataset": "tiny", "subsets": ["one", "two"], "fit": "train", "evaluate": ["train"]}
    result = bench.call("run", bench.suite(data=[data]), "--methods", "seeded")
    assert result.exit_code == 1
    records = {record.spec.dataset["subset"]: record for record in bench.store().records()}
    error = records["one"].error
    assert error.startswith("ZeroDivisionError: a bug of the adapter\nTraceback")
    assert records["two"].status == "ok"
    assert child.methods == ["seeded"]


class Stopped:
    """A `liftbench run` whose quick method has finished and whose other method waits."""

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
