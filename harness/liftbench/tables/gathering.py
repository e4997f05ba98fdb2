"""Gathers the stored numbers of a suite's cells and the printed ones of its tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
    Row,
    Section,
)
from liftbench.tables.data_identity import data_identities
from liftbench.tables.printed_numbers import Place, printed_numbers, sources
from liftbench.tables.wording import absent_lines, count_of

_TRANSDUCTIVE = "it reconstructs only the frames that it was fitted on"


@dataclass(frozen=True)
class _Stored:
    """A cell and the records of its runs."""

    cell: Cell
    records: tuple[RunRecord, ...]


def make_leaderboard(
    plan: Plan, store: Store, registry: Registry, published: Iterable[PublishedNumber]
) -> Leaderboard:
    """Gather the stored numbers of a plan's cells and the printed ones of its tables.

    Raises:
        UserError: a record is damaged, or a number is printed in another unit than the suite's.
    """
    records = {
        run.key: record
        for cell in plan.cells
        for run in cell.runs
        if (record := store.read(run.key))
    }
    stored = [
        _Stored(cell, tuple(records[run.key] for run in cell.runs if run.key in records))
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
        notes.extend(_cut_short(title, item.records))
        notes.extend(_left_out_notes(item, sections))
    lines.extend(_not_run(sections))
    return Leaderboard(
        plan.suite,
        tuple(sections),
        data_identities(plan.cells, registry),
        tuple(dict.fromkeys(notes)),
        tuple(dict.fromkeys(lines)),
    )


def _left_out_notes(item: _Stored, sections: Sequence[Section]) -> list[str]:
    shown = [section.protocol.identity for section in sections]
    return [
        f"{item.cell.dataset} {item.cell.subset} {split}: {text}"
        for record in item.records
        for identity, scores in record.scores.items()
        for split, score in scores.items()
        if identity in shown
        for text in _left_out(score)
    ]


def _section(
    suite: Suite,
    protocol: Protocol,
    registry: Registry,
    stored: Sequence[_Stored],
    published: Sequence[PublishedNumber],
) -> Section:
    printed = printed_numbers(suite, protocol, registry, published)
    unit = unit_of(protocol, registry)
    entries = [
        _entry(suite, protocol, unit, item, split, printed)
        for item in stored
        for split in item.cell.splits
    ]
    done = {_place(entry.row) for entry in entries}
    shown = {place[1:] for place in done}
    entries.extend(
        _printed_entry(suite, protocol, place, numbers)
        for place, numbers in printed.items()
        if place not in done and place[1:] in shown
    )
    return Section(protocol, unit, more_is_better(protocol, registry), tuple(entries))


def _place(row: Row) -> Place:
    return row.method, row.dataset, row.subset, row.split, row.setting


def _entry(
    suite: Suite,
    protocol: Protocol,
    unit: str,
    item: _Stored,
    split: str,
    printed: dict[Place, list[PublishedNumber]],
) -> Entry:
    cell, records = item.cell, item.records
    done = [r for r in records if r.status == "ok" and split in r.scores.get(protocol.identity, {})]
    scores = [r.scores[protocol.identity][split] for r in done]
    values = [score.value for score in scores]
    place = (cell.method, cell.dataset, cell.subset, split, cell.setting)
    numbers = tuple(printed.get(place, ()))
    row = Row(
        suite=suite.name,
        dataset=cell.dataset,
        subset=cell.subset,
        split=split,
        setting=cell.setting,
        method=cell.method,
        protocol=protocol.identity,
        metric=protocol.name,
        unit=unit,
        value=mean(values) if values else None,
        std=stdev(values) if len(values) > 1 else None,
        n_seeds=len(values),
        coverage=len(values) / cell.seeds,
        published=numbers[0].value if numbers else None,
        published_source=sources(numbers),
        status=_status(cell, split, records, values),
        fit_seconds=_mean([r.fit_seconds for r in done]),
        predict_seconds=_mean([r.predict_seconds for r in done]),
        key=records[0].spec.key if records else "",
    )
    lacks = [*(r.data_note for r in done), *(text for score in scores for text in _left_out(score))]
    reason = "" if values else _reason(suite, protocol, item, row.status)
    return Entry(row, numbers, reason, tuple(dict.fromkeys(filter(None, lacks))))


def _printed_entry(
    suite: Suite, protocol: Protocol, place: Place, numbers: Sequence[PublishedNumber]
) -> Entry:
    method, dataset, subset, split, setting = place
    row = Row(
        suite=suite.name,
        dataset=dataset,
        subset=subset,
        split=split,
        setting=setting,
        method=method,
        protocol=protocol.identity,
        metric=protocol.name,
        unit=numbers[0].unit,
        value=None,
        std=None,
        n_seeds=0,
        coverage=0.0,
        published=numbers[0].value,
        published_source=sources(numbers),
        status=PUBLISHED_ONLY,
        fit_seconds=None,
        predict_seconds=None,
        key="",
    )
    return Entry(row, tuple(numbers), f"suite '{suite.name}' has no such method")


def _status(cell: Cell, split: str, records: Sequence[RunRecord], values: Sequence[float]) -> str:
    if not cell.runs:
        return NOT_AVAILABLE
    bad = [record.status for record in records if record.status != "ok"]
    if bad:
        return bad[0]
    if values:
        return "ok"
    return "skipped" if records and split not in records[0].spec.evaluate else NOT_RUN


def _reason(suite: Suite, protocol: Protocol, item: _Stored, status: str) -> str:
    """Return why a cell has no number."""
    if status == NOT_AVAILABLE:
        return item.cell.reason
    if errors := [record.error for record in item.records if record.error]:
        return errors[0].splitlines()[0]
    if status == "skipped":
        return _TRANSDUCTIVE
    if item.records:
        return f"no score under {protocol.identity}; 'liftbench score {suite.name}' makes one"
    return f"no stored run; 'liftbench run {suite.name}' makes one"


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


def _cut_short(title: str, records: Sequence[RunRecord]) -> Iterator[str]:
    """Yield one line for each training that its time budget ended before its last step."""
    for record in records:
        if record.status == "ok" and record.curve and record.curve[-1][0] < record.curve[-1][1]:
            step, steps, _ = record.curve[-1]
            name = f"{title} seed {record.spec.seed}"
            yield f"{name}: its time budget ended the training near step {step} of {steps}"


def _left_out(score: Score) -> Iterator[str]:
    """Yield which frames and groups a number is not over."""
    if score.unscored:
        without = f"{score.unscored} of {score.frames + score.unscored} frames"
        yield f"{without} have nothing to be compared with"
    if score.absent:
        names = ", ".join(score.absent)
        count = len(score.groups) + len(score.absent)
        yield f"no frame of {len(score.absent)} of {count} groups: {names}"


def _not_run(sections: Iterable[Section]) -> Iterator[str]:
    """Yield one line for each reason why cells have no run of their own that could tell it."""
    silent = {
        _place(entry.row): f"{entry.row.status.replace('_', ' ')}: {entry.reason}"
        for section in sections
        for entry in section.entries
        if entry.row.status == NOT_RUN or entry.reason == _TRANSDUCTIVE
    }
    for line, count in Counter(silent.values()).items():
        yield f"{count_of(count, 'cell')} {line}"
