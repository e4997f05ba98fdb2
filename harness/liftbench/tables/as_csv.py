"""Leaderboards as CSV, for other tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

import pandas as pd

from liftbench.tables.board import COLUMNS, Entry, Leaderboard
from liftbench.tables.printed_page import PrintedPair, printed_pairs

PRINTED_COLUMNS = (
    *("suite", "dataset", "subset", "split", "setting", "method", "protocol"),
    *("printed_in", "printed_unit", "published", "published_std", "value", "std", "n_seeds"),
    *("difference", "tolerance", "tolerance_from", "verdict", "reason", "left_out"),
)


def to_csv(board: Leaderboard) -> str:
    """Return leaderboard.csv: one line for each entry, with `COLUMNS`."""
    return csv_text((asdict(line) for line in board.lines), COLUMNS)


def verdicts_to_csv(board: Leaderboard) -> str:
    """Return a CSV line for each printed number: ours and the verdict.

    In place of a verdict stands `not_run` without our number, `supervised` for a control.
    """
    rows = (
        _pair_row(pair)
        for section in board.sections
        for pair in printed_pairs(section, section.entries)
    )
    return csv_text(rows, PRINTED_COLUMNS)


def csv_text(rows: Iterable[Mapping[str, object]], columns: tuple[str, ...] | None = None) -> str:
    """Return rows as CSV with the given columns, or all; None and NaN become empty fields."""
    frame = pd.DataFrame(list(rows), columns=columns)
    return str(frame.to_csv(index=False, float_format="%.6g", lineterminator="\n"))


def _pair_row(pair: PrintedPair) -> dict[str, object]:
    entry, number, verdict = pair.entry, pair.number, pair.verdict
    return {
        **{name: value for name, value in asdict(entry.line).items() if name in PRINTED_COLUMNS},
        "printed_in": number.source,
        "printed_unit": number.unit,
        "published": number.text,
        "published_std": number.std,
        "difference": verdict and verdict.difference,
        "tolerance": verdict and verdict.tolerance,
        "tolerance_from": verdict and verdict.origin,
        "verdict": verdict.word if verdict else _no_verdict(entry),
        "reason": entry.reason,
        "left_out": "; ".join(entry.left_out),
    }


def _no_verdict(entry: Entry) -> str:
    return "not_run" if entry.line.value is None else "supervised"
