"""One page with every printed table of the papers and how far ours go: results/README.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Literal

from liftbench.plugin.registry import Registry
from liftbench.suites.published import SENTENCES, PublishedNumber
from liftbench.tables.as_markdown import escaped, markdown_table
from liftbench.tables.board import NOT_AVAILABLE, PUBLISHED_ONLY, Entry, Leaderboard
from liftbench.tables.printed_page import printed_beside, tally
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
        published: the numbers of all papers.
        registry: says where data is to be had.
        linked: names of the suites that have a leaderboard file.
    """
    blocks = ["# Results", _INTRODUCTION]
    for paper, tables in _tables(published).items():
        lines = [
            line
            for table, numbers in tables.items()
            for line in _paper_lines(paper, table, numbers, boards, linked)
        ]
        blocks += [f"## {escaped(paper)}", markdown_table(_PAPER_HEADER, lines)]
    if further := [board for board in boards if not board.suite.published]:
        lines = [_board_fields(board, linked) for board in further]
        blocks += ["## Beyond the papers", markdown_table(_BOARD_HEADER, lines)]
    if fetch := list(_to_fetch(boards, registry)):
        blocks += ["## Data to fetch", "\n".join(fetch)]
    return "\n\n".join(blocks) + "\n"


def status_of(board: Leaderboard) -> Status:
    """Return how far the cells that a suite asks for are done."""
    asked = _asked(board)
    done = [entry for entry in asked if entry.row.value is not None]
    if not done:
        return "not run"
    whole = len(done) == len(asked) and not any(entry.incomplete for entry in done)
    return "complete" if whole else "partial"


def _tables(
    published: Sequence[PublishedNumber],
) -> dict[str, dict[str, list[PublishedNumber]]]:
    """Return the numbers by paper and table, as they follow in the files."""
    papers: dict[str, dict[str, list[PublishedNumber]]] = {}
    for number in published:
        if number.table != SENTENCES:
            papers.setdefault(number.paper, {}).setdefault(number.table, []).append(number)
    return papers


def _paper_lines(
    paper: str,
    table: str,
    numbers: Sequence[PublishedNumber],
    boards: Sequence[Leaderboard],
    linked: Collection[str],
) -> Iterator[list[str]]:
    """Yield a line for each suite that answers a table, or one that says that none does."""
    answering = [
        board
        for board in boards
        if any((p.paper, p.table) == (paper, table) for p in board.suite.published)
    ]
    for board in answering:
        beside = [
            line
            for section in board.sections
            for line in printed_beside(section, section.entries)
            if (line.number.paper, line.number.table) == (paper, table)
        ]
        *fields, lacks = _board_fields(board, linked)
        yield [escaped(table), *fields, tally(beside, len(numbers)), lacks]
    if not answering:
        counted = tally([], len(numbers))
        yield [escaped(table), "", "", "not run", "", counted, "no suite asks for it"]


def _board_fields(board: Leaderboard, linked: Collection[str]) -> list[str]:
    name = escaped(board.suite.name)
    asked = _asked(board)
    done = sum(entry.row.value is not None for entry in asked)
    return [
        f"[{name}]({board.suite.name}/leaderboard.md)" if board.suite.name in linked else name,
        escaped(board.suite.title),
        status_of(board),
        f"{done} of {len(asked)}" if asked else "",
        escaped("; ".join(_lacks(board))),
    ]


def _asked(board: Leaderboard) -> list[Entry]:
    """Return the cells of the suite's own methods, without those that cannot be."""
    return [
        entry
        for section in board.sections
        for entry in section.entries
        if entry.row.method in board.suite.methods
        and entry.row.status not in ("skipped", PUBLISHED_ONLY)
    ]


def _lacks(board: Leaderboard) -> Iterator[str]:
    """Yield what keeps a suite from being complete."""
    if not board.suite.methods:
        yield "no method here makes such predictions yet"
    for dataset, subsets in _absent(board).items():
        yield f"data absent: {dataset} {', '.join(subsets)}"
    counts = Counter(entry.row.status for entry in _asked(board))
    for status in sorted(counts.keys() - {"ok", NOT_AVAILABLE}):
        yield f"{count_of(counts[status], 'cell')} {status.replace('_', ' ')}"
    fewer = sum(0 < entry.row.coverage < 1 for entry in _asked(board))
    if fewer:
        yield f"{count_of(fewer, 'cell')} with fewer seeds than asked"
    partial: dict[tuple[str, str], dict[str, None]] = {}
    for entry in _asked(board):
        for text in entry.left_out:
            partial.setdefault((entry.row.dataset, text), {})[entry.row.subset] = None
    for (dataset, text), subsets in partial.items():
        yield f"{dataset} {', '.join(subsets)}: {text}"


def _absent(board: Leaderboard) -> dict[str, dict[str, None]]:
    """Return the subsets of each dataset whose files are absent."""
    absent: dict[str, dict[str, None]] = {}
    for row in board.rows:
        if row.status == NOT_AVAILABLE:
            absent.setdefault(row.dataset, {})[row.subset] = None
    return absent


def _to_fetch(boards: Sequence[Leaderboard], registry: Registry) -> Iterator[str]:
    """Yield a line for each dataset that some suite lacks."""
    wanted: dict[str, dict[str, None]] = {}
    for board in boards:
        for dataset, subsets in _absent(board).items():
            wanted.setdefault(dataset, {}).update(subsets)
    for dataset, subsets in sorted(wanted.items()):
        spec = registry.datasets[dataset]
        yield (
            f"- {escaped(spec.title)} ({escaped(', '.join(subsets))}): "
            f"{escaped(spec.info.download)}. `liftbench data info {dataset}` says how the files "
            "must lie."
        )
