"""Gathers the report of a suite from its plan, its leaderboard and its stored runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from liftbench.plugin.registry import Registry
from liftbench.protocols.metrics import Metric
from liftbench.report.content import (
    Bar,
    BarChart,
    MeshGallery,
    RunSummary,
    SplitReport,
    SuiteReport,
    TrainingChart,
    TrainingCurve,
)
from liftbench.report.frames import FrameSource, PointProtocol, RunFrames
from liftbench.report.meshes import MeshSource
from liftbench.report.split_report import make_split_report
from liftbench.runs.bench import Bench
from liftbench.runs.plan import Cell, Plan
from liftbench.runs.scoring import unit_of
from liftbench.runs.store import RunRecord, RunSpec, Store, summary
from liftbench.sweeps.sweep import Sweep
from liftbench.tables import Entry, Leaderboard, Section, environments
from liftbench.tables.wording import (
    by_dataset_and_split,
    join_words,
    one_setting,
    unit_text,
)

Records = Mapping[str, RunRecord]  # by key
_CURVE_DIGITS = 5
_Points = tuple[tuple[int, float], ...]


def collect_suite(
    plan: Plan,
    board: Leaderboard,
    sweeps: tuple[Sweep, ...],
    bench: Bench,
    store: Store,
    tick: Callable[[], None],
) -> SuiteReport:
    """Return the report of a suite; its `left_out` says which predictions or data are absent.

    Args:
        plan: the suite's plan with all its cells.
        board: the suite's leaderboard.
        sweeps: the suite's numbers over its grids.
        bench: loads the data that predictions are compared with.
        store: the suite's stored runs.
        tick: called after each run of the plan.

    Raises:
        UserError: a record is damaged.
    """
    keys = (spec.key for cell in plan.cells for spec in cell.runs)
    records = {key: record for key in keys if (record := store.read(key))}
    point_protocol = _point_protocol(plan, bench.registry)
    source = FrameSource(bench, store, point_protocol) if point_protocol else None
    splits = tuple(_splits(plan, records, source, tick)) if source else ()
    mesh_source = MeshSource(bench, store, plan.suite.protocols)
    meshes = tuple(
        gallery
        for title, cells in _by_data(plan.cells).items()
        for gallery in mesh_source.galleries(title, cells, records)
    )
    return SuiteReport(
        board=board,
        methods=_methods(plan, board, bench.registry),
        bars=tuple(chart for section in board.sections for chart in _bar_charts(section)),
        sweeps=sweeps,
        splits=splits,
        meshes=meshes,
        trainings=tuple(_training_charts(plan, records, bench.registry)),
        planned=sum(len(cell.runs) for cell in plan.cells),
        runs=tuple(_runs(plan, records)),
        environments=tuple(environments(store)),
        left_out=_left_out(source, mesh_source, meshes),
    )


_NOTHING_COMPARED = (
    "Error distributions and reconstructions: no protocol of the suite compares points in space."
)


def _point_protocol(plan: Plan, registry: Registry) -> PointProtocol | None:
    """Return the suite's first protocol that compares 3D points; None if none does."""
    for name in plan.suite.protocols:
        protocol = registry.protocols[name]
        metric = registry.metrics[protocol.metric]
        if isinstance(metric, Metric):
            return PointProtocol(protocol, metric, unit_of(protocol, registry))
    return None


def _methods(plan: Plan, board: Leaderboard, registry: Registry) -> dict[str, str]:
    """Return a description of each method in the tables; empty if it is not in the suite."""
    descriptions = {}
    for key in dict.fromkeys(line.method for line in board.lines):
        row = plan.suite.methods.get(key)
        spec = registry.methods.items.get((row and row.plugin) or key)
        params = row.params.items() if row else ()
        given = ", ".join(f"{name}={value}" for name, value in params)
        parts = [spec.title, spec.reference, given] if spec else []
        descriptions[key] = "; ".join(filter(None, parts))
    return descriptions


def _bar_charts(section: Section) -> Iterator[BarChart]:
    for dataset_and_split, entries in by_dataset_and_split(section).items():
        named = not one_setting(entries)
        bars = tuple(bar for entry in entries if (bar := _bar(entry, named=named)))
        if bars:
            yield BarChart(
                join_words(*dataset_and_split),
                f"{section.protocol.identity} ({unit_text(section)})",
                bars,
            )


