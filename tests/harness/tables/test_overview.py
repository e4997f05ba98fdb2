"""The page that lists all printed tables and what is missing of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from liftbench.plugin.registry import Registry
from liftbench.tables import overview
from liftbench.tables.overview import status_of

if TYPE_CHECKING:
    from tests.harness.tables.conftest import Board


@pytest.fixture
def boards(board: Board) -> Callable[[str], Board]:
    """Makes boards of further suites, which have the published numbers of the first."""

    def make(name: str) -> Board:
        other = type(board)(board.store.folder.parent, board.registry, name)
        other.published = board.published
        return other

    return make


def lines(text: str) -> list[list[str]]:
    """Return the fields of the lines of all tables, without headers and rules."""
    rows = [
        [field.strip() for field in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return [row for row in rows if row[0] not in ("table", "suite") and set(row[0]) != {"-"}]


def page(registry: Registry, *boards: Board, linked: tuple[str, ...] = ()) -> str:
    return overview([b.make() for b in boards], boards[0].published, registry, linked)


# --- status ------------------------------------------------------------------------------------


def test_complete(board: Board) -> None:
    board.add("ours", 0.25, 0.75)
    board.add("rigid", None)  # a baseline of the harness, which the suite does not ask for
    assert status_of(board.make()) == "complete"


def test_skipped_cells_do_not_make_a_suite_partial(board: Board) -> None:
    board.suite["methods"] = {"ours": {}, "other": {}}
    board.add("ours", 0.25)
    board.add("other", "skipped")
    assert status_of(board.make()) == "complete"


@pytest.mark.parametrize("lacking", [None, "failed", "timeout", "out_of_memory"])
def test_partial_and_not_run(board: Board, lacking: str | None) -> None:
    board.add("ours", lacking)
    assert status_of(board.make()) == "not run"
    board.add("ours", 0.25, subset="two")
    assert status_of(board.make()) == "partial"


def test_number_over_less_than_the_whole_set_is_partial(board: Board) -> None:
    board.add("ours", 0.25, data_note="9 of 12 sequences")
    assert status_of(board.make()) == "partial"


def test_baselines_alone_do_not_reproduce_a_table(board: Board) -> None:
    board.suite["methods"] = {}
    board.add("rigid", 0.5)
    assert status_of(board.make()) == "not run"


# --- the page ----------------------------------------------------------------------------------


def test_every_printed_table_has_a_line(
    board: Board, boards: Callable[[str], Board], registry: Registry
) -> None:
    board.suite["published"] = [{"paper": "paper", "table": "T1"}]
    board.add("ours", 0.25)
    for subset in ("two", "three"):
        board.add_absent("ours", subset)
    board.add_printed("0.25")
    board.add_printed("0.5", subset="two")
    board.add_printed("0.5", method="theirs", subset="nowhere")
    board.add_printed("0.5", table="T2")
    board.add_printed("0.5", table="text")
    other = boards("other")
    other.suite["title"] = "Another"
    other.suite["published"] = []
    other.add("ours", 0.5, None)
    text = page(registry, board, other, linked=("small",))
    assert lines(text) == [
        [
            *("T1", "[small](small/leaderboard.md)", "Small table", "partial", "1 of 3"),
            *("1 of 3 (1 within)", "data absent: tiny two, three"),
        ],
        ["T2", "", "", "not run", "", "0 of 1", "no suite asks for it"],
        ["other", "Another", "partial", "1 of 1", "1 cell with fewer seeds than asked"],
    ]
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## paper",
        "## Beyond the papers",
        "## Data to fetch",
    ]
    fetch = "- Tiny (two, three): from nowhere. `liftbench data info tiny` says how"
    assert fetch in text


def test_table_of_several_suites_and_suite_of_several_tables(
    board: Board, boards: Callable[[str], Board], registry: Registry
) -> None:
    board.suite["published"] = [{"paper": "paper", "table": t} for t in ("T1", "T2")]
    other = boards("other")
    for one in (board, other):
        one.add("ours", 0.25)
    board.add_printed("0.25")
    board.add_printed("0.3", table="T2")
    found = lines(page(registry, board, other))
    assert [(row[0], row[1], row[5]) for row in found] == [
        ("T1", "small", "1 of 1 (1 within)"),
        ("T1", "other", "1 of 1 (1 within)"),
        ("T2", "small", "1 of 1 (1 within)"),
    ]


def test_what_a_suite_lacks(board: Board, registry: Registry) -> None:
    board.suite["published"] = []
    board.add("ours", "failed")
    board.add("ours", "out_of_memory", subset="two")
    board.add("ours", None, subset="three")
    for subset in ("four", "five"):
        board.add("ours", 0.5, subset=subset, data_note="9 of 12 sequences")
    (line,) = lines(page(registry, board))
    assert line[-1] == (
        "1 cell failed; 1 cell not run; 1 cell out of memory; tiny four, five: 9 of 12 sequences"
    )


def test_page_names_no_folder_and_is_the_same_every_time(
    board: Board, registry: Registry, tmp_path: Path
) -> None:
    board.add("ours", 0.25)
    board.add_printed("0.5")
    first = page(registry, board)
    assert str(tmp_path) not in first
    assert page(registry, board) == first


def test_hostile_titles_make_no_field_or_tag(board: Board, registry: Registry) -> None:
    board.suite["title"] = "<img src=x>|a|\n|b|"
    board.suite["published"] = []
    board.add("ours", 0.25)
    text = page(registry, board)
    assert "\\<img src=x>\\|a\\| \\|b\\|" in text
