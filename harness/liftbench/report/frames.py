"""Reads the errors of a run's frames, and its best, median and worst frame in full."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from liftbench.arrays import Arrays, cache_arrays
from liftbench.crops import make_crops
from liftbench.errors import UserError
from liftbench.protocols.metrics import Metric
from liftbench.protocols.protocol import Protocol
from liftbench.report.content import FRAME_RANKS, ComparedFrame, FramePicture, FrameRank
from liftbench.runs.bench import Bench
from liftbench.runs.exchange import load_reconstructions
from liftbench.runs.scoring import frame_values, match_points
from liftbench.runs.store import RunRecord, Store
from liftbench.types import Bools, Dataset, Floats, Reconstruction

MOST_POINTS = 500  # of a frame that is drawn: enough to show a surface
PICTURE = 160  # pixels of the edge of a picture
_KIND = "report_frames_2"  # raise the number when the cached arrays change


@dataclass(frozen=True, eq=False)
class RunFrames:
    """The errors of a run on one split, and its best, median and worst frame.

    Attributes:
        errors: (N,) the errors of all scored frames.
        frame, sequence: (3,) indices and sequences of the best, median and worst frame.
        error: (3,) their errors.
        predicted, truth: (3, P, 3) their points, aligned as the metric compares them.
        hidden: (3, P) whether the method did not see a point.
        counts: (3, P) whether a point counts in the error.
        names: (P,) names of the points.
        edges: (E, 2) edges of the skeleton.
        unit: () the unit of the points, empty if they have none.
        pictures: (3, N, N, 3) what a method saw that reconstructs from images; else empty.
        positions: (3, P, 2) where it sees the points, in pixels of these pictures; else empty.
        taught: (3, P, 3) the frames as the method's teacher reconstructs them; else empty.
        taught_error: (3,) their errors; else empty.
    """

    errors: NDArray[np.float32]
    frame: NDArray[np.int64]
    sequence: NDArray[np.int64]
    error: Floats
    predicted: Floats
    truth: Floats
    hidden: Bools
    counts: Bools
    names: NDArray[np.str_]
    edges: NDArray[np.int64]
    unit: NDArray[np.str_]
    pictures: NDArray[np.uint8]
    positions: Floats
    taught: Floats
    taught_error: Floats

    @property
    def shown(self) -> tuple[ComparedFrame, ...]:
        """The best, median and worst frame with at most `MOST_POINTS` points."""
        return tuple(self._frame(i, rank) for i, rank in enumerate(FRAME_RANKS))

    def _frame(self, i: int, rank: FrameRank) -> ComparedFrame:
        kept = slice(None, None, point_step(self.truth.shape[1]))
        frame = ComparedFrame(
            rank,
            int(self.frame[i]),
            int(self.sequence[i]),
            float(self.error[i]),
            self.predicted[i, kept],
            self.truth[i, kept],
            self.hidden[i, kept],
            self.counts[i, kept],
        )
        if len(self.pictures):
            picture = FramePicture(self.pictures[i], self.positions[i, kept])
            frame = replace(frame, picture=picture)
        if len(self.taught):
            error = float(self.taught_error[i])
            teacher = replace(frame, predicted=self.taught[i, kept], error=error, picture=None)
            frame = replace(frame, teacher=teacher)
        return frame


def point_step(points: int) -> int:
    """Return n such that every n-th point of a frame is drawn."""
    return -(-points // MOST_POINTS)


@dataclass(frozen=True)
class PointProtocol:
    """A protocol that compares 3D points, with its metric and the unit of its numbers."""

    protocol: Protocol
    metric: Metric
    unit: str


@dataclass
class FrameSource:
    """Reads the frames of runs, and counts the runs without frames by the reason."""

    bench: Bench
    store: Store
    point_protocol: PointProtocol
    absent: Counter[str] = field(default_factory=Counter)

    def read(
        self,
        record: RunRecord,
        load: Callable[[str], Dataset],
        teacher: RunRecord | None = None,
    ) -> dict[str, RunFrames]:
        """Return the frames of a run by split; empty if its predictions or data are absent.

        Args:
            record: the record of the run.
            load: returns a split as the method saw it, with its truth.
            teacher: the record of the run of its teacher on the same data, if there is one.
        """
        run = self._run_of(record)
        taught_by = None if teacher is None else self._run_of(teacher)
        try:
            return {
                split: _read_split(run, split, self.point_protocol, load, taught_by)
                for split in record.spec.evaluate
            }
        except FileNotFoundError:
            self.absent["their predictions (runs/*.npz, which git does not keep) are not here"] += 1
        except (OSError, UserError, ValueError, LookupError) as error:
            self.absent[str(error).replace(str(self.bench.root), "DATA_ROOT")] += 1
        return {}

    def _run_of(self, record: RunRecord) -> _StoredRun:
        path = self.store.predictions_path(record.spec.key)
        return _StoredRun(
            record,
            cache(partial(load_reconstructions, path)),
            is_there=path.exists(),
            in_pictures=self._in_pictures(record),
        )

    def _in_pictures(self, record: RunRecord) -> bool:
        method = self.bench.registry.methods.items.get(record.spec.method["key"])
        return method is not None and method.capabilities.images

    @property
    def left_out(self) -> tuple[str, ...]:
        """One line for each reason why frames are absent."""
        shown = "error distributions and reconstructions"
        return tuple(
            f"No {shown} of {count} {'run' if count == 1 else 'runs'}: {why}"
            for why, count in self.absent.items()
        )


@dataclass(frozen=True)
class _StoredRun:
    """A run and its predictions by split, which are read when they are needed."""

    record: RunRecord
    predictions: Callable[[], Mapping[str, Reconstruction]]
    is_there: bool
    in_pictures: bool

    def has(self, split: str) -> bool:
        """Return whether there are predictions of a split."""
        return self.is_there and split in self.record.digests

    def identity(self, split: str) -> str:
        """Return text that changes with the predictions of a split."""
        return f"{self.record.spec.key} {self.record.digests.get(split, '')}"

    def is_mirrored(self, split: str, protocol: Protocol) -> bool:
        """Return whether a protocol mirrors the fit."""
        score = self.record.scores.get(protocol.identity, {}).get(split)
        return score is not None and score.mirrored


def _read_split(
    run: _StoredRun,
    split: str,
    point_protocol: PointProtocol,
    load: Callable[[str], Dataset],
    teacher: _StoredRun | None,
) -> RunFrames:
    """Return the frames of one split; they are cached because aligning them takes long."""
    taught_by = teacher if teacher and teacher.has(split) else None
    texts = (run.identity(split), taught_by.identity(split) if taught_by else "")
    content = f"{split} {point_protocol.protocol.identity} {texts}"
    checksum = hashlib.sha256(content.encode()).hexdigest()

    def make() -> Arrays:
        data = load(split)
        arrays = _frame_arrays(run, split, data, point_protocol)
        arrays |= _picture_arrays(run, split, data, arrays["frame"])
        return arrays | _teacher_arrays(taught_by, split, data, point_protocol, arrays["frame"])

    return RunFrames(**cache_arrays(_KIND, checksum, make))


def _frame_arrays(
    run: _StoredRun, split: str, data: Dataset, point_protocol: PointProtocol
) -> Arrays:
    """Return the fields of `RunFrames` that every run has."""
    protocol, metric = point_protocol.protocol, point_protocol.metric
    prediction, mirrored = run.predictions()[split], run.is_mirrored(split, protocol)
    values, scored = frame_values(prediction, data, metric, protocol, mirrored=mirrored)
    order = np.flatnonzero(scored)[np.argsort(values[scored], kind="stable")]
    frames = order[[0, len(order) // 2, -1]]
    matched = match_points(prediction, data, metric, protocol, frames, mirrored=mirrored)
    seen, true = data.observations, data.truth
    mask = None if true is None else true.mask
    unit = "" if true is None or protocol.spread_unit else true.unit
    return {
        "errors": values[scored].astype(np.float32),
        "frame": frames,
        "sequence": seen.sequence[frames],
        "error": matched.errors,
        "predicted": matched.predicted,
        "truth": matched.truth,
        "hidden": ~seen.visible[frames],
        "counts": np.ones_like(seen.visible[frames]) if mask is None else mask[frames],
        "names": np.array(seen.skeleton.points),
        "edges": np.array(seen.skeleton.edges, dtype=np.int64).reshape(-1, 2),
        "unit": np.array(unit),
    }


def _picture_arrays(
    run: _StoredRun, split: str, data: Dataset, frames: NDArray[np.int64]
) -> Arrays:
    """Return the pictures of frames and where a method sees the points in them."""
    if not run.in_pictures:
        return {"pictures": np.empty(0, dtype=np.uint8), "positions": np.empty(0)}
    shown = data.observations.take(frames)
    prediction = run.predictions()[split]
    found = prediction.points_2d
    positions = (prediction.points_3d[..., :2] if found is None else found)[frames]
    everywhere = np.ones(positions.shape[:2], dtype=np.bool_)
    placed = replace(shown, points_2d=positions, visible=everywhere).in_pixels()
    assert placed.images is not None  # noqa: S101 the run had them
    crops = make_crops(placed.images, placed.box, PICTURE)
    return {"pictures": np.array(crops.pixels), "positions": crops.to_crop(placed.points_2d)}


def _teacher_arrays(
    teacher: _StoredRun | None,
    split: str,
    data: Dataset,
    point_protocol: PointProtocol,
    frames: NDArray[np.int64],
) -> Arrays:
    """Return frames as a teacher reconstructs them."""
    if teacher is None:
        return {"taught": np.empty(0), "taught_error": np.empty(0)}
    protocol, metric = point_protocol.protocol, point_protocol.metric
    mirrored = teacher.is_mirrored(split, protocol)
    prediction = teacher.predictions()[split]
    matched = match_points(prediction, data, metric, protocol, frames, mirrored=mirrored)
    return {"taught": matched.predicted, "taught_error": matched.errors}
