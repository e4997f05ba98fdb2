"""Leaderboards: our stored numbers, the printed numbers beside them, and remarks on both."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

from liftbench.protocols.protocol import Protocol
from liftbench.suites.published import PublishedNumber
from liftbench.suites.suite import Suite
from liftbench.tables.verdict import Verdict, judge

NOT_AVAILABLE = "not_available"
NOT_RUN = "not_run"
PUBLISHED_ONLY = "published_only"


class Position(NamedTuple):
    """Where a number stands among the tables under one protocol."""

    method: str
    dataset: str
    subset: str
    split: str
    setting: str


@dataclass(frozen=True)
class Line:
    """One line of leaderboard.csv; the fields are its columns.

    `value` is the mean over `n_seeds` seeds, and `coverage` is their share of the seeds that the
    suite asks for. `published` is the first printed number of the cell in suite order;
    `published_source` names the tables of all its printed numbers.
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

    @property
    def position(self) -> Position:
        """The position of the line's numbers."""
        return Position(self.method, self.dataset, self.subset, self.split, self.setting)


COLUMNS = tuple(field.name for field in fields(Line))


@dataclass(frozen=True)
class Entry:
    """A line of the leaderboard with its printed numbers and with reasons for what it lacks.

    Attributes:
        line: the line of leaderboard.csv.
        printed: the printed numbers at the line's position, in suite order.
        reason: why the line has no number of ours; empty if it has one.
        left_out: parts of the papers' data that our number does not cover; seeds do not count here.
        supervised: whether the method is shown the truth: a control, which no table ranks.
    """

    line: Line
    printed: tuple[PublishedNumber, ...] = ()
    reason: str = ""
    left_out: tuple[str, ...] = ()
    supervised: bool = False

    @property
    def incomplete(self) -> bool:
        """Whether our number is a mean over fewer seeds or less data than it should be."""
        return self.line.value is not None and bool(self.line.coverage < 1 or self.left_out)


@dataclass(frozen=True)
class Section:
    """The entries under one protocol; no table mixes protocols.

    Attributes:
        protocol: the protocol of all entries.
        unit: the unit of our numbers.
        more_is_better: whether a larger number is better.
        entries: one for each method on each split of each column.
    """

    protocol: Protocol
    unit: str
    more_is_better: bool
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        others = {line.protocol for line in self.lines} - {self.protocol.identity}
        if others:
            raise ValueError(f"lines under {min(others)} in a table of {self.protocol.identity}")

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of all entries."""
        return tuple(entry.line for entry in self.entries)

    def verdict(self, entry: Entry, number: PublishedNumber) -> Verdict | None:
        """Return how an entry's number compares with a printed one.

        None without our number, or if it is that of a supervised control.
        """
        line = entry.line
        if line.value is None or entry.supervised:
            return None
        return judge(line.value, line.std, number, more_is_better=self.more_is_better)


@dataclass(frozen=True)
class Leaderboard:
    """All sections of a suite.

    Attributes:
        suite: the suite that asks for the numbers.
        sections: one for each protocol.
        data: the name and the checksums of each dataset behind the numbers.
        notes: remarks on the numbers, a line each.
        problems: a line for every run without a number.
    """

    suite: Suite
    sections: tuple[Section, ...]
    data: tuple[str, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of all sections."""
        return tuple(line for section in self.sections for line in section.lines)
