"""What a report shows, as plain data that the page and the figures draw alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from liftbench.sweeps.sweep import Sweep
from liftbench.tables import Leaderboard
from liftbench.types import Bools, Floats

Rank = Literal["best", "median", "worst"]
RANKS: tuple[Rank, ...] = ("best", "median", "worst")


@dataclass(frozen=True)
class Bar:
    """Our number beside a printed one; `std` is over seeds, `source` names the printed table."""

    method: str
    column: str
    ours: float
    std: float | None
    printed: float
    source: str


@dataclass(frozen=True)
class Bars:
    """All pairs of our and printed numbers of one table; `metric` has the protocol and the unit."""

    title: str
    metric: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Spread:
    """How the errors of a method's frames spread, over the frames of all its seeds.

    Attributes:
        method: its row of the table.
        seeds, frames: how many there are.
        quantiles: at 5, 25, 50, 75 and 95 percent.
        shares: of the frames in each of the column's bins.
    """

    method: str
    seeds: int
    frames: int
    quantiles: tuple[float, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Scene:
    """One frame, as the protocol compares it.

    Attributes:
        rank: which frame of all this is.
        frame: its index in the split.
        sequence: id of its sequence.
        error: its error.
        predicted, truth: (P, 3).
        hidden: (P,) points that the method did not see.
        counts: (P,) points that the error is over.
    """

    rank: Rank
    frame: int
    sequence: int
    error: float
    predicted: Floats
    truth: Floats
    hidden: Bools
    counts: Bools

    @property
    def centred(self) -> Floats:
        """Prediction and truth (2, P, 3) about the truth's middle.

        The truth of a point that does not count may be unknown; it is put where it is predicted.
        """
        truth = np.where(self.counts[:, None], self.truth, self.predicted)
        both: Floats = np.stack([self.predicted, truth]) - truth.mean(axis=0)
        return both


@dataclass(frozen=True)
class Gallery:
    """The best, the median and the worst frame of one run of a method."""

    method: str
    seed: int
    key: str
    scenes: tuple[Scene, ...]


@dataclass(frozen=True)
class Column:
    """What the frames of one split of one subset show.

    Attributes:
        title: the data, its setting and the split.
        metric: protocol and unit of the errors.
        unit: of the points.
        bins: edges of the bins of errors.
        spreads, galleries: one a method.
        names: of the points.
        edges: of the skeleton.
        points: how many points the data has; scenes have at most `frames.MOST_POINTS` of them.
    """

    title: str
    metric: str
    unit: str
    bins: tuple[float, ...]
    spreads: tuple[Spread, ...]
    galleries: tuple[Gallery, ...]
    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    points: int


@dataclass(frozen=True)
class Curve:
    """The loss of one training: (step, loss)."""

    method: str
    seed: int
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Training:
    """The trainings on one subset."""

    title: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Run:
    """A line of the list of runs; `numbers` are the scores in words."""

    method: str
    data: str
    seed: int
    status: str
    numbers: str
    fit_seconds: float | None
    predict_seconds: float | None
    peak_memory_mib: float | None
    key: str


@dataclass(frozen=True)
class SuiteReport:
    """All that a report shows of a suite.

    Attributes:
        board: the leaderboard.
        methods: what each row of its tables is, in words.
        bars, sweeps, columns, trainings: what is drawn.
        asked: how many runs the suite asks for.
        runs: those that are stored.
        environments: on what they ran, with the number of runs.
        left_out: what the report lacks, and why.
    """

    board: Leaderboard
    methods: Mapping[str, str]
    bars: tuple[Bars, ...]
    sweeps: tuple[Sweep, ...]
    columns: tuple[Column, ...]
    trainings: tuple[Training, ...]
    asked: int
    runs: tuple[Run, ...]
    environments: tuple[Mapping[str, Any], ...]
    left_out: tuple[str, ...]
