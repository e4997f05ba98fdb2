"""The page of a leaderboard."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from liftbench.plugin.registry import Registry
from liftbench.plugin.specs import Capabilities
from liftbench.runs.store import RunRecord, Score
from liftbench.tables import leaderboard_page
from liftbench.tables.leaderboard_page import ranks_of
from liftbench.tables.page import Table
from liftbench.tables.verdict import RULE

if TYPE_CHECKING:
    from tests.harness.tables.conftest import Board

MINUS = "\N{MINUS SIGN}"
GOLDEN = """\
# Small table

## e3d@1

Protocol e3d@1: {description}. Setting: no noise. Unit: ratio. Lower is better. Data (first 12 \
digits of its SHA-256): tiny (hide_one=True) version 3: one oneaaaaaaaaa, two twoaaaaaaaaa.

The best of ours is bold, the second best in italics. ± is the standard deviation over 2 seeds. \
† marks a mean over less than the whole set, see the notes. (p …) is the number that the paper \
prints, our difference from it and whether ours is within the tolerance, better or worse. {rule}. \
A method with printed numbers alone is not in the suite.

### tiny, train

| method   | one                                    | two      | mean           |
|----------|----------------------------------------|----------|----------------|
| ours     | **0.50 ± 0.35** (p 0.45, +0.05 within) | **0.25** | 0.38           |
| flat     | *0.75*                                 | failed   | 0.75† (1 of 2) |
| theirs   | (p 0.30)                               |          |                |

## Notes

- from the suite
- tiny one: a note

## Without a number

