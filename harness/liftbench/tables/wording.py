"""The words and sentences that the pages of a leaderboard share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from liftbench.tables.board import Entry, Leaderboard, Section
from liftbench.tables.data_identity import DIGITS
from liftbench.tables.page import Table

ABSENT = "n/a"
INCOMPLETE = "\N{DAGGER}"
SUPERVISED = "\N{DOUBLE DAGGER}"
CONTROL = f"{SUPERVISED} marks a control that learns from the true 3D points"
DECIMALS = 3  # of our numbers in a section without a printed number


def sentences(*parts: str) -> str:
    """Join the non-empty parts as sentences, each with a full stop."""
    return " ".join(f"{part}." for part in parts if part)


def join_words(*words: str) -> str:
    """Join the words that are not empty with commas."""
    return ", ".join(filter(None, words))


def count_of(number: int, name: str) -> str:
    """Return a number with its noun, such as `1 cell` or `2 cells`."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def absent_lines(absent: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Yield one line for each reason why data is absent.

    Reasons that differ only in the subset's name share a line.

    Args:
        absent: name, subset and reason of each part of the data; the reason is empty for data
            that is present.
    """
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for name, subset, reason in absent:
        if reason:
            general = re.sub(rf"\b{re.escape(subset)}\b", "SUBSET", reason)
            groups.setdefault((name, general), {})[subset] = reason
    for (name, general), reasons in groups.items():
        reason = general if len(reasons) > 1 else next(iter(reasons.values()))
        yield f"{name} {', '.join(reasons)}: not available: {reason}"


def caption(board: Leaderboard, section: Section) -> str:
    """Return the caption of a section: protocol, setting, unit, which way is better, data."""
    setting = one_setting(section.entries)
    return sentences(
        f"Protocol {section.protocol.identity}: {section.protocol.description}",
        f"Setting: {setting}" if setting else "",
        f"Unit: {unit_text(section)}",
        "Higher is better" if section.more_is_better else "Lower is better",
        f"Data (first {DIGITS} digits of its SHA-256): {'; '.join(board.data)}"
        if board.data
        else "",
    )


def unit_text(section: Section) -> str:
    """Return the unit of a section's numbers; a length takes the unit of its printed numbers."""
    printed = {number.unit for entry in section.entries for number in entry.printed}
    if section.unit == "length" and len(printed) == 1 and printed != {"dataset"}:
        return printed.pop()
    return "the dataset's own length" if section.unit == "length" else section.unit


def shown_text(tables: Iterable[Table]) -> str:
    """Return the text of all cells, to find which marks the legend must explain."""
    return " ".join(cell.plain for t in tables for row in t.rows for cell in row)


def incomplete_text(shown: str) -> str:
    """Return the explanation of the mark of incomplete means if the shown text has that mark."""
    if INCOMPLETE not in shown:
        return ""
    return f"{INCOMPLETE} marks a mean over less than the whole set, see the notes"


def method_text(entry: Entry) -> str:
    """Return the name of an entry's method, marked if it is a supervised control."""
    return name_text(entry.line.method, supervised=entry.supervised)


def name_text(method: str, *, supervised: bool) -> str:
    """Return the name of a method, marked if it is a supervised control."""
    return f"{method}{SUPERVISED if supervised else ''}"


def supervised_text(shown: str) -> str:
    """Return the explanation of the mark of supervised controls if the shown text has that mark."""
    return f"{CONTROL}: it is never the best and has no verdict" if SUPERVISED in shown else ""


def remarks(board: Leaderboard) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the lists below the tables of a leaderboard: notes and runs without a number."""
    lists = (("Notes", board.notes), ("Without a number", board.problems))
    return tuple((name, lines) for name, lines in lists if lines)


def one_setting(entries: Iterable[Entry]) -> str:
    """Return the setting that all entries share, or an empty text if they differ."""
    settings = {entry.line.setting for entry in entries}
    return settings.pop() if len(settings) == 1 else ""


def by_dataset_and_split(section: Section) -> dict[tuple[str, str], list[Entry]]:
    """Return the entries of each dataset and split, in their order."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in section.entries:
        groups.setdefault((entry.line.dataset, entry.line.split), []).append(entry)
    return groups


def decimals_of(section: Section) -> int:
    """Return the digits after the point in a section: as many as its printed numbers have."""
    printed = [number.decimals for entry in section.entries for number in entry.printed]
    return max(printed, default=DECIMALS)


def value_text(entry: Entry, decimals: int) -> str:
    """Return our number with its standard deviation, marked if the mean is incomplete."""
    if entry.line.value is None:
        return ""
    shown = number_text(entry.line.value, decimals, entry.line.std)
    return f"{shown}{INCOMPLETE if entry.incomplete else ''}"


def number_text(value: float, decimals: int, std: float | None = None) -> str:
    """Return a number as text, with its standard deviation unless that is None."""
    return f"{value:.{decimals}f}" + ("" if std is None else f" ± {std:.{decimals}f}")


def signed_text(value: float, decimals: int) -> str:
    """Return a number as text with its sign."""
    return f"{value:+.{decimals}f}".replace("-", "\N{MINUS SIGN}")
