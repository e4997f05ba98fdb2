"""The page of a leaderboard: methods by columns, a table for each dataset and split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from liftbench.tables.board import (
    NOT_AVAILABLE,
    PUBLISHED_ONLY,
    Entry,
    Leaderboard,
    Section,
)
from liftbench.tables.page import Page, PagePart, Rank, Table, TableCell
from liftbench.tables.verdict import RULE
from liftbench.tables.wording import (
    ABSENT,
    INCOMPLETE,
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

_SHORT = {PUBLISHED_ONLY: "", NOT_AVAILABLE: ABSENT}

_Column = Mapping[str, Entry]  # by method
_Cells = dict[str, TableCell]  # by method


@dataclass(frozen=True)
class _Style:
    """How to show the numbers of a section.

    Attributes:
        section: the section that is shown.
        decimals: digits after the point.
        seeds: the number of seeds behind every standard deviation; None if it differs between
            entries, and then each number shows its own.
    """

    section: Section
    decimals: int
    seeds: int | None


def leaderboard_page(board: Leaderboard) -> Page:
    """Return the page of a leaderboard.

    A setting is named in the caption, the table's heading or the column's name: the first of these
    for which it is the only setting. Columns of absent data have only printed numbers, which get a
    separate table.
    """
    return Page(
        board.suite.name,
        board.suite.title,
        tuple(_part(board, section) for section in board.sections),
        remarks(board),
    )


def ranks_of(values: dict[str, float], *, more_is_better: bool) -> dict[str, Rank]:
    """Return the rank of each name: 1 for the best value, 2 if only one name is better, else 0."""
    in_order = sorted(values.values(), reverse=more_is_better)
    ranks: dict[int, Rank] = {0: 1, 1: 2}
    return {name: ranks.get(in_order.index(value), 0) for name, value in values.items()}


def _part(board: Leaderboard, section: Section) -> PagePart:
    style = _style_of(section)
    tables = tuple(
        table
        for (dataset, split), entries in by_dataset_and_split(section).items()
        for table in _tables(style, join_words(dataset, split), entries)
    )
    shown = shown_text(tables)
    legend = sentences(
        "The best of ours is bold, the second best in italics" if _any_ranked(tables) else "",
        f"{ABSENT}: the data is absent" if ABSENT in shown else "",
        f"± is the standard deviation over {style.seeds or 'n'} seeds" if "±" in shown else "",
        incomplete_text(shown),
        supervised_text(shown),
        "(p …) is the number that the paper prints, our difference from it and whether ours is "
        f"within the tolerance, better or worse. {RULE}"
        if "(p " in shown
        else "",
        _printed_alone_text(board, section),
    )
    return PagePart(section.protocol.identity, caption(board, section), legend, tables)


def _printed_alone_text(board: Leaderboard, section: Section) -> str:
    """Return why some methods have printed numbers alone, if any have."""
    alone = {e.line.method for e in section.entries if e.line.status == PUBLISHED_ONLY}
    where = "column of the suite" if alone & board.suite.methods.keys() else "suite"
    return f"A method with printed numbers alone is not in the {where}" if alone else ""


def _any_ranked(tables: Iterable[Table]) -> bool:
    return any(cell.rank for table in tables for row in table.rows for cell in row)


def _tables(style: _Style, title: str, entries: Sequence[Entry]) -> Iterator[Table]:
    """Yield the table of columns that have data, then that of printed numbers of absent data."""
    same_setting = len({entry.line.setting for entry in entries}) == 1
    heading = join_words(title, "" if one_setting(style.section.entries) else one_setting(entries))
    columns = _columns(entries, named=not same_setting)
    names = {entry.line.method: method_text(entry) for entry in entries}
    here = {name: column for name, column in columns.items() if not _is_absent(column)}
    printed = {
        name: {m: TableCell(e.printed[0].text) for m, e in column.items() if e.printed}
        for name, column in columns.items()
        if name not in here and any(entry.printed for entry in column.values())
    }
    if here or not printed:
        cells = {name: _ranked_cells(style, column) for name, column in (here or columns).items()}
        if same_setting and len(here) > 1:
            cells |= _mean_column(style, here.values(), len(columns))
        yield _table(heading, cells, names)
    if printed:
        yield _table(f"{heading}: data absent, printed numbers alone", printed, names)


def _columns(entries: Iterable[Entry], *, named: bool) -> dict[str, dict[str, Entry]]:
    """Return the entries by column and method; columns are `named` after their setting too."""
    columns: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        name = join_words(entry.line.subset, entry.line.setting if named else "")
        columns.setdefault(name, {})[entry.line.method] = entry
    return columns


def _is_absent(column: _Column) -> bool:
    return all(e.line.status in (NOT_AVAILABLE, PUBLISHED_ONLY) for e in column.values())


def _table(heading: str, columns: Mapping[str, _Cells], names: Mapping[str, str]) -> Table:
    """Return the table of some columns, with a row for each method under its name."""
    methods = dict.fromkeys(method for cells in columns.values() for method in cells)
    rows = tuple(
        (TableCell(names[method]), *(cells.get(method, TableCell()) for cells in columns.values()))
        for method in methods
    )
    return Table(heading, ("method", *columns), rows)


def _style_of(section: Section) -> _Style:
    """Return how to show the numbers of a section."""
    counts = {line.n_seeds for line in section.lines if line.std is not None}
    return _Style(section, decimals_of(section), counts.pop() if len(counts) == 1 else None)


def _ranked_cells(style: _Style, column: _Column) -> _Cells:
    """Return the cell of each method in a column."""
    values = {
        method: round(entry.line.value, style.decimals)  # numbers that look equal get equal ranks
        for method, entry in column.items()
        if entry.line.value is not None and not entry.supervised
    }
    ranks = ranks_of(values, more_is_better=style.section.more_is_better)
    return {
        method: TableCell(
            value_text(entry, style.decimals)
            or _SHORT.get(entry.line.status, entry.line.status.replace("_", " ")),
            "\n".join(filter(None, (_seeds(style, entry), _printed_text(style, entry)))),
            ranks.get(method, 0),
        )
        for method, entry in column.items()
    }


def _seeds(style: _Style, entry: Entry) -> str:
    """Return the number of seeds behind a number, if it is unusual or smaller than it should be."""
    line = entry.line
    if line.value is None:
        return ""
    if line.coverage < 1:
        others = "" if line.status == "ok" else f", {line.status.replace('_', ' ')}"
        return f"({line.n_seeds} of {round(line.n_seeds / line.coverage)} seeds{others})"
    return "" if line.std is None or line.n_seeds == style.seeds else f"(n={line.n_seeds})"


def _printed_text(style: _Style, entry: Entry) -> str:
    """Return the first printed number with the difference and the verdict of ours."""
    if not entry.printed:
        return ""
    first = entry.printed[0]
    verdict = style.section.verdict(entry, first)
    if verdict is None:
        return f"(p {first.text})"
    return f"(p {first.text}, {signed_text(verdict.difference, style.decimals)} {verdict.word})"


def _mean_column(style: _Style, columns: Iterable[_Column], total: int) -> dict[str, _Cells]:
    """Return the column with each method's mean over all columns, under its name.

    The result is empty if no entry has a number. The column says how many of the `total` columns
    its means cover. Means are ranked only if all methods have numbers in the same columns.
    """
    found: dict[str, dict[int, Entry]] = {}
    for index, column in enumerate(columns):
        for method, entry in column.items():
            if entry.line.value is not None:
                found.setdefault(method, {})[index] = entry
    if not found:
        return {}
    same = len({tuple(entries) for entries in found.values()}) == 1
    controls = {m for m, es in found.items() if any(e.supervised for e in es.values())}
    means = {
        method: round(
            mean(e.line.value for e in entries.values() if e.line.value is not None), style.decimals
        )
        for method, entries in found.items()
    }
    ranked = {method: value for method, value in means.items() if method not in controls}
    ranks = ranks_of(ranked, more_is_better=style.section.more_is_better) if same else {}
    cells = {}
    for method, entries in found.items():
        fewer = len(entries) < total
        mark = INCOMPLETE if fewer or any(e.incomplete for e in entries.values()) else ""
        count = f"({len(entries)} of {total})" if fewer and not same else ""
        text = f"{means[method]:.{style.decimals}f}{mark}"
        cells[method] = TableCell(text, count, ranks.get(method, 0))
    covered = len(next(iter(found.values())))
    return {f"mean of {covered} of {total}" if same and covered < total else "mean": cells}
