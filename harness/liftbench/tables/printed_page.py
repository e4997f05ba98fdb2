"""Every printed number of a suite's tables, one a line, with ours beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from liftbench.suites.published import PublishedNumber
from liftbench.tables.board import (
    NOT_AVAILABLE,
    NOT_RUN,
    PUBLISHED_ONLY,
    Entry,
    Leaderboard,
    Section,
)
from liftbench.tables.page import Field, Page, Part, Table
from liftbench.tables.verdict import RULE, Verdict
from liftbench.tables.wording import (
    by_dataset_and_split,
    caption,
    decimals_of,
    incomplete_text,
    listed,
    one_setting,
    remarks,
    sentences,
    shown_text,
    signed,
    value_text,
)

_WHY = {NOT_AVAILABLE: "data absent", PUBLISHED_ONLY: "no such method in the suite"}


@dataclass(frozen=True)
class Beside:
    """A printed number and the entry that it stands beside; no verdict without a number of ours."""

    entry: Entry
    number: PublishedNumber
    verdict: Verdict | None


def printed_beside(section: Section, entries: Iterable[Entry]) -> Iterator[Beside]:
    """Yield each printed number of the entries."""
    for entry in entries:
        for number in entry.printed:
            yield Beside(entry, number, section.verdict(entry, number))


def printed_page(board: Leaderboard) -> Page:
    """Return the printed numbers of a suite's tables with ours, the difference and the verdict."""
    parts = tuple(
        _part(board, section)
        for section in board.sections
        if any(entry.printed for entry in section.entries)
    )
    title = f"{board.suite.title}: printed and ours"
    return Page(f"{board.suite.name}_printed", title, parts, remarks(board))


def tally(lines: Iterable[Beside], printed: int) -> str:
    """Return how many of so many `printed` numbers stand beside ours, with what verdicts."""
    counts = Counter(line.verdict.word for line in lines if line.verdict)
    words = [f"{counts[word]} {word}" for word in ("within", "better", "worse") if counts[word]]
    return f"{counts.total()} of {printed}" + (f" ({listed(*words)})" if words else "")


def _part(board: Leaderboard, section: Section) -> Part:
    tables = tuple(_tables(section))
    lines = list(printed_beside(section, section.entries))
    shown = shown_text(tables)
    legend = sentences(
        f"Printed numbers with ours beside them: {tally(lines, len(lines))}",
        "The difference is ours minus the paper's",
        "± is the standard deviation over seeds" if "±" in shown else "",
        RULE,
        incomplete_text(shown),
    )
    return Part(section.protocol.identity, caption(board, section), legend, tables)


def _tables(section: Section) -> Iterator[Table]:
    common, decimals = one_setting(section.entries), decimals_of(section)
    for (dataset, split), entries in by_dataset_and_split(section).items():
        setting = one_setting(entries)
        lines = [
            _line(line, decimals, named=not setting) for line in printed_beside(section, entries)
        ]
        if lines:
            heading = listed(dataset, split, "" if common else setting)
            yield Table(heading, _HEADER, tuple(lines))


_HEADER = ("method", "subset", "paper", "ours", "difference", "tolerance", "verdict", "printed in")


def _line(line: Beside, decimals: int, *, named: bool) -> tuple[Field, ...]:
    row, number, verdict = line.entry.row, line.number, line.verdict
    paper = f"{number.text} ± {number.std:g}" if number.std is not None else number.text
    return tuple(
        map(
            Field,
            (
                row.method,
                listed(row.subset, row.setting if named else ""),
                paper,
                value_text(line.entry, decimals),
                signed(verdict.difference, decimals) if verdict else "",
                f"{verdict.tolerance:.{decimals + 1}f}, {verdict.origin}" if verdict else "",
                verdict.word if verdict else f"not run: {_why(line.entry)}",
                number.source,
            ),
        )
    )


def _why(entry: Entry) -> str:
    """Return in short why an entry has no number; `entry.reason` has it at length."""
    status = entry.row.status
    if status in _WHY:
        return _WHY[status]
    return entry.reason if status == NOT_RUN else f"{status.replace('_', ' ')}: {entry.reason}"
