"""Stored runs whose predictions are the truth plus noise of a given size."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liftbench.plugin.registry import Registry
from liftbench.runs.bench import Bench
from liftbench.runs.exchange import save_reconstructions
from liftbench.runs.process import Execution
from liftbench.runs.scoring import score_record
from liftbench.runs.store import RunRecord, RunSpec, Store
from liftbench.suites.suite import Limits
from liftbench.types import Reconstruction

FRAMES = 12  # in each sequence


@dataclass(frozen=True)
class Runs:
    """A data root with subsets of sequences, and a folder of results."""

    folder: Path
    bench: Bench

    def add_subset(self, name: str, sequences: int, groups: int = 1) -> None:
        """Write a subset of sequences, which belong to the groups in turn."""
        rng = np.random.default_rng(len(name))
        sequence = np.repeat(np.arange(sequences), FRAMES)
        points_3d = rng.standard_normal((len(sequence), 6, 3))
        path = self.bench.root / "points" / f"{name}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            path,
            points_2d=points_3d[..., :2],
            points_3d=points_3d,
            sequence=sequence,
            group=np.array([f"group {i % groups}" for i in sequence]),
            box=np.full((len(sequence), 4), 1.0),
        )

    def store(self, suite: str = "mine") -> Store:
        return Store(self.folder / "results" / suite)

    def spec(self, method: str, subset: str, seed: int = 0, **params: Any) -> RunSpec:
        dataset = {"key": "points", "params": {"folder": "points"}, "subset": subset}
        adapter = self.bench.registry.datasets["points"].make(folder="points")
        checksum = adapter.checksum(self.bench.root, subset)
        version = self.bench.registry.datasets["points"].version
        return RunSpec(
            {**dataset, "version": version, "checksum": checksum},
            "all",
            ("all",),
            {"key": method, "version": 1, "params": params},
            seed,
        )

    def add(
        self,
        method: str,
        subset: str,
        noise: float,
        seed: int = 0,
        *,
        suite: str = "mine",
        protocols: tuple[str, ...] = ("mpjpe",),
        **params: Any,
    ) -> RunRecord:
        """Store a run whose predictions are this much noise away from the truth."""
        spec = self.spec(method, subset, seed, **params)
        truth = self.bench.load(spec, "all").truth
        assert truth is not None
        rng = np.random.default_rng([seed, *method.encode()])
        points_3d = truth.points_3d + noise * rng.standard_normal(truth.points_3d.shape)
        predictions = {"all": Reconstruction(points_3d, points_2d=points_3d[..., :2])}
        record = RunRecord(spec, "ok")
        for name in protocols:
            load, registry = partial(self.bench.load, spec), self.bench.registry
            record = score_record(record, predictions, load, registry, registry.protocols[name])
        store = self.store(suite)
        save_reconstructions(store.predictions_path(spec.key), predictions)
        store.write(record)
        return record

    def change(self, record: RunRecord, suite: str = "mine", **fields: Any) -> RunRecord:
        """Store a run again with changed fields; its predictions follow if its key changes."""
        changed, store = replace(record, **fields), self.store(suite)
        old, new = (store.predictions_path(r.spec.key) for r in (record, changed))
        store.record_path(record.spec.key).unlink()
        if old != new:
            old.rename(new)
        store.write(changed)
        return changed


@pytest.fixture
def runs(tmp_path: Path, registry: Registry) -> Runs:
    root = tmp_path / "data"
    root.mkdir()
    bench = Bench(registry, root, Execution(), Limits(), threading.Event())
    return Runs(tmp_path, bench)
