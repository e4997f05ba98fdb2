"""From a suite to the cells and runs that it asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from liftbench.errors import DataMissingError, UserError, require_known
from liftbench.plugin.registry import Registry
from liftbench.plugin.specs import DatasetAdapter, DatasetSpec, MethodSpec
from liftbench.runs.method_params import (
    jsonable,
    make_method_params,
    method_of_run,
    teachers_of_run,
)
from liftbench.runs.store import RunRecord, RunSpec
from liftbench.suites.grids import unfold
from liftbench.suites.suite import Suite, SuiteData, SuiteMethod, make_params


@dataclass(frozen=True)
class Selection:
    """The part of a suite that the user chose; None means all of it."""

    methods: Collection[str] | None = None
    datasets: Collection[str] | None = None
    subsets: Collection[str] | None = None
    seeds: int | None = None


@dataclass(frozen=True)
class Cell:
    """One row in one column: a run for each seed.

    Attributes:
        method: the row's key in the suite.
        dataset: key of the dataset.
        subset: name of the subset.
        setting: what distinguishes columns of the same subset.
        fit: the split that the method learns from.
        splits: the splits that the table shows.
        runs: the spec of each seed; empty where the data is absent.
        seeds: how many seeds the suite asks for.
        reason: why there is no run.
    """

    method: str
    dataset: str
    subset: str
    setting: str
    fit: str
    splits: tuple[str, ...]
    runs: tuple[RunSpec, ...]
    seeds: int
    reason: str = ""


@dataclass(frozen=True)
class Plan:
    """All cells of a suite; `notes` say how files differ from the papers' sets."""

    suite: Suite
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]

    def title(self, cell: Cell) -> str:
        """Return the names of a cell's row and column, with the setting if the plan has several."""
        several = len({other.setting for other in self.cells}) > 1
        setting = [cell.setting] if several and cell.setting else []
        return " ".join([cell.method, cell.dataset, cell.subset, *setting])


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
        selection: the part that the user chose.
        stored: records of the suite's store. A method that is in these records but not in the suite
            gets a row; where files are absent, the records give the checksum of the data.

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
    suite = unfold(suite, registry)
    for name in suite.protocols:  # an unknown metric is an error before anything runs
        registry.metrics[registry.protocols[name].metric]
    ran = {record.spec.method["key"] for record in stored} & set(registry.methods.items)
    methods = _methods(suite, registry, selection, ran)
    _check_selected(suite, selection)
    every = [
        _column(registry, suite, data, subset) for data in suite.data for subset in data.subsets
    ]
    columns = [
        _with_data(registry, root, column, stored)
        for column in _distinct(every)
        if (selection.datasets is None or column.dataset["key"] in selection.datasets)
        and (selection.subsets is None or column.dataset["subset"] in selection.subsets)
    ]
    rows = [_row(registry, root, label, row, stored) for label, row in methods.items()]
    cells = [
        _cell(registry, column, row, selection.seeds, stored)
        for column in columns
        for row in rows
        if column.methods is None or row.label in column.methods or row.label not in suite.methods
    ]
    notes = dict.fromkeys(
        f"{column.dataset['key']} {column.dataset['subset']}: {column.note}"
        for column in columns
        if column.available and column.note
    )
    return Plan(suite, tuple(cells), tuple(notes))


@dataclass(frozen=True)
class _Column:
    """A subset under one setting; its runs have this `dataset` and `corruption` in their specs.

    `dataset` has a checksum once the data is found. `note` says how the data differs from the
    papers' set, or why it is absent. `methods` are the suite's rows that the column has, None for
    all; rows outside the suite, such as the baselines, are in every column.
    """

    dataset: dict[str, Any]
    corruption: tuple[tuple[str, dict[str, Any]], ...]  # not a dict: == must compare the order too
    setting: str
    fit: str
    evaluate: tuple[str, ...]
    seeds: int
    note: str = ""
    fit_dataset: dict[str, Any] = field(default_factory=dict)
    methods: tuple[str, ...] | None = None

    @property
    def available(self) -> bool:
        """Whether the data is there."""
        return "checksum" in self.dataset


def make_adapter(registry: Registry, dataset: str, params: dict[str, Any]) -> DatasetAdapter:
    """Return a dataset's adapter with its parameters set."""
    spec = registry.datasets[dataset]
    checked = make_params(f"dataset '{dataset}'", spec.params, params)
    return spec.make(**vars(checked))


