"""Pairs the stored runs that can be compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from liftbench.errors import UserError, require_known
from liftbench.plugin.registry import Registry
from liftbench.runs.plan import Cell, Plan
from liftbench.runs.store import RunRecord, RunSpec, Store
from liftbench.tables.data_identity import describe
from liftbench.tables.wording import name_text


@dataclass(frozen=True)
class StoredRun:
    """A run's record, and the store that holds its predictions."""

    store: Store
    record: RunRecord


@dataclass(frozen=True)
class Pair:
    """The runs of two sides, A and B, on one subset.

    Attributes:
        name: the dataset with its setting, and the method if it is the same on both sides.
        subset: the name of the subset.
        splits: the splits to compare.
        a, b: the runs of each side, which differ only in seed, data checksum and versions.
        reason: why no run is possible, such as absent data; else empty.
    """

    name: str
    subset: str
    splits: tuple[str, ...]
    a: tuple[StoredRun, ...]
    b: tuple[StoredRun, ...]
    reason: str = ""


def method_pairs(plan: Plan, store: Store, a: str, b: str) -> list[Pair]:
    """Return a pair for each column of a suite that has methods `a` and `b`, with their runs.

    Raises:
        UserError: the suite has no such method, or no column has both.
    """
    methods = {cell.method for cell in plan.cells}
    for name in (a, b):
        require_known(f"method of suite '{plan.suite.name}'", name, methods)
    stored = _group_runs(StoredRun(store, record) for record in store.records())
    several = len({cell.setting for cell in plan.cells}) > 1
    columns: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for cell in plan.cells:
        columns.setdefault((cell.dataset, cell.subset, cell.setting), {})[cell.method] = cell
    both = {column: cells for column, cells in columns.items() if {a, b} <= cells.keys()}
    if not both:
        raise UserError(f"suite '{plan.suite.name}': no column has both '{a}' and '{b}'")
    return [
        Pair(
            f"{dataset} {setting}" if several else dataset,
            subset,
            cells[a].splits,
            _runs_of_cell(stored, cells[a]),
            _runs_of_cell(stored, cells[b]),
            cells[a].reason,
        )
        for (dataset, subset, setting), cells in both.items()
    ]


def folder_pairs(registry: Registry, a: Path, b: Path) -> list[Pair]:
    """Return a pair for each method with its parameters and each subset that both folders have.

    A folder has the runs of one suite, or the folders of several suites.

    Raises:
        UserError: a folder has no runs, or the two folders have no run in common.
    """
    first, second = _group_runs(_runs_in(a)), _group_runs(_runs_in(b))
    common = [key for key in first if key in second]
    if not common:
        raise UserError(f"{a} and {b}: no method with the same parameters ran on the same data")
    pairs = []
    for key in common:
        spec = first[key][0].record.spec
        parts = [
            _method_text(registry, spec.method),
            describe(registry.datasets, spec.dataset),
            *(describe(registry.corruptions, {"key": k, **c}) for k, c in spec.corruption.items()),
        ]
        pairs.append(
            Pair(
                ", ".join(parts),
                spec.dataset["subset"],
                spec.evaluate,
                tuple(first[key]),
                tuple(second[key]),
            )
        )
    return sorted(pairs, key=lambda pair: (pair.name, pair.subset))


def _method_text(registry: Registry, method: Mapping[str, Any]) -> str:
    """Return the description of a method, marked if it is a supervised control."""
    spec = registry.methods.items.get(method["key"])
    supervised = spec is not None and spec.capabilities.supervised
    return name_text(describe(registry.methods, method), supervised=supervised)


def _runs_of_cell(stored: Mapping[str, list[StoredRun]], cell: Cell) -> tuple[StoredRun, ...]:
    """Return the runs of a cell, without those of other versions of its method."""
    if not cell.runs:
        return ()
    runs, version = stored.get(_comparison_key(cell.runs[0]), ()), cell.runs[0].method["version"]
    return tuple(run for run in runs if run.record.spec.method["version"] == version)


def _group_runs(runs: Iterable[StoredRun]) -> dict[str, list[StoredRun]]:
    groups: dict[str, list[StoredRun]] = {}
    for run in runs:
        groups.setdefault(_comparison_key(run.record.spec), []).append(run)
    return groups


def _comparison_key(spec: RunSpec) -> str:
    """Return the fields of a spec as text, without seed, checksum and versions."""
    content = asdict(replace(spec, seed=0))
    for part, names in (("dataset", ("checksum", "version")), ("method", ("version",))):
        content[part] = {key: value for key, value in content[part].items() if key not in names}
    content["corruption"] = list(spec.corruption.items())  # their order counts
    return json.dumps(content, sort_keys=True)


def _runs_in(folder: Path) -> Iterator[StoredRun]:
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
