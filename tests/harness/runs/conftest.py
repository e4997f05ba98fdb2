"""A stand-in for the child process, and edits of stored records, for the tests of runs."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from tests.harness.conftest import TinyBench

from liftbench import (
    Images,
    Reconstruction,
)
from liftbench.runs import execute
from liftbench.runs.exchange import read_observations, save_reconstructions
from liftbench.runs.store import RunRecord


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class FakeChild:
    """Takes the place of `run_child`: it counts the calls and ends with the given outcome."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **outcome: object) -> None:
        self.outcome = {"status": "ok", "peak_memory_mib": 1.0, **outcome}
        self.methods: list[str] = []
        self.images: dict[str, Images | None] = {}
        monkeypatch.setattr(execute, "run_child", self)

    def __call__(self, folder: Path, task: dict[str, Any], *_: object) -> dict[str, Any]:
        self.methods.append(task["method"])
        splits = {}
        for name in itertools.chain(*task["evaluate"]):
            seen = read_observations(folder / f"{name}.npz")
            points_2d = np.nan_to_num(seen.points_2d)
            self.images[task["method"]] = seen.images
            splits[name] = Reconstruction(np.pad(points_2d, ((0, 0), (0, 0), (0, 1))))
        if self.outcome["status"] == "ok":
            save_reconstructions(folder / "predictions.npz", splits)
        return dict(self.outcome)


def change(bench: TinyBench, method: str, **fields: object) -> RunRecord:
    """Edit the stored record of a method and return it as it is now."""
    path = bench.store().record_path(bench.records()[method].spec.key)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **fields}), encoding="utf-8")
    return bench.records()[method]
