"""Leaderboards: rows of stored and printed numbers, and what is to be said of them."""

from __future__ import annotations

from dataclasses import dataclass, fields

from liftbench.protocols.protocol import Protocol
from liftbench.suites.published import PublishedNumber
from liftbench.suites.suite import Suite
from liftbench.tables.verdict import Verdict, judge

NOT_AVAILABLE = "not_available"
NOT_RUN = "not_run"
PUBLISHED_ONLY = "published_only"


@dataclass(frozen=True)
class Row:
    """One cell of a leaderboard; the fields are the columns of leaderboard.csv.

    `coverage` is the share of the asked seeds that `value` is the mean of; `published_source`
    names every printed number of the cell, of which `published` is the first in suite order.
    """

    suite: str
    dataset: str
    subset: str
    split: str
    setting: str
    method: str
    protocol: str
    metric: str
    unit: str
    value: float | None
    std: float | None
    n_seeds: int
    coverage: float
    published: float | None
    published_source: str
    status: str
    fit_seconds: float | None
    predict_seconds: float | None
    key: str


COLUMNS = tuple(field.name for field in fields(Row))


@dataclass(frozen=True)
class Entry:
    """A row and what is to be said of it.

    Attributes:
        row: as leaderboard.csv has it.
        printed: the numbers that papers print for it, in suite order.
        reason: why it has no number of ours; empty where it has one.
        left_out: what of the papers' set its number is not over, besides seeds.
    """

    row: Row
    printed: tuple[PublishedNumber, ...] = ()
    reason: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def incomplete(self) -> bool:
        """Whether its number is a mean over less than it should be."""
        return self.row.value is not None and bool(self.row.coverage < 1 or self.left_out)


@dataclass(frozen=True)
class Section:
    """The rows under one protocol, which no table mixes with others; `unit` is of our numbers."""

    protocol: Protocol
    unit: str
    more_is_better: bool
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        others = {row.protocol for row in self.rows} - {self.protocol.identity}
        if others:
            raise ValueError(f"rows under {min(others)} in a table of {self.protocol.identity}")

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all entries."""
        return tuple(entry.row for entry in self.entries)

    def verdict(self, entry: Entry, number: PublishedNumber) -> Verdict | None:
        """Return how an entry's number stands to a printed one, None where it has none."""
        row = entry.row
        if row.value is None:
            return None
        return judge(row.value, row.std, number, more_is_better=self.more_is_better)


@dataclass(frozen=True)
class Leaderboard:
    """All numbers of a suite and what is to be said of them.

    `data` names what the numbers are of, with checksums; `problems` has a line for every run
    without a number.
    """

    suite: Suite
    sections: tuple[Section, ...]
    data: tuple[str, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all sections."""
        return tuple(row for section in self.sections for row in section.rows)
