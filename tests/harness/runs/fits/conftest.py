"""A bench with teachers and students."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from click.testing import Result
from tests.harness.conftest import TinyBench

from liftbench.runs import execute
from liftbench.runs.child import do_task
from liftbench.runs.exchange import ChildOutcome, Task
from liftbench.runs.fits import teachers
from liftbench.runs.fits.generators import remember_generators
from liftbench.runs.store import RunRecord

PLUGINS = ("tiny", "school")


@dataclass(frozen=True)
class School:
    """A bench with suites of teachers and students, and the log of the teachers' fits."""

    bench: TinyBench

    @property
    def log(self) -> Path:
        return self.bench.folder / "fits.txt"

    def fits(self) -> list[str]:
        """Return for each fit of a teacher: first step, seed and process."""
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []

    def params(self, **params: Any) -> dict[str, Any]:
        return {"log": str(self.log), **params}

    def suite(self, *rows: str, teacher: dict[str, Any] | None = None, **changes: Any) -> Path:
        """Write a suite of pupils, which differ in their spread, and perhaps of their teacher."""
        params = self.params() if teacher is None else teacher
        methods: dict[str, Any] = {
            row: {"plugin": "pupil", "params": {"spread": i, "teacher_params": params}}
            for i, row in enumerate(rows)
        }
        if "lecturer" in rows:
            methods["lecturer"] = {"params": params}
        return self.bench.suite(methods=methods, **changes)

    def run(self, suite: Path, *words: object, rows: str = "", jobs: int = 1) -> Result:
        """Run rows of a suite, or all, without the baselines."""
        chosen = ("--methods", rows or rows_of(suite), "--jobs", jobs)
        return self.bench.call("run", suite, *chosen, *words, plugins=PLUGINS)

    def start(self, suite: Path) -> psutil.Popen:
        """Run all rows of a suite at once in a separate process."""
        chosen = ("--methods", rows_of(suite), "--jobs", 2)
        return self.bench.start("run", suite, *chosen, plugins=PLUGINS)

    def records(self, suite: str = "small") -> dict[tuple[str, float], RunRecord]:
        """Return the records of seed 0 by method and spread."""
        return {
            (r.spec.method["key"], r.spec.method["params"].get("spread", 0)): r
            for r in self.bench.store(suite).records()
            if r.spec.seed == 0
        }

    def folder(self, suite: str = "small") -> Path:
        """Return the folder of the only teacher that a suite keeps."""
        (folder,) = (self.bench.store(suite).folder / "teachers").iterdir()
        return folder


def rows_of(suite: Path) -> str:
    return ",".join(yaml.safe_load(suite.read_text(encoding="utf-8"))["methods"])


class ChildInProcess:
    """Takes the place of `run_child`: it does the task in this process.

    Attributes:
        methods: the methods of the tasks that it was given.
        endings: outcomes of methods whose process ends before they can.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.methods: list[str] = []
        self.endings: dict[str, ChildOutcome] = {}
        for module in (execute, teachers):
            monkeypatch.setattr(module, "run_child", self)

    def __call__(self, folder: Path, task: Task, *_: object) -> ChildOutcome:
        self.methods.append(task["method"])
        if ending := self.endings.get(task["method"]):
            return ending
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        set_back = remember_generators()
        try:
            return do_task(folder)
        finally:
            set_back()


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> ChildInProcess:
    """Tasks are done in this process."""
    return ChildInProcess(monkeypatch)


@pytest.fixture
def school(whole_bench: TinyBench, child: ChildInProcess) -> School:
    """A school whose tasks are done in this process."""
    return School(whole_bench)


@pytest.fixture
def real_school(bench: TinyBench) -> School:
    """A school with child processes."""
    return School(bench)
