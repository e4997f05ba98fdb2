"""Every printed number on a line, with ours, the difference, the tolerance and the verdict."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from liftbench.tables import printed_page, verdicts_to_csv

if TYPE_CHECKING:
    from tests.harness.tables.conftest import Board


MINUS = "\N{MINUS SIGN}"


def lines(board: Board) -> list[tuple[str, ...]]:
    return [
        tuple(cell.plain for cell in row)
        for part in printed_page(board.make()).parts
        for table in part.tables
        for row in table.rows
    ]


def rows(board: Board) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(verdicts_to_csv(board.make()))))


def fill(board: Board) -> None:
    """One verdict of each kind, and a cell without a number for each reason."""
    board.suite["published"] = [{"paper": "paper", "table": t} for t in ("T1", "T2")]
    board.add("ours", 0.25, 0.75)
    board.add("flat", 0.125, data_note="9 of 12 sequences")
    board.add("broken", "failed")
    board.add_absent("ours", "two")
    board.add_printed("0.45")
    board.add_printed("0.60", std=0.25)
    board.add_printed("0.4", table="T2")
    board.add_printed("0.25", method="flat")
    board.add_printed("0.02", method="flat", table="T2")
    board.add_printed("0.5", method="broken")
    board.add_printed("0.5", subset="two")
    board.add_printed("0.5", method="theirs")


def test_every_printed_number_has_its_line(board: Board) -> None:
    fill(board)
    ours = "0.50 ± 0.35"
    seeds = "0.354, our seeds"
    alone = ("theirs", "one", "0.5", "", "", "")
    assert lines(board) == [
        ("ours", "one", "0.45", ours, "+0.05", seeds, "within", "paper T1"),
        ("ours", "one", "0.60 ± 0.25", ours, f"{MINUS}0.10", seeds, "within", "paper T1"),
        ("ours", "one", "0.4", ours, "+0.10", seeds, "within", "paper T2"),
        (
            "flat",
            "one",
            "0.25",
            "0.12†",
            f"{MINUS}0.12",
            "0.005, printed digits",
            "better",
            "paper T1",
        ),
        ("flat", "one", "0.02", "0.12†", "+0.10", "0.005, printed digits", "worse", "paper T2"),
        ("broken", "one", "0.5", "", "", "", "not run: failed: first line", "paper T1"),
        ("ours", "two", "0.5", "", "", "", "not run: data absent", "paper T1"),
        (*alone, "not run: suite 'small' has no such method", "paper T1"),
    ]


def test_verdicts_are_counted(board: Board) -> None:
    fill(board)
    (part,) = printed_page(board.make()).parts
    counts = "Printed numbers with ours beside them: 5 of 8 (3 within, 1 better, 1 worse)."
    assert part.legend.startswith(counts)
    assert "† marks a mean" in part.legend


def test_columns_that_differ_by_setting_name_it(board: Board) -> None:
    for setting in ("clean", "noisy"):
        board.add("ours", 0.5, setting=setting)
        board.add_printed("0.5", setting=setting)
    assert [line[1] for line in lines(board)] == ["one, clean", "one, noisy"]


def test_protocol_without_a_printed_number_has_no_part(board: Board) -> None:
    board.suite["also"] = ["mpjpe"]
    board.add("ours", 0.5)
    board.add_printed("0.5")
    assert len(printed_page(board.make()).parts) == 1


def test_csv_has_the_full_reasons(board: Board) -> None:
    fill(board)
    first, *_, absent, theirs = rows(board)
    assert first == {
        **{"suite": "small", "dataset": "tiny", "subset": "one", "split": "train", "setting": ""},
        **{"method": "ours", "protocol": "e3d@1", "printed_in": "paper T1", "n_seeds": "2"},
        **{"printed_unit": "ratio", "published": "0.45", "published_std": "", "value": "0.5"},
        **{"std": "0.353553", "difference": "0.05", "tolerance": "0.353553"},
        **{"tolerance_from": "our seeds", "verdict": "within", "reason": "", "left_out": ""},
    }
    assert (absent["verdict"], absent["reason"]) == ("not_run", "no file x")
    assert theirs["reason"] == "suite 'small' has no such method"
    assert [row["left_out"] for row in rows(board) if row["method"] == "flat"] == [
        "9 of 12 sequences"
    ] * 2
