"""Finds which runs are to be compared with which."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from liftbench.errors import UserError, require_known
from liftbench.plugin.registry import Registry
from liftbench.runs.plan import Cell, Plan
from liftbench.runs.store import RunRecord, RunSpec, Store
from liftbench.tables.data_identity import describe


@dataclass(frozen=True)
class StoredRun:
    """A record and the store that has its predictions."""

    store: Store
    record: RunRecord


@dataclass(frozen=True)
class Pair:
    """Runs of two sides on one subset, one for each seed.

    Attributes:
        name: what tells it from others, without the subset.
        subset: name of the subset.
        splits: those to compare.
        a, b: runs that differ in seed, data checksum and versions alone.
        reason: why there can be no run, such as absent data; empty where there can.
    """

    name: str
    subset: str
    splits: tuple[str, ...]
    a: tuple[StoredRun, ...]
    b: tuple[StoredRun, ...]
    reason: str = ""


def method_pairs(plan: Plan, store: Store, a: str, b: str) -> list[Pair]:
    """Return the runs of two rows of a suite, column by column.

    Raises:
        UserError: the suite has no such row.
    """
    rows = {cell.method for cell in plan.cells}
    for name in (a, b):
        require_known(f"method of suite '{plan.suite.name}'", name, rows)
    stored = _by_place(StoredRun(store, record) for record in store.records())
    several = len({cell.setting for cell in plan.cells}) > 1
    columns: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for cell in plan.cells:
        columns.setdefault((cell.dataset, cell.subset, cell.setting), {})[cell.method] = cell
    return [
        Pair(
            f"{dataset} {setting}" if several else dataset,
            subset,
            cells[a].splits,
            _of_cell(stored, cells[a]),
            _of_cell(stored, cells[b]),
            cells[a].reason,
        )
        for (dataset, subset, setting), cells in columns.items()
    ]


def folder_pairs(registry: Registry, a: Path, b: Path) -> list[Pair]:
    """Return the runs that two folders have of one method with one set of parameters on one subset.

    A folder is that of one suite or one with the folders of several.

    Raises:
        UserError: a folder has no runs, or the two have no run in common.
    """
    first, second = _by_place(_runs(a)), _by_place(_runs(b))
    common = [place for place in first if place in second]
    if not common:
        raise UserError(f"{a} and {b}: no method with the same parameters ran on the same data")
    pairs = []
    for place in common:
        spec = first[place][0].record.spec
        parts = [
            describe(registry.methods, spec.method),
            describe(registry.datasets, spec.dataset),
            *(describe(registry.corruptions, {"key": k, **c}) for k, c in spec.corruption.items()),
        ]
        pairs.append(
            Pair(
                ", ".join(parts),
                spec.dataset["subset"],
                spec.evaluate,
                tuple(first[place]),
                tuple(second[place]),
            )
        )
    return sorted(pairs, key=lambda pair: (pair.name, pair.subset))


def _of_cell(stored: Mapping[str, list[StoredRun]], cell: Cell) -> tuple[StoredRun, ...]:
    return tuple(stored.get(_place(cell.runs[0]), ())) if cell.runs else ()


def _by_place(runs: Iterable[StoredRun]) -> dict[str, list[StoredRun]]:
    places: dict[str, list[StoredRun]] = {}
    for run in runs:
        places.setdefault(_place(run.record.spec), []).append(run)
    return places


def _place(spec: RunSpec) -> str:
    """Return what runs that may be compared have in common: all but seed, checksum, versions."""
    content = asdict(replace(spec, seed=0))
    for part, names in (("dataset", ("checksum", "version")), ("method", ("version",))):
        content[part] = {key: value for key, value in content[part].items() if key not in names}
    content["corruption"] = list(spec.corruption.items())  # their order counts
    return json.dumps(content, sort_keys=True)


def _runs(folder: Path) -> Iterator[StoredRun]:
    """Yield each run under a folder once, with its scores from all suites that have it."""
    suites = sorted(path.parent for path in (*folder.glob("runs"), *folder.glob("*/runs")))
    found: dict[str, StoredRun] = {}
    for store in map(Store, suites):
        for record in store.records():
            first = found.setdefault(record.spec.key, StoredRun(store, record))
            scores = {**record.scores, **first.record.scores}
            found[record.spec.key] = replace(first, record=replace(first.record, scores=scores))
    if not found:
        raise UserError(
            f"{folder}: no stored runs; expected a folder of results such as results/cmu, or two "
            "methods with --suite"
        )
    yield from found.values()
