"""The contents of a report as plain data, from which both the page and the figures are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from liftbench.sweeps.sweep import Sweep
from liftbench.tables import Leaderboard
from liftbench.types import Bools, Floats

FrameRank = Literal["best", "median", "worst"]
FRAME_RANKS: tuple[FrameRank, ...] = ("best", "median", "worst")


@dataclass(frozen=True)
class Bar:
    """Our number, its standard deviation over seeds, and the number that table `source` prints."""

    method: str
    column: str
    ours: float
    std: float | None
    printed: float
    source: str


@dataclass(frozen=True)
class BarChart:
    """All pairs of our and printed numbers in one table; `metric` names protocol and unit."""

    title: str
    metric: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class ErrorSpread:
    """The distribution of a method's errors over the frames of all its seeds.

    Attributes:
        method: the method's row of the suite.
        seeds, frames: the number of seeds, and of frames with an error.
        quantiles: the errors at 5, 25, 50, 75 and 95 percent.
        shares: the share of the frames in each of the bins of the split.
    """

    method: str
    seeds: int
    frames: int
    quantiles: tuple[float, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class FramePicture:
    """The picture of a frame, and where a method sees its points.

    Attributes:
        pixels: (N, N, 3) from 0 to 255.
        points: (P, 2) predicted positions in these pixels.
    """

    pixels: NDArray[np.uint8]
    points: Floats


@dataclass(frozen=True, eq=False)
class ComparedFrame:
    """One frame, its prediction and its truth aligned as the protocol compares them.

    Attributes:
        rank: whether the frame is the best, the median or the worst of its split.
        index: the index of the frame in the split.
        sequence: the id of its sequence.
        error: the error of the frame.
        predicted, truth: (P, 3) points.
        hidden: (P,) whether the method did not see a point.
        counts: (P,) whether a point counts in the error.
        picture: what a method saw that reconstructs from images.
        teacher: the same frame as the method's teacher reconstructs it.
    """

    rank: FrameRank
    index: int
    sequence: int
    error: float
    predicted: Floats
    truth: Floats
    hidden: Bools
    counts: Bools
    picture: FramePicture | None = None
    teacher: ComparedFrame | None = None

    @property
    def centred(self) -> Floats:
        """Prediction and truth (2, P, 3) relative to the centroid of the truth.

        A point that does not count may lack a truth; its predicted place is drawn instead.
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
    frames: tuple[ComparedFrame, ...]


@dataclass(frozen=True)
class SplitReport:
    """The errors of all methods in the frames of one split of one column.

    Attributes:
        title: the dataset, subset, setting and split.
        metric: the protocol and the unit of the errors.
        unit: the unit of the points.
        bins: the edges of the bins of errors.
        spreads, galleries: one for each method.
        names: the names of the points that are drawn.
        edges: the skeleton between these points.
        points: the number of points in the data; at most `frames.MOST_POINTS` are drawn.
    """

    title: str
    metric: str
    unit: str
    bins: tuple[float, ...]
    spreads: tuple[ErrorSpread, ...]
    galleries: tuple[Gallery, ...]
    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    points: int


@dataclass(frozen=True, eq=False)
class MeshFrame:
    """A frame that a method reconstructs as a mesh. Lengths are pixels of its picture.

    Attributes:
        index: the index of the frame in the split.
        value: its score.
        pixels: (N, N, 3) from 0 to 255, the square about the object.
        points: (P, 2) predicted positions, from the upper left corner.
        visible: (P,) which of them the method sees.
        vertices: (V, 3); x and y are positions, z points away from the camera.
        colours: (V, 3) from 0 to 255.
    """

    index: int
    value: float
    pixels: NDArray[np.uint8]
    points: Floats
    visible: Bools
    vertices: Floats
    colours: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class MeshGallery:
    """Frames of one run of a method as meshes, from the best to the worst.

    Attributes:
        title: the dataset, subset, setting and split.
        metric: the protocol that ranks the frames, and its unit.
        method: the method's row of the suite.
        seed, key: of the run.
        faces: (T, 3) triangles, counter-clockwise as seen from outside.
        frames: evenly spread over the ranks.
    """

    title: str
    metric: str
    method: str
    seed: int
    key: str
    faces: NDArray[np.int64]
    frames: tuple[MeshFrame, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What to call the frames: the best, the median and the worst one have names."""
        named = {0: "best", len(self.frames) // 2: "median", len(self.frames) - 1: "worst"}
        return tuple(
            " ".join(filter(None, (named.get(i, ""), f"frame {frame.index}")))
            for i, frame in enumerate(self.frames)
        )


@dataclass(frozen=True)
class TrainingCurve:
    """A quantity of one training as points (step, value)."""

    method: str
    seed: int
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class TrainingChart:
    """The curves of all trainings on one column.

    Attributes:
        title: the dataset, subset and setting, for an error also the split.
        quantity: `loss`, or the protocol and unit of an error on a sample of the frames.
        curves: one for each training.
    """

    title: str
    quantity: str
    curves: tuple[TrainingCurve, ...]


@dataclass(frozen=True)
class RunSummary:
    """One stored run in the list of runs; `numbers` has its scores as text."""

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
    """The whole report of a suite.

    Attributes:
        board: the leaderboard.
        methods: a description of each method in the tables.
        bars, sweeps, splits, trainings: the charts.
        meshes: what methods reconstruct as meshes from pictures.
        planned: the number of runs that the suite asks for.
        runs: the stored runs.
        environments: the environments of the runs, with the number of runs in each.
        left_out: what the report lacks, and why.
    """

    board: Leaderboard
    methods: Mapping[str, str]
    bars: tuple[BarChart, ...]
    sweeps: tuple[Sweep, ...]
    splits: tuple[SplitReport, ...]
    meshes: tuple[MeshGallery, ...]
    trainings: tuple[TrainingChart, ...]
    planned: int
    runs: tuple[RunSummary, ...]
    environments: tuple[Mapping[str, Any], ...]
    left_out: tuple[str, ...]
