"""Robustness: what a suite's numbers do over its grids of severities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from liftbench.plugin.registry import Registry
from liftbench.protocols.protocol import Protocol
from liftbench.runs.plan import Cell, Plan
from liftbench.runs.store import RunRecord, Store
from liftbench.suites.grids import Grid, base_setting, grids_of
from liftbench.suites.suite import Suite
from liftbench.sweeps.surfaces import Surface
from liftbench.tables import Leaderboard


@dataclass(frozen=True)
class Panel:
    """The surfaces of all methods and splits on one subset under one protocol.

    Attributes:
        protocol: of the numbers.
        unit: of the numbers.
        dataset: key of the dataset.
        subset: name of the subset.
        setting: of the columns before they were swept.
        surfaces: those that have a number, ours or a printed one.
        without: what has none, and why.
    """

    protocol: Protocol
    unit: str
    dataset: str
    subset: str
    setting: str
    surfaces: tuple[Surface, ...]
    without: tuple[str, ...]

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits, in their order."""
        return tuple(dict.fromkeys(surface.split for surface in self.surfaces))

    @property
    def name(self) -> str:
        """What it is of."""
        return ", ".join(filter(None, [self.dataset, self.subset, self.setting]))

    def of(self, split: str) -> tuple[Surface, ...]:
        """Return the surfaces of a split."""
        return tuple(surface for surface in self.surfaces if surface.split == split)


@dataclass(frozen=True)
class Sweep:
    """All panels of one grid of a suite."""

    suite: Suite
    grid: Grid
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]


def make_sweeps(
    suite: Suite,
    plan: Plan,
    store: Store,
    registry: Registry,
    board: Leaderboard,
) -> tuple[Sweep, ...]:
    """Gather what a store has of each grid of a suite.

    Args:
        suite: with its grids.
        plan: of that suite.
        store: of its runs.
        registry: of the corruptions.
        board: of that plan and that store.
    """
    stored = _Stored(plan, store, board)
    return tuple(
        Sweep(suite, grid, tuple(_panels(suite, grid, stored, board)), board.notes)
        for grid in grids_of(suite, registry)
    )


class _Stored:
    """What a plan's cells and a leaderboard's rows hold, by their place."""

    def __init__(self, plan: Plan, store: Store, board: Leaderboard) -> None:
        self.cells = {(c.dataset, c.subset, c.setting, c.method): c for c in plan.cells}
        self.rows = {
            (r.protocol, r.dataset, r.subset, r.setting, r.method, r.split): r for r in board.rows
        }
        runs = (run.key for cell in plan.cells for run in cell.runs)
        self.records = {key: record for key in set(runs) if (record := store.read(key))}

    def of(self, cell: Cell | None) -> list[RunRecord]:
        """Return the records of a cell."""
        return [self.records[r.key] for r in cell.runs if r.key in self.records] if cell else []


_Place = tuple[str, str, str]  # dataset, subset, setting before it was swept


def _panels(suite: Suite, grid: Grid, stored: _Stored, board: Leaderboard) -> Iterator[Panel]:
    for section in board.sections:
        for data in suite.data:
            for subset in data.subsets:
                place = (data.dataset, subset, base_setting(suite, data))
                methods = dict.fromkeys(
                    row.method for row in section.rows if (row.dataset, row.subset) == place[:2]
                )
                surfaces = [
                    _surface(grid, stored, section.protocol, place, method, split)
                    for split in data.evaluate
                    for method in methods
                ]
                shown = [s for s in surfaces if s.count.any() or np.isfinite(s.printed).any()]
                yield Panel(
                    section.protocol,
                    section.unit,
                    *place,
                    tuple(replace(s, more_is_better=section.more_is_better) for s in shown),
                    tuple(_without(grid, stored, place, methods)),
                )


def _surface(
    grid: Grid, stored: _Stored, protocol: Protocol, place: _Place, method: str, split: str
) -> Surface:
    dataset, subset, base = place
    settings = {index: grid.setting(base, index) for index in np.ndindex(grid.shape)}
    cells = {i: stored.cells.get((dataset, subset, name, method)) for i, name in settings.items()}
    seeds = max((cell.seeds for cell in cells.values() if cell), default=1)
    values = np.full((seeds, *grid.shape), np.nan)
    printed = np.full(grid.shape, np.nan)
    status = np.full(grid.shape, "", dtype="U20")
    for index, setting in settings.items():
        row = stored.rows.get((protocol.identity, dataset, subset, setting, method, split))
        if row is not None:
            printed[index] = np.nan if row.published is None else row.published
            status[index] = row.status
        for record in stored.of(cells[index]):
            score = record.scores.get(protocol.identity, {}).get(split)
            if record.status == "ok" and score is not None:
                values[(record.spec.seed, *index)] = score.value
    return Surface(grid, split, method, values, printed, status)


def _without(grid: Grid, stored: _Stored, place: _Place, methods: Iterable[str]) -> Iterator[str]:
    """Yield one line for each reason why runs of a method have no number."""
    dataset, subset, base = place
    for method in methods:
        reasons: Counter[str] = Counter()
        for index in np.ndindex(grid.shape):
            cell = stored.cells.get((dataset, subset, grid.setting(base, index), method))
            if cell and cell.reason:
                reasons[f"not available: {cell.reason}"] += 1
            for record in stored.of(cell):
                if record.status != "ok":
                    first = record.error.splitlines()[0] if record.error else ""
                    reasons[f"{record.status}: {first}"] += 1
        for reason, count in reasons.items():
            yield f"{dataset} {subset}: {method}: {reason} ({count} runs)"