def adapter_of_run(registry: Registry, dataset: Mapping[str, Any]) -> DatasetAdapter:
    """Return the adapter of the data of a run, given `dataset` of its spec."""
    added = registry.datasets[dataset["key"]].added_params
    return make_adapter(registry, dataset["key"], {**added, **dataset["params"]})


def _dataset_of_run(spec: DatasetSpec, given: dict[str, Any], subset: str) -> dict[str, Any]:
    """Return the entry of a dataset in a run's spec, without parameters that came later."""
    params = asdict(make_params(f"dataset '{spec.key}'", spec.params, given))
    kept = {
        name: value
        for name, value in jsonable(params).items()
        if name not in spec.added_params or value != jsonable(spec.added_params)[name]
    }
    return {"key": spec.key, "version": spec.version, "params": kept, "subset": subset}


def _methods(
    suite: Suite, registry: Registry, selection: Selection, extra: Collection[str]
) -> dict[str, SuiteMethod]:
    """Return all rows by their label: baselines, then the suite's, then `extra` methods.

    A selection keeps some of these and may add any registered method.
    """
    floor = [key for key, spec in registry.methods.items.items() if spec.floor]
    used = {row.plugin or label for label, row in suite.methods.items()}
    rows = {key: SuiteMethod() for key in floor if key not in suite.methods}
    rows |= suite.methods
    rows |= {key: SuiteMethod() for key in sorted(extra) if key not in used | set(floor)}
    if selection.methods is not None:
        known = {**{key: SuiteMethod() for key in registry.methods.items}, **rows}
        for name in selection.methods:
            require_known("method", name, known)
        rows = {name: row for name, row in known.items() if name in selection.methods}
    for label, row in rows.items():
        spec = registry.methods[row.plugin or label]
        make_method_params(f"method '{label}'", spec, row.params)
    return rows


def _check_selected(suite: Suite, selection: Selection) -> None:
    datasets = {data.dataset for data in suite.data}
    subsets = {subset for data in suite.data for subset in data.subsets}
    for kind, chosen, known in (
        ("dataset", selection.datasets, datasets),
        ("subset", selection.subsets, subsets),
    ):
        for name in chosen or ():
            require_known(f"{kind} in suite '{suite.name}'", name, known)


def _column(registry: Registry, suite: Suite, data: SuiteData, subset: str) -> _Column:
    spec = registry.datasets[data.dataset]
    for split in (data.fit, *data.evaluate):
        require_known(f"split of dataset '{spec.key}'", split, spec.splits)
    other = None if data.fit_subset in (None, subset) else data.fit_subset
    return _Column(
        dataset=_dataset_of_run(spec, data.params, subset),
        fit_dataset=_dataset_of_run(spec, data.params, other) if other else {},
        corruption=tuple(_corruptions(registry, data.corruption)),
        setting=suite.setting if data.setting is None else data.setting,
        fit=data.fit,
        evaluate=data.evaluate,
        seeds=data.seeds,
        methods=data.methods,
    )


