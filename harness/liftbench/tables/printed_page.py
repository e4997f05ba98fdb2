"""The page that lists every printed number of a suite's tables with ours beside it."""

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
from liftbench.tables.page import Page, PagePart, Table, TableCell
from liftbench.tables.verdict import RULE, Verdict
from liftbench.tables.wording import (
    by_dataset_and_split,
    caption,
    decimals_of,
    incomplete_text,
    join_words,
    method_text,
    one_setting,
    remarks,
    sentences,
    shown_text,
    signed_text,
    supervised_text,
    value_text,
)


@dataclass(frozen=True)
class PrintedPair:
    """A printed number and our entry at its position; the verdict is None without our number."""

    entry: Entry
    number: PublishedNumber
    verdict: Verdict | None


def printed_pairs(section: Section, entries: Iterable[Entry]) -> Iterator[PrintedPair]:
    """Yield a pair for each printed number of the entries."""
    for entry in entries:
        for number in entry.printed:
            yield PrintedPair(entry, number, section.verdict(entry, number))


def printed_page(board: Leaderboard) -> Page:
    """Return a page with each printed number, ours, the difference and the verdict."""
    parts = tuple(
        _part(board, section)
        for section in board.sections
        if any(entry.printed for entry in section.entries)
    )
    title = f"{board.suite.title}: printed and ours"
    return Page(f"{board.suite.name}_printed", title, parts, remarks(board))


def tally(pairs: Iterable[PrintedPair], printed: int) -> str:
    """Return how many of the `printed` numbers have ours beside them, and the verdicts' counts."""
    counts = Counter(pair.verdict.word for pair in pairs if pair.verdict)
    words = [f"{counts[word]} {word}" for word in ("within", "better", "worse") if counts[word]]
    return f"{counts.total()} of {printed}" + (f" ({join_words(*words)})" if words else "")


def _part(board: Leaderboard, section: Section) -> PagePart:
    tables = tuple(_tables(section))
    pairs = list(printed_pairs(section, section.entries))
    shown = shown_text(tables)
    legend = sentences(
        f"Printed numbers with ours beside them: {tally(pairs, len(pairs))}",
        "The difference is ours minus the paper's",
        "± is the standard deviation over seeds" if "±" in shown else "",
        RULE,
        incomplete_text(shown),
        supervised_text(shown),
    )
    return PagePart(section.protocol.identity, caption(board, section), legend, tables)


def _tables(section: Section) -> Iterator[Table]:
    common, decimals = one_setting(section.entries), decimals_of(section)
    for (dataset, split), entries in by_dataset_and_split(section).items():
        setting = one_setting(entries)
        rows = [_row(pair, decimals, named=not setting) for pair in printed_pairs(section, entries)]
        if rows:
            heading = join_words(dataset, split, "" if common else setting)
            yield Table(heading, _HEADER, tuple(rows))


_HEADER = ("method", "subset", "paper", "ours", "difference", "tolerance", "verdict", "printed in")


def _row(pair: PrintedPair, decimals: int, *, named: bool) -> tuple[TableCell, ...]:
    """Return the cells of a printed number; the column is `named` after its setting too."""
    line, number, verdict = pair.entry.line, pair.number, pair.verdict
    paper = f"{number.text} ± {number.std:g}" if number.std is not None else number.text
    return tuple(
        map(
            TableCell,
            (
                method_text(pair.entry),
                join_words(line.subset, line.setting if named else ""),
                paper,
                value_text(pair.entry, decimals),
                signed_text(verdict.difference, decimals) if verdict else "",
                f"{verdict.tolerance:.{decimals + 1}f}, {verdict.origin}" if verdict else "",
                verdict.word if verdict else _no_verdict(pair.entry),
                number.source,
            ),
        )
    )


def _no_verdict(entry: Entry) -> str:
    """Return why an entry has no verdict: it is a control, or it has no number."""
    return "none: supervised" if entry.line.value is not None else f"not run: {_why(entry)}"


def _why(entry: Entry) -> str:
    """Return in short why an entry has no number; `entry.reason` says it in full."""
    status = entry.line.status
    if status == NOT_AVAILABLE:
        return "data absent"
    if status in (NOT_RUN, PUBLISHED_ONLY):
        return entry.reason
    return f"{status.replace('_', ' ')}: {entry.reason}"
