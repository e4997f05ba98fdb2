"""The page results/README.md: every table of the papers, and how much of it is reproduced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Literal

from liftbench.plugin.registry import Registry
from liftbench.suites.published import SENTENCES, PublishedNumber
from liftbench.tables.as_markdown import escape, markdown_table
from liftbench.tables.board import NOT_AVAILABLE, PUBLISHED_ONLY, Entry, Leaderboard
from liftbench.tables.printed_page import printed_pairs, tally
from liftbench.tables.wording import count_of

Status = Literal["complete", "partial", "not run"]

_INTRODUCTION = """\
Every table of the papers and how far our numbers go; `liftbench table --all` writes this page and
the leaderboards behind its links. A cell is a method on a subset, split and setting. Complete:
every cell that the suite asks for has a number, over all its seeds and all of the papers' data;
partial: some have; not run: none has. Printed: how many of the table's numbers stand beside ours,
and of how many ours is within the tolerance, better or worse."""

_BOARD_HEADER = ("suite", "what", "status", "cells", "lacks")
_PAPER_HEADER = ("table", *_BOARD_HEADER[:-1], "printed", "lacks")


def overview(
    boards: Sequence[Leaderboard],
    published: Sequence[PublishedNumber],
    registry: Registry,
    linked: Collection[str],
) -> str:
    """Return the page as Markdown.

    Args:
        boards: the leaderboards of all suites.
        published: the printed numbers of all papers.
        registry: holds the datasets, with the addresses to download them from.
        linked: names of the suites whose leaderboard file exists.
    """
    blocks = ["# Results", _INTRODUCTION]
    for paper, tables in _tables(published).items():
        rows = [
            row
            for table, numbers in tables.items()
            for row in _paper_rows(paper, table, numbers, boards, linked)
        ]
        blocks += [f"## {escape(paper)}", markdown_table(_PAPER_HEADER, rows)]
    if further := [board for board in boards if not board.suite.published]:
        rows = [_board_row(board, linked) for board in further]
        blocks += ["## Beyond the papers", markdown_table(_BOARD_HEADER, rows)]
    if fetch := list(_to_fetch(boards, registry)):
        blocks += ["## Data to fetch", "\n".join(fetch)]
    return "\n\n".join(blocks) + "\n"


def status_of(board: Leaderboard) -> Status:
    """Return whether all, some or none of the cells that a suite asks for have numbers."""
    wanted = _suite_entries(board)
    with_number = [entry for entry in wanted if entry.line.value is not None]
    if not with_number:
        return "not run"
    whole = len(with_number) == len(wanted) and not any(entry.incomplete for entry in with_number)
    return "complete" if whole else "partial"


def _tables(
    published: Sequence[PublishedNumber],
) -> dict[str, dict[str, list[PublishedNumber]]]:
    """Return the printed numbers by paper and table, in the order of the files."""
    papers: dict[str, dict[str, list[PublishedNumber]]] = {}
    for number in published:
        if number.table != SENTENCES:
            papers.setdefault(number.paper, {}).setdefault(number.table, []).append(number)
    return papers


def _paper_rows(
    paper: str,
    table: str,
    numbers: Sequence[PublishedNumber],
    boards: Sequence[Leaderboard],
    linked: Collection[str],
) -> Iterator[list[str]]:
    """Yield a row for each suite that reproduces a table; without one, a row that says so."""
    reproducing = [
        board
        for board in boards
        if any((p.paper, p.table) == (paper, table) for p in board.suite.published)
    ]
    for board in reproducing:
        pairs = [
            pair
            for section in board.sections
            for pair in printed_pairs(section, section.entries)
            if (pair.number.paper, pair.number.table) == (paper, table)
        ]
        *cells, lacks = _board_row(board, linked)
        yield [escape(table), *cells, tally(pairs, len(numbers)), lacks]
    if not reproducing:
        counted = tally([], len(numbers))
        yield [escape(table), "", "", "not run", "", counted, "no suite asks for it"]


def _board_row(board: Leaderboard, linked: Collection[str]) -> list[str]:
    """Return the cells that describe one suite."""
    name = escape(board.suite.name)
    wanted = _suite_entries(board)
    with_number = sum(entry.line.value is not None for entry in wanted)
    return [
        f"[{name}]({board.suite.name}/leaderboard.md)" if board.suite.name in linked else name,
        escape(board.suite.title),
        status_of(board),
        f"{with_number} of {len(wanted)}" if wanted else "",
        escape("; ".join(_lacks(board))),
    ]


def _suite_entries(board: Leaderboard) -> list[Entry]:
    """Return the entries of the suite's own methods, without skipped ones."""
    return [
        entry
        for section in board.sections
        for entry in section.entries
        if entry.line.method in board.suite.methods
        and entry.line.status not in ("skipped", PUBLISHED_ONLY)
    ]


def _lacks(board: Leaderboard) -> Iterator[str]:
    """Yield the reasons why a suite is not complete."""
    if not board.suite.methods:
        yield "no method here makes such predictions yet"
    for dataset, subsets in _absent(board).items():
        yield f"data absent: {dataset} {', '.join(subsets)}"
    counts = Counter(entry.line.status for entry in _suite_entries(board))
    for status in sorted(counts.keys() - {"ok", NOT_AVAILABLE}):
        yield f"{count_of(counts[status], 'cell')} {status.replace('_', ' ')}"
    fewer = sum(0 < entry.line.coverage < 1 for entry in _suite_entries(board))
    if fewer:
        yield f"{count_of(fewer, 'cell')} with fewer seeds than asked"
    partial: dict[tuple[str, str], dict[str, None]] = {}
    for entry in _suite_entries(board):
        for text in entry.left_out:
            partial.setdefault((entry.line.dataset, text), {})[entry.line.subset] = None
    for (dataset, text), subsets in partial.items():
        yield f"{dataset} {', '.join(subsets)}: {text}"


def _absent(board: Leaderboard) -> dict[str, dict[str, None]]:
    """Return the subsets of each dataset whose files are absent."""
    absent: dict[str, dict[str, None]] = {}
    for line in board.lines:
        if line.status == NOT_AVAILABLE:
            absent.setdefault(line.dataset, {})[line.subset] = None
    return absent


def _to_fetch(boards: Sequence[Leaderboard], registry: Registry) -> Iterator[str]:
    """Yield a line for each dataset whose files are absent although a suite needs them."""
    wanted: dict[str, dict[str, None]] = {}
    for board in boards:
        for dataset, subsets in _absent(board).items():
            wanted.setdefault(dataset, {}).update(subsets)
    for dataset, subsets in sorted(wanted.items()):
        spec = registry.datasets[dataset]
        yield (
            f"- {escape(spec.title)} ({escape(', '.join(subsets))}): "
            f"{escape(spec.info.download)}. `liftbench data info {dataset}` says how the files "
            "must lie."
        )
