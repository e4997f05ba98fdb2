"""Which runs of a plan are still to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from liftbench.runs.environment import environment
from liftbench.runs.plan import Plan
from liftbench.runs.store import RunRecord, RunSpec, Store

Rerun = Literal["none", "failed", "stale", "all"]


@dataclass(frozen=True)
class PlannedRun:
    """A run of a plan; its title names the row, the column and the seed."""

    title: str
    spec: RunSpec


def missing_runs(plan: Plan, store: Store, rerun: Rerun) -> list[PlannedRun]:
    """Return the runs of a plan that the store lacks or that are asked for again."""
    runs = {
        spec.key: PlannedRun(f"{plan.title(cell)} seed {spec.seed}", spec)
        for cell in plan.cells
        for spec in cell.runs
    }
    return [
        run
        for key, run in runs.items()
        if (record := store.read(key)) is None or is_asked_again(record, rerun)
    ]


def is_asked_again(record: RunRecord, rerun: Rerun) -> bool:
    """Return whether `--rerun` asks for this stored run again."""
    if rerun == "all":
        return True
    if rerun == "failed":
        return record.status in ("failed", "timeout", "out_of_memory")
    if rerun == "stale":
        return bool(record.environment.get("packages") != environment()["packages"])
    return False


def group_by_fit(runs: Iterable[PlannedRun]) -> list[list[PlannedRun]]:
    """Return the runs of each fit."""
    fits: dict[str, list[PlannedRun]] = {}
    for run in runs:
        fits.setdefault(run.spec.fit_key, []).append(run)
    return list(fits.values())
