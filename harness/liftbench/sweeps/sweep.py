"""Gathers a suite's numbers over its grids of severities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from liftbench.plugin.registry import Registry
from liftbench.protocols.protocol import Protocol
from liftbench.runs.plan import Cell, Plan
from liftbench.runs.store import RunRecord, Store
from liftbench.suites.grids import Grid, base_setting, grids_of
from liftbench.suites.suite import Suite
from liftbench.sweeps.surfaces import Surface
from liftbench.tables import Leaderboard, Position
from liftbench.tables.wording import join_words


@dataclass(frozen=True)
class Panel:
    """The surfaces of all methods and splits on one subset under one protocol.

    Attributes:
        protocol: the protocol of the numbers.
        unit: the unit of the numbers.
        dataset: the key of the dataset.
        subset: the name of the subset.
        setting: the setting before the sweep changes it.
        surfaces: the surfaces with at least one number, ours or printed.
        without: a line for each reason why runs have no number.
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
        """The splits in the order of the surfaces."""
        return tuple(dict.fromkeys(surface.split for surface in self.surfaces))

    @property
    def name(self) -> str:
        """Dataset, subset and setting as text."""
        return join_words(self.dataset, self.subset, self.setting)

    def of(self, split: str) -> tuple[Surface, ...]:
        """Return the surfaces of a split."""
        return tuple(surface for surface in self.surfaces if surface.split == split)


@dataclass(frozen=True)
class Sweep:
    """All panels of one grid of a suite, and the notes on its numbers."""

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
    """Return the stored numbers over each grid of a suite.

    Args:
        suite: a suite with grids.
        plan: the plan of that suite.
        store: the store of its runs.
        registry: the registry with the corruptions.
        board: the leaderboard of that plan and that store.
    """
    stored = _Stored(plan, store, board)
    return tuple(
        Sweep(suite, grid, tuple(_panels(suite, grid, stored, board)), board.notes)
        for grid in grids_of(suite, registry)
    )


class _Swept(NamedTuple):
    """A subset of a dataset and its setting before the sweep changes it."""

    dataset: str
    subset: str
    setting: str


class _Stored:
    """Finds cells, their records and the lines of the leaderboard."""

    def __init__(self, plan: Plan, store: Store, board: Leaderboard) -> None:
        self.cells = {(c.dataset, c.subset, c.setting, c.method): c for c in plan.cells}
        self.lines = {(line.protocol, line.position): line for line in board.lines}
        runs = (run.key for cell in plan.cells for run in cell.runs)
        self.records = {key: record for key in set(runs) if (record := store.read(key))}

    def records_of(self, cell: Cell | None) -> list[RunRecord]:
        """Return the records of a cell; an empty list if there is no cell."""
        return [self.records[r.key] for r in cell.runs if r.key in self.records] if cell else []


def _panels(suite: Suite, grid: Grid, stored: _Stored, board: Leaderboard) -> Iterator[Panel]:
    for section in board.sections:
        for data in suite.data:
            for subset in data.subsets:
                swept = _Swept(data.dataset, subset, base_setting(suite, data))
                methods = dict.fromkeys(
                    line.method
                    for line in section.lines
                    if (line.dataset, line.subset) == swept[:2]
                )
                surfaces = [
                    _surface(grid, stored, section.protocol, swept, method, split)
                    for split in data.evaluate
                    for method in methods
                ]
                shown = [s for s in surfaces if s.count.any() or np.isfinite(s.printed).any()]
                controls = {e.line.method for e in section.entries if e.supervised}
                yield Panel(
                    section.protocol,
                    section.unit,
                    *swept,
                    tuple(
                        replace(
                            s,
                            more_is_better=section.more_is_better,
                            supervised=s.method in controls,
                        )
                        for s in shown
                    ),
                    tuple(_without(grid, stored, swept, methods)),
                )


def _surface(
    grid: Grid, stored: _Stored, protocol: Protocol, swept: _Swept, method: str, split: str
) -> Surface:
    """Return the numbers of one method on one split over the grid."""
    dataset, subset, base = swept
    settings = {index: grid.setting(base, index) for index in np.ndindex(grid.shape)}
    cells = {i: stored.cells.get((dataset, subset, name, method)) for i, name in settings.items()}
    seeds = max((cell.seeds for cell in cells.values() if cell), default=1)
    values = np.full((seeds, *grid.shape), np.nan)
    printed = np.full(grid.shape, np.nan)
    status = np.full(grid.shape, "", dtype="U20")
    for index, setting in settings.items():
        position = Position(method, dataset, subset, split, setting)
        line = stored.lines.get((protocol.identity, position))
        if line is not None:
            printed[index] = np.nan if line.published is None else line.published
            status[index] = line.status
        for record in stored.records_of(cells[index]):
            score = record.scores.get(protocol.identity, {}).get(split)
            if record.status == "ok" and score is not None:
                values[(record.spec.seed, *index)] = score.value
    return Surface(grid, split, method, values, printed, status)


def _without(grid: Grid, stored: _Stored, swept: _Swept, methods: Iterable[str]) -> Iterator[str]:
    """Yield one line for each reason why runs of a method have no number."""
    dataset, subset, base = swept
    for method in methods:
        reasons: Counter[str] = Counter()
        for index in np.ndindex(grid.shape):
            cell = stored.cells.get((dataset, subset, grid.setting(base, index), method))
            if cell and cell.reason:
                reasons[f"not available: {cell.reason}"] += 1
            for record in stored.records_of(cell):
                if record.status != "ok":
                    first = record.error.splitlines()[0] if record.error else ""
                    reasons[f"{record.status}: {first}"] += 1
        for reason, count in reasons.items():
            yield f"{dataset} {subset}: {method}: {reason} ({count} runs)"