- flat tiny two seed 0: failed: first line
"""


def test_page_of_a_board(board: Board, registry: Registry) -> None:
    board.suite |= {"notes": ["from the suite"]}
    board.add("ours", 0.25, 0.75, setting="no noise")
    board.add("ours", 0.25, subset="two", setting="no noise")
    board.add("flat", 0.75, setting="no noise")
    board.add("flat", "failed", subset="two", setting="no noise")
    board.add_printed("0.45", setting="no noise")
    board.add_printed("0.30", setting="no noise", method="theirs")
    description = registry.protocols["e3d"].description
    assert board.markdown() == GOLDEN.format(description=description, rule=RULE)


def tables(board: Board) -> list[Table]:
    return [table for part in leaderboard_page(board.make()).parts for table in part.tables]


def grid(table: Table) -> dict[str, dict[str, str]]:
    """Return the text of each cell by method and column."""
    return {
        line[0].plain: dict(zip(table.header[1:], (f.plain for f in line[1:]), strict=True))
        for line in table.rows
    }


def legend(board: Board) -> str:
    return leaderboard_page(board.make()).parts[0].legend


def test_each_setting_of_a_subset_is_a_column(board: Board) -> None:
    board.add("ours", 0.25, setting="clean")
    board.add("flat", 0.75, setting="clean")
    board.add("ours", 0.5, setting="clean", subset="two", splits=("train", "unseen"))
    board.add("ours", "failed", setting="noisy")
    board.add("flat", 0.5, setting="noisy")
    board.add_printed("0.2", method="flat", setting="clean")
    board.add_printed("0.4", method="flat", setting="noisy")
    board.add_printed("0.65", method="theirs", setting="noisy")
    board.add_printed("0.8", method="theirs", setting="printed elsewhere")
    train, unseen = tables(board)
    assert (train.heading, unseen.heading) == ("tiny, train", "tiny, unseen, clean")
    assert grid(train) == {
        "ours": {"one, clean": "0.25", "two, clean": "0.50", "one, noisy": "failed"},
        "flat": {
            "one, clean": "0.75 (p 0.2, +0.55 worse)",
            "two, clean": "",
            "one, noisy": "0.50 (p 0.4, +0.10 worse)",
        },
        "theirs": {"one, clean": "", "two, clean": "", "one, noisy": "(p 0.65)"},
    }
    assert grid(unseen) == {"ours": {"two": "0.50"}}
    text = board.markdown()
    assert "Setting:" not in text
    assert "- ours tiny one noisy seed 0: failed: first line" in text


def test_columns_of_absent_data_have_a_table_of_printed_numbers(board: Board) -> None:
    board.add("ours", 0.25)
    for subset in ("two", "three"):
        board.add_absent("ours", subset)
    board.add_printed("0.20")
    board.add_printed("0.3", subset="two")
    board.add_printed("0.45", subset="two", method="theirs")
    here, printed = tables(board)
    assert grid(here) == {"ours": {"one": "0.25 (p 0.20, +0.05 worse)"}}
    assert printed.heading == "tiny, train: data absent, printed numbers alone"
    assert grid(printed) == {"ours": {"two": "0.3"}, "theirs": {"two": "0.45"}}
    assert "n/a" not in legend(board)


def test_absent_data_without_a_printed_number_still_has_its_table(board: Board) -> None:
    board.add_absent("ours")
    (table,) = tables(board)
    assert grid(table) == {"ours": {"one": "n/a"}}
    assert "n/a: the data is absent." in legend(board)


# --- ranks -------------------------------------------------------------------------------------


def ranks(table: Table, column: int = 1) -> dict[str, int]:
    return {line[0].plain: line[column].rank for line in table.rows}


@pytest.mark.parametrize(
    ("values", "higher", "places"),
    [
        ({"a": 1.0, "b": 2.0, "c": 3.0}, False, {"a": 1, "b": 2, "c": 0}),
        ({"a": 1.0, "b": 2.0, "c": 3.0}, True, {"a": 0, "b": 2, "c": 1}),
        ({"a": 2.0, "b": 2.0, "c": 3.0}, False, {"a": 1, "b": 1, "c": 0}),
        ({"a": 2.0, "b": 3.0, "c": 3.0, "d": 4.0}, False, {"a": 1, "b": 2, "c": 2, "d": 0}),
        ({"a": 2.0}, False, {"a": 1}),
        ({}, False, {}),
    ],
)
def test_best_and_second_best(
    values: dict[str, float], higher: bool, places: dict[str, int]
) -> None:
    assert ranks_of(values, more_is_better=higher) == places


def test_a_supervised_control_is_marked_and_never_ranked(
    board: Board, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = replace(registry.methods["seeded"], capabilities=Capabilities(supervised=True))
    monkeypatch.setitem(registry.methods.items, "seeded", control)
    board.suite["methods"] = {"ours": {}, "theirs": {"plugin": "seeded"}}
    for subset in ("one", "two"):
        board.add("theirs", 0.1, subset=subset)
        board.add("ours", 0.3, subset=subset)
        board.add("flat", 0.5, subset=subset)
    board.add_printed("0.2", method="theirs")
    shown = board.markdown()
    row = next(line for line in shown.splitlines() if "theirs" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "theirs\N{DOUBLE DAGGER}",
        "0.1 (p 0.2)",
        "0.1",
        "0.1",
    ]
    assert "**0.3**" in shown
    assert "\N{DOUBLE DAGGER} marks a control that learns from the true 3D points" in shown
    section = board.make().sections[0]
    assert [e.line.method for e in section.entries if e.supervised] == ["theirs"] * 2
    assert all(row["verdict"] == "supervised" for row in board.verdicts())


def test_each_column_has_its_ranks_of_ours_alone(board: Board) -> None:
    for method, one, two in (("a", 0.25, 0.75), ("b", 0.5, 0.5), ("c", 0.75, 0.625)):
        board.add(method, one)
        board.add(method, two, subset="two")
    board.add_printed("0.1", method="theirs")
    (table,) = tables(board)
    assert ranks(table, 1) == {"a": 1, "b": 2, "c": 0, "theirs": 0}
    assert ranks(table, 2) == {"a": 0, "b": 1, "c": 2, "theirs": 0}


def test_numbers_that_look_the_same_have_the_same_rank(board: Board) -> None:
    for method, value in (("a", 0.12341), ("b", 0.12339), ("c", 0.1236)):
        board.add(method, value)
        board.add(method, value, subset="two")
    (table,) = tables(board)
    for column in (1, 2, 3):
        assert ranks(table, column) == {"a": 1, "b": 1, "c": 0}


@pytest.mark.parametrize(
    ("printed", "unit_text"),
    [((), "the dataset's own length"), (("mm",), "mm"), (("dataset",), "the dataset's own length")],
)
def test_unit_of_lengths_is_the_printed_one(
    board: Board, printed: tuple[str, ...], unit_text: str
) -> None:
    board.suite["protocol"] = "mpjpe"
    board.add("ours", None)
    for unit in printed:
        board.add_printed("50.5", unit=unit, metric="mpjpe")
    assert f"Unit: {unit_text}." in leaderboard_page(board.make()).parts[0].caption


def test_higher_is_better_under_a_metric_that_says_so(board: Board) -> None:
    board.suite["protocol"] = "pck"
    for method, value in (("low", 20.0), ("high", 80.0)):
        (spec,) = board.add(method, None)
        board.store.write(RunRecord(spec, "ok", {"pck@1": {"train": Score(value, {}, 8)}}))
    board.add_printed("79.0", metric="pck", unit="percent", method="high")
    board.add_printed("21.0", metric="pck", unit="percent", method="low")
    (table,) = tables(board)
    assert ranks(table) == {"low": 2, "high": 1}
    assert grid(table)["high"] == {"one": "80.0 (p 79.0, +1.0 better)"}
    assert grid(table)["low"] == {"one": f"20.0 (p 21.0, {MINUS}1.0 worse)"}
    assert "Higher is better" in leaderboard_page(board.make()).parts[0].caption


# --- means over columns and over seeds ---------------------------------------------------------


def test_mean_over_all_columns(board: Board) -> None:
    for method, one, two in (("a", 0.25, 0.75), ("b", 0.5, 0.625)):
        board.add(method, one)
        board.add(method, two, subset="two")
    (table,) = tables(board)
    assert table.header == ("method", "one", "two", "mean")
    assert {method: row["mean"] for method, row in grid(table).items()} == {
        "a": "0.500",
        "b": "0.562",
    }
    assert ranks(table, 3) == {"a": 1, "b": 2}


def test_mean_over_the_columns_that_are_here_is_marked(board: Board) -> None:
    for subset in ("one", "two"):
        board.add("a", 0.25, subset=subset)
    board.add_absent("a", "three")
    board.add_printed("0.3", subset="three")
    here, _ = tables(board)
    assert grid(here)["a"]["mean of 2 of 3"] == "0.2†"
    assert "† marks a mean over less than the whole set" in legend(board)


def test_means_over_different_columns_are_not_ranked(board: Board) -> None:
    for subset, value in (("one", 0.25), ("two", 0.75)):
        board.add("a", value, subset=subset)
    board.add("b", 0.125, subset="one")
    board.add("b", "failed", subset="two")
    (table,) = tables(board)
    assert {method: row["mean"] for method, row in grid(table).items()} == {
        "a": "0.500",
        "b": "0.125† (1 of 2)",
    }
    assert ranks(table, 3) == {"a": 0, "b": 0}


def test_no_mean_over_settings_or_nothing(board: Board) -> None:
    board.add("a", 0.25, setting="clean")
    board.add("a", 0.5, setting="noisy")
    (table,) = tables(board)
    assert "mean" not in table.header
    board.cells.clear()
    for subset in ("one", "two"):
        board.add("never", None, subset=subset)
    (table,) = tables(board)
    assert table.header == ("method", "one", "two")


def test_incomplete_numbers_are_marked(board: Board) -> None:
    board.add("ours", 0.25, data_note="9 of 12 sequences")
    board.add("flat", 0.5, None, None)
    (table,) = tables(board)
    assert grid(table) == {"ours": {"one": "0.250†"}, "flat": {"one": "0.500† (1 of 3 seeds)"}}


def test_number_of_seeds_is_shown_where_it_differs(board: Board) -> None:
    board.add("ours", 0.25, 0.75)
    assert grid(tables(board)[0])["ours"]["one"] == "0.500 ± 0.354"
    assert "deviation over 2 seeds" in legend(board)
    board.add("flat", 0.25, 0.5, 0.75)
    shown = grid(tables(board)[0])
    assert [shown[m]["one"] for m in ("ours", "flat")] == [
        "0.500 ± 0.354 (n=2)",
        "0.500 ± 0.250 (n=3)",
    ]
    assert "deviation over n seeds" in legend(board)


def test_fewer_seeds_than_planned_are_always_shown(board: Board) -> None:
    board.add("ours", 0.25, 0.75)
    board.add("flat", 0.25, 0.75, "timeout")
    shown = grid(tables(board)[0])
    assert shown["flat"]["one"] == "0.500 ± 0.354† (2 of 3 seeds, timeout)"