def _corruptions(
    registry: Registry, wanted: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the key of each corruption that changes something, and its entry in a run's spec.

    A corruption that changes nothing has no entry, so that a run on clean data has the same key
    however a suite describes it. An entry names a stage only if no other stage sees the corruption.
    """
    for key, given in wanted.items():
        spec = registry.corruptions[key]
        params = make_params(f"corruption '{key}'", spec.params, given)
        if spec.is_clean(params):
            continue
        content = jsonable(asdict(params))
        stage = content.pop("stage")
        entry = {"version": spec.version, "params": content}
        yield key, entry if stage == "both" else {**entry, "stage": stage}


def _distinct(columns: Iterable[_Column]) -> Iterable[_Column]:
    """Return each column once; refuse different columns that a table would show under one name."""
    places: dict[tuple[str, str, str], _Column] = {}
    for column in columns:
        place = (column.dataset["key"], column.dataset["subset"], column.setting)
        if places.setdefault(place, column) != column:
            raise UserError(
                f"{place[0]} {place[1]}: two columns that differ in what they run have the setting "
                f"'{column.setting}'; give each its own 'setting' under 'data'"
            )
    return places.values()


def _with_data(
    registry: Registry, root: Path, column: _Column, stored: Collection[RunRecord]
) -> _Column:
    """Return the column with the checksum of its data, or with the reason why it is absent."""
    found, note = _found_data(
        registry, root, column.dataset, [(r.spec.dataset, r.data_note) for r in stored]
    )
    complete = replace(column, dataset=found, note=note)
    if not column.fit_dataset or not complete.available:
        return complete
    entries = [(r.spec.fit_dataset, r.data_note) for r in stored]
    of_fit, reason = _found_data(registry, root, column.fit_dataset, entries)
    if "checksum" not in of_fit:
        return replace(column, note=reason)
    return replace(complete, fit_dataset=of_fit)


def _found_data(
    registry: Registry,
    root: Path,
    named: dict[str, Any],
    stored: Collection[tuple[Mapping[str, Any], str]],
) -> tuple[dict[str, Any], str]:
    """Return named data with its checksum and its note, or without, and the reason.

    Args:
        registry: where datasets are looked up.
        root: the data root.
        named: the entry of the data in a run's spec, without a checksum.
        stored: entries of stored runs, with their notes, for data that is absent.
    """
    adapter = adapter_of_run(registry, named)
    try:
        checksum = adapter.checksum(root, named["subset"])
        note = adapter.note(root, named["subset"])
    except DataMissingError as error:
        same = [
            (entry["checksum"], note)
            for entry, note in stored
            if all(entry.get(name) == value for name, value in named.items())
        ]
        if len({checksum for checksum, _ in same}) != 1:
            # A table is for all machines, so it names no folder of this one.
            return named, str(error).replace(str(root), "DATA_ROOT")
        checksum, note = same[-1]
    return {**named, "checksum": checksum}, note


@dataclass(frozen=True)
class _Row:
    """A method with its parameters; its runs have this `extra` in their specs.

    `absent` says why the extra data is not there, empty if it is or if there is none.
    """

    label: str
    spec: MethodSpec
    params: dict[str, Any]
    extra: dict[str, Any]
    absent: str = ""


def _row(
    registry: Registry,
    root: Path,
    label: str,
    row: SuiteMethod,
    stored: Collection[RunRecord],
) -> _Row:
    spec = registry.methods[row.plugin or label]
    if row.extra is None:
        return _Row(label, spec, row.params, {})
    if not spec.capabilities.extra:
        raise UserError(f"method '{label}': it learns from no extra data; remove 'extra'")
    dataset = registry.datasets[row.extra.dataset]
    require_known(f"split of dataset '{dataset.key}'", row.extra.split, dataset.splits)
    named = {
        **_dataset_of_run(dataset, row.extra.params, row.extra.subset),
        "split": row.extra.split,
    }
    found, note = _found_data(registry, root, named, [(r.spec.extra, "") for r in stored])
    return _Row(label, spec, row.params, found, "" if "checksum" in found else note)


def _cell(
    registry: Registry,
    column: _Column,
    row: _Row,
    seeds: int | None,
    stored: Collection[RunRecord],
) -> Cell:
    first = _first_run(registry, row, column)
    count = seeds or _seeds(first, column, stored) if row.spec.capabilities.seeded else 1
    available = column.available and not row.absent
    return Cell(
        method=row.label,
        dataset=column.dataset["key"],
        subset=column.dataset["subset"],
        setting=column.setting,
        fit=column.fit,
        splits=column.evaluate,
        runs=tuple(replace(first, seed=seed) for seed in range(count) if available),
        seeds=count,
        reason="" if available else row.absent or column.note,
    )


def _seeds(first: RunSpec, column: _Column, stored: Collection[RunRecord]) -> int:
    """Return how many seeds to show: those that the suite asks for, or more if more are stored."""
    ran = [r.spec.seed + 1 for r in stored if replace(r.spec, seed=first.seed) == first]
    return max([column.seeds, *ran])


def _first_run(registry: Registry, row: _Row, column: _Column) -> RunSpec:
    # A transductive method cannot predict frames that it was not fitted to.
    evaluate = (column.fit,) if row.spec.capabilities.transductive else column.evaluate
    method = method_of_run(row.spec, row.params)
    return RunSpec(
        dataset=column.dataset,
        fit=column.fit,
        evaluate=evaluate,
        method=method,
        seed=0,
        corruption=dict(column.corruption),
        teachers=teachers_of_run(registry, row.spec, method["params"]),
        extra=row.extra,
        fit_dataset=column.fit_dataset,
    )