def _bar(entry: Entry, *, named: bool) -> Bar | None:
    """Return our number beside the printed one, or None if either is missing.

    With `named`, the column's name has its setting too.
    """
    line = entry.line
    if line.value is None or line.published is None:
        return None
    column = join_words(line.subset, line.setting if named else "")
    return Bar(line.method, column, line.value, line.std, line.published, line.published_source)


def _by_data(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    """Return the cells of each column, by the column's title."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(join_words(cell.dataset, cell.subset, cell.setting), []).append(cell)
    return groups


def _splits(
    plan: Plan, records: Records, source: FrameSource, tick: Callable[[], None]
) -> Iterator[SplitReport]:
    for title, cells in _by_data(plan.cells).items():
        found: dict[str, dict[str, list[tuple[RunSpec, RunFrames]]]] = {}
        # All of these runs saw the same data, which is loaded once.
        load = cache(lambda split, cells=cells: source.bench.load(cells[0].runs[0], split))
        for cell, spec in _runs_of(cells):
            record = records.get(spec.key)
            frames = (
                source.read(record, load, _teacher_of(record, records))
                if record and record.status == "ok"
                else {}
            )
            for split, of_run in frames.items():
                found.setdefault(split, {}).setdefault(cell.method, []).append((spec, of_run))
            tick()
        for split, of_methods in found.items():
            yield make_split_report(join_words(title, split), source.point_protocol, of_methods)


def _left_out(
    source: FrameSource | None, mesh_source: MeshSource, meshes: tuple[MeshGallery, ...]
) -> tuple[str, ...]:
    frames = source.left_out if source else () if meshes else (_NOTHING_COMPARED,)
    return (*frames, *mesh_source.left_out)


def _teacher_of(record: RunRecord, records: Records) -> RunRecord | None:
    """Return the teacher's run on the data of a student; None if it has no row there.

    Runs on other data may share the fit of the teacher, see `RunSpec.fit_dataset`.
    """
    fits = {teacher["fit"] for teacher in record.teachers}
    found = (
        other
        for other in records.values()
        if other.status == "ok"
        and other.spec.fit_key in fits
        and other.spec.dataset == record.spec.dataset
    )
    return next(found, None)


def _runs_of(cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSpec]]:
    return ((cell, spec) for cell in cells for spec in cell.runs)


def _training_charts(plan: Plan, records: Records, registry: Registry) -> Iterator[TrainingChart]:
    """Yield the losses of each column, then its errors over training by protocol and split."""
    for title, cells in _by_data(plan.cells).items():
        found: dict[tuple[str, str], list[TrainingCurve]] = {}
        for cell, spec in _runs_of(cells):
            record = records.get(spec.key)
            for split, quantity, points in _curves(record, registry) if record else ():
                curve = TrainingCurve(cell.method, spec.seed, points)
                found.setdefault((split, quantity), []).append(curve)
        for (split, quantity), curves in found.items():
            yield TrainingChart(join_words(title, split), quantity, tuple(curves))


def _curves(record: RunRecord, registry: Registry) -> Iterator[tuple[str, str, _Points]]:
    """Yield split, quantity and points of each curve of a run; a loss has no split."""
    if record.curve:
        yield "", "loss", _round((step, loss) for step, _, loss in record.curve)
    for identity, splits in record.error_curve.items():
        unit = unit_of(registry.protocols[identity.split("@")[0]], registry)
        for split, points in splits.items():
            yield split, f"{identity} ({unit})", _round(points)


def _round(points: Iterable[tuple[int, float]]) -> _Points:
    return tuple((step, float(f"{value:.{_CURVE_DIGITS}g}")) for step, value in points)


def _runs(plan: Plan, records: Records) -> Iterator[RunSummary]:
    for title, cells in _by_data(plan.cells).items():
        for cell, spec in _runs_of(cells):
            if record := records.get(spec.key):
                yield RunSummary(
                    cell.method,
                    title,
                    spec.seed,
                    record.status,
                    summary(record),
                    record.fit_seconds,
                    record.predict_seconds,
                    record.peak_memory_mib,
                    spec.key,
                )
