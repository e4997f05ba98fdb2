"""Turns a suite into the runs that it asks for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from liftbench.errors import DataMissingError, UserError, unknown_name
from liftbench.registry import Registry
from liftbench.specs import DatasetAdapter, MethodSpec
from liftbench.store import RunRecord, RunSpec
from liftbench.suites import Suite, SuiteData, SuiteMethod, checked_params


@dataclass(frozen=True)
class Selection:
    """The part of a suite that was asked for; None means all of it."""

    methods: Collection[str] | None = None
    datasets: Collection[str] | None = None
    subsets: Collection[str] | None = None
    seeds: int | None = None


@dataclass(frozen=True)
class Cell:
    """One method on one subset: a run for each seed.

    Attributes:
        method: the row's key in the suite.
        dataset: key of the dataset.
        subset: name of the subset.
        fit: split that is learned from.
        splits: splits that the table shows.
        runs: one spec a seed; empty where the data is absent.
        seeds: how many seeds the suite asks for.
        reason: why there is no run.
    """

    method: str
    dataset: str
    subset: str
    fit: str
    splits: tuple[str, ...]
    runs: tuple[RunSpec, ...]
    seeds: int
    reason: str = ""


@dataclass(frozen=True)
class Plan:
    """All cells of a suite, and what the datasets say of their files."""

    suite: Suite
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]


def make_plan(
    suite: Suite,
    registry: Registry,
    root: Path,
    selection: Selection,
    stored: Collection[RunRecord] = (),
) -> Plan:
    """Return the cells of the selected part of a suite.

    Args:
        suite: what to plan.
        registry: where its names are looked up.
        root: the data root.
        selection: the part that was asked for.
        stored: records of the suite's store; a method that the suite does not name gets a row for
            them, and where files are absent they still say which data their numbers are of.

    Raises:
        UserError: a name in the suite or the selection is unknown, or the data is damaged.
    """
    try:
        return _plan(suite, registry, root, selection, stored)
    except UserError as error:
        raise UserError(f"suite '{suite.name}': {error}") from error


def _plan(
    suite: Suite,
    registry: Registry,
    root: Path,
    selection: Selection,
    stored: Collection[RunRecord],
) -> Plan:
    protocol = registry.protocols[suite.protocol]
    registry.metrics[protocol.metric]  # an unknown metric is told before anything runs
    ran = {record.spec.method["key"] for record in stored} & set(registry.methods.items)
    methods = _methods(suite, registry, selection, ran)
    _check_selected(suite, selection)
    columns = [
        _column(registry, data, root, subset, stored)
        for data in suite.data
        for subset in data.subsets
        if (selection.datasets is None or data.dataset in selection.datasets)
        and (selection.subsets is None or subset in selection.subsets)
    ]
    cells = [
        _cell(registry, column, label, row, selection.seeds, stored)
        for column in columns
        for label, row in methods.items()
    ]
    notes = [
        f"{column.data.dataset} {column.subset}: {column.found}"
        for column in columns
        if column.identity and column.found
    ]
    return Plan(suite, tuple(cells), tuple(notes))


@dataclass(frozen=True)
class _Column:
    """A subset with what identifies its data (empty where absent) and what was found."""

    data: SuiteData
    subset: str
    identity: dict[str, Any]
    found: str


def make_adapter(registry: Registry, dataset: str, params: dict[str, Any]) -> DatasetAdapter:
    """Return a dataset's adapter with its parameters set."""
    spec = registry.datasets[dataset]
    checked = checked_params(f"dataset '{dataset}'", spec.params, params)
    return spec.make(**vars(checked))


