"""Gathers a suite's stored numbers and the printed numbers of its tables in a leaderboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from liftbench.plugin.registry import Registry
from liftbench.protocols.protocol import Protocol
from liftbench.runs.plan import Cell, Plan
from liftbench.runs.scoring import more_is_better, unit_of
from liftbench.runs.store import RunRecord, Score, Store
from liftbench.suites.published import PublishedNumber
from liftbench.suites.suite import Suite
from liftbench.tables.board import (
    NOT_AVAILABLE,
    NOT_RUN,
    PUBLISHED_ONLY,
    Entry,
    Leaderboard,
    Line,
    Position,
    Section,
)
from liftbench.tables.data_identity import data_identities
from liftbench.tables.printed_numbers import printed_numbers, sources
from liftbench.tables.wording import absent_lines, count_of

_TRANSDUCTIVE = "it reconstructs only the frames that it was fitted on"


@dataclass(frozen=True)
class _CellRecords:
    """A cell and the records of its runs."""

    cell: Cell
    records: tuple[RunRecord, ...]


def make_leaderboard(
    plan: Plan, store: Store, registry: Registry, published: Iterable[PublishedNumber]
) -> Leaderboard:
    """Return the leaderboard of a plan's stored runs and of the printed numbers.

    Raises:
        UserError: a record is damaged, or a printed number has a unit that its protocol lacks.
    """
    records = {
        run.key: record
        for cell in plan.cells
        for run in cell.runs
        if (record := store.read(run.key))
    }
    stored = [
        _CellRecords(cell, tuple(records[run.key] for run in cell.runs if run.key in records))
        for cell in plan.cells
    ]
    numbers = list(published)
    sections = [
        _section(plan.suite, registry.protocols[name], registry, stored, numbers)
        for name in plan.suite.protocols
    ]
    notes = [*plan.suite.notes, *plan.notes]
    lines = list(absent_lines((c.dataset, c.subset, c.reason) for c in plan.cells))
    for item in stored:
        title = plan.title(item.cell)
        lines.extend(_problems(title, item.records))
        notes.extend(_shortened_trainings(title, item.records))
        notes.extend(_left_out_notes(item, sections))
    lines.extend(_not_run(sections))
    return Leaderboard(
        plan.suite,
        tuple(sections),
        data_identities(plan.cells, registry),
        tuple(dict.fromkeys(notes)),
        tuple(dict.fromkeys(lines)),
    )


def is_control(suite: Suite, registry: Registry, row: str) -> bool:
    """Return whether the method of a row is shown the truth; the row may be outside the suite."""
    named = suite.methods.get(row)
    spec = registry.methods.items.get(named.plugin if named and named.plugin else row)
    return spec is not None and spec.capabilities.supervised


def _left_out_notes(item: _CellRecords, sections: Sequence[Section]) -> list[str]:
    shown = [section.protocol.identity for section in sections]
    return [
        f"{item.cell.dataset} {item.cell.subset} {split}: {text}"
        for record in item.records
        for identity, scores in record.scores.items()
        for split, score in scores.items()
        if identity in shown
        for text in _missing_parts(score)
    ]


def _section(
    suite: Suite,
    protocol: Protocol,
    registry: Registry,
    stored: Sequence[_CellRecords],
    published: Sequence[PublishedNumber],
) -> Section:
    printed = printed_numbers(suite, protocol, registry, published)
    controls = {c.cell.method for c in stored if is_control(suite, registry, c.cell.method)}
    source = _LineSource(suite, protocol, unit_of(protocol, registry), printed, controls)
    entries = [_entry(source, item, split) for item in stored for split in item.cell.splits]
    covered = {entry.line.position for entry in entries}
    shown = {position[1:] for position in covered}
    entries.extend(
        _printed_entry(source, position)
        for position in printed
        if position not in covered and position[1:] in shown
    )
    better = more_is_better(protocol, registry)
    return Section(protocol, source.unit, better, tuple(entries))


@dataclass(frozen=True)
class _LineSource:
    """Makes the lines of one section; `controls` are the rows whose method is shown the truth."""

    suite: Suite
    protocol: Protocol
    unit: str
    printed: Mapping[Position, Sequence[PublishedNumber]]
    controls: Collection[str]

    def scores(self, records: Iterable[RunRecord], split: str) -> list[tuple[RunRecord, Score]]:
        """Return the finished records that have a score on the split, with that score."""
        under = [(r, r.scores.get(self.protocol.identity, {})) for r in records]
        return [(r, found[split]) for r, found in under if r.status == "ok" and split in found]

    def line(
        self,
        position: Position,
        status: str,
        unit: str,
        records: Sequence[RunRecord] = (),
        seeds: int = 1,
    ) -> Line:
        """Return the line of a position: the mean over records, printed numbers, and the status.

        Args:
            position: where the numbers stand.
            status: how the runs ended.
            unit: the unit of the numbers.
            records: the stored runs of the cell.
            seeds: how many seeds the suite asks for.
        """
        numbers = self.printed.get(position, ())
        scored = self.scores(records, position.split)
        values = [score.value for _, score in scored]
        return Line(
            **position._asdict(),
            suite=self.suite.name,
            protocol=self.protocol.identity,
            metric=self.protocol.name,
            unit=unit,
            value=mean(values) if values else None,
            std=stdev(values) if len(values) > 1 else None,
            n_seeds=len(values),
            coverage=len(values) / seeds,
            published=numbers[0].value if numbers else None,
            published_source=sources(numbers),
            status=status,
            fit_seconds=_mean([record.fit_seconds for record, _ in scored]),
            predict_seconds=_mean([record.predict_seconds for record, _ in scored]),
            key=records[0].spec.key if records else "",
        )


def _entry(source: _LineSource, item: _CellRecords, split: str) -> Entry:
    """Return the entry of one split of a cell."""
    cell, records = item.cell, item.records
    scored = source.scores(records, split)
    status = _status(item, split, has_number=bool(scored))
    position = Position(cell.method, cell.dataset, cell.subset, split, cell.setting)
    line = source.line(position, status, source.unit, records, cell.seeds)
    lacks = [
        *(record.data_note for record, _ in scored),
        *(text for _, score in scored for text in _missing_parts(score)),
    ]
    reason = "" if scored else _reason(source, item, status)
    printed = tuple(source.printed.get(position, ()))
    left_out = tuple(dict.fromkeys(filter(None, lacks)))
    return Entry(line, printed, reason, left_out, cell.method in source.controls)


def _printed_entry(source: _LineSource, position: Position) -> Entry:
    """Return the entry of a row that the suite or the column lacks: printed numbers alone."""
    printed = tuple(source.printed[position])
    line = source.line(position, PUBLISHED_ONLY, printed[0].unit)
    where = " in this column" if position.method in source.suite.methods else ""
    return Entry(line, printed, f"suite '{source.suite.name}' has no such method{where}")


def _status(item: _CellRecords, split: str, *, has_number: bool) -> str:
    """Return the status of a cell on a split: that of its first run that is not ok, else `ok`."""
    if not item.cell.runs:
        return NOT_AVAILABLE
    bad = [record.status for record in item.records if record.status != "ok"]
    if bad:
        return bad[0]
    if has_number:
        return "ok"
    evaluated = [record.spec.evaluate for record in item.records]
    return "skipped" if evaluated and split not in evaluated[0] else NOT_RUN


def _reason(source: _LineSource, item: _CellRecords, status: str) -> str:
    """Return why a cell has no number."""
    if status == NOT_AVAILABLE:
        return item.cell.reason
    if errors := [record.error for record in item.records if record.error]:
        return errors[0].splitlines()[0]
    if status == "skipped":
        return _TRANSDUCTIVE
    if item.records:
        identity = source.protocol.identity
        return f"no score under {identity}; 'liftbench score {source.suite.name}' makes one"
    return f"no stored run; 'liftbench run {source.suite.name}' makes one"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if known else None


def _problems(title: str, records: Sequence[RunRecord]) -> list[str]:
    """Return one line for each run that is not ok."""
    return [
        f"{title} seed {r.spec.seed}: {r.status}: {r.error.splitlines()[0] if r.error else ''}"
        for r in records
        if r.status != "ok"
    ]


def _shortened_trainings(title: str, records: Sequence[RunRecord]) -> Iterator[str]:
    """Yield one line for each training that stopped early because its time was up."""
    for record in records:
        if record.status == "ok" and record.curve and record.curve[-1][0] < record.curve[-1][1]:
            step, steps, _ = record.curve[-1]
            name = f"{title} seed {record.spec.seed}"
            yield f"{name}: its time budget ended the training near step {step} of {steps}"


def _missing_parts(score: Score) -> Iterator[str]:
    """Yield the parts of the data that a score leaves out: unscored frames, empty groups."""
    if score.unscored:
        without = f"{score.unscored} of {score.frames + score.unscored} frames"
        yield f"{without} have nothing to be compared with"
    if score.absent:
        names = ", ".join(score.absent)
        count = len(score.groups) + len(score.absent)
        yield f"no frame of {len(score.absent)} of {count} groups: {names}"


def _not_run(sections: Iterable[Section]) -> Iterator[str]:
    """Yield one line for each reason why cells lack a number although none of their runs failed."""
    silent = {
        entry.line.position: f"{entry.line.status.replace('_', ' ')}: {entry.reason}"
        for section in sections
        for entry in section.entries
        if entry.line.status == NOT_RUN or entry.reason == _TRANSDUCTIVE
    }
    for line, count in Counter(silent.values()).items():
        yield f"{count_of(count, 'cell')} {line}"