def _methods(
    suite: Suite, registry: Registry, selection: Selection, extra: Collection[str]
) -> dict[str, SuiteMethod]:
    """Return the floor, the suite's rows and the extra ones; a selection may add any method."""
    floor = [key for key, spec in registry.methods.items.items() if spec.floor]
    used = {row.plugin or label for label, row in suite.methods.items()}
    rows = {key: SuiteMethod() for key in floor if key not in suite.methods}
    rows |= suite.methods
    rows |= {key: SuiteMethod() for key in sorted(extra) if key not in used | set(floor)}
    if selection.methods is not None:
        known = {**{key: SuiteMethod() for key in registry.methods.items}, **rows}
        for name in selection.methods:
            if name not in known:
                raise unknown_name("method", name, known)
        rows = {name: row for name, row in known.items() if name in selection.methods}
    for label, row in rows.items():
        spec = registry.methods[row.plugin or label]
        checked_params(f"method '{label}'", spec.params, row.params)
    return rows


def _check_selected(suite: Suite, selection: Selection) -> None:
    datasets = {data.dataset for data in suite.data}
    subsets = {subset for data in suite.data for subset in data.subsets}
    for kind, chosen, known in (
        ("dataset", selection.datasets, datasets),
        ("subset", selection.subsets, subsets),
    ):
        for name in chosen or ():
            if name not in known:
                raise unknown_name(f"{kind} in suite '{suite.name}'", name, known)


def _column(
    registry: Registry, data: SuiteData, root: Path, subset: str, stored: Collection[RunRecord]
) -> _Column:
    spec = registry.datasets[data.dataset]
    for split in (data.fit, *data.evaluate):
        if split not in spec.splits:
            raise unknown_name(f"split of dataset '{spec.key}'", split, spec.splits)
    params = checked_params(f"dataset '{spec.key}'", spec.params, data.params)
    named = {
        "key": spec.key,
        "version": spec.version,
        "params": _jsonable(asdict(params)),
        "subset": subset,
    }
    adapter = make_adapter(registry, data.dataset, data.params)
    try:
        identity = {**named, "checksum": adapter.checksum(root, subset)}
        return _Column(data, subset, identity, adapter.note(root, subset))
    except DataMissingError as error:
        same = [
            record
            for record in stored
            if all(record.spec.dataset.get(name) == value for name, value in named.items())
        ]
        sums = {record.spec.dataset["checksum"] for record in same}
        if len(sums) != 1:
            # A table is for all machines, so it names no folder of this one.
            reason = str(error).replace(str(root), "DATA_ROOT")
            return _Column(data, subset, {}, reason)
        identity = {**named, "checksum": sums.pop()}
        return _Column(data, subset, identity, same[-1].data_note)


def _cell(
    registry: Registry,
    column: _Column,
    label: str,
    row: SuiteMethod,
    seeds: int | None,
    stored: Collection[RunRecord],
) -> Cell:
    spec, data = registry.methods[row.plugin or label], column.data
    if not spec.capabilities.seeded:
        seeds = 1
    elif seeds is None:
        # More seeds than the suite asks for may have been run; none of them is left out.
        ran = [
            record.spec.seed + 1
            for record in stored
            if record.spec.method["key"] == spec.key and record.spec.dataset == column.identity
        ]
        seeds = max([data.seeds, *ran])
    return Cell(
        method=label,
        dataset=data.dataset,
        subset=column.subset,
        fit=data.fit,
        splits=data.evaluate,
        runs=tuple(
            _run(spec, row, data, column.identity, seed) for seed in range(seeds) if column.identity
        ),
        seeds=seeds,
        reason="" if column.identity else column.found,
    )


def _run(
    spec: MethodSpec, row: SuiteMethod, data: SuiteData, identity: dict[str, Any], seed: int
) -> RunSpec:
    params = checked_params(f"method '{spec.key}'", spec.params, row.params)
    # A transductive method has nothing to say of frames that it was not fitted on.
    evaluate = (data.fit,) if spec.capabilities.transductive else data.evaluate
    return RunSpec(
        dataset=identity,
        fit=data.fit,
        evaluate=evaluate,
        method={"key": spec.key, "version": spec.version, "params": _jsonable(asdict(params))},
        seed=seed,
    )


def _jsonable(params: dict[str, Any]) -> dict[str, Any]:
    """Return parameters as they come back from JSON, so that a key survives the store."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in params.items()}
