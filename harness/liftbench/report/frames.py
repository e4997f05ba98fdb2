"""Reads the errors of a run's frames, and its best, median and worst frame in full."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from liftbench.arrays import Arrays, cache_arrays
from liftbench.errors import UserError
from liftbench.protocols.metrics import Metric
from liftbench.protocols.protocol import Protocol
from liftbench.report.content import FRAME_RANKS, ComparedFrame
from liftbench.runs.bench import Bench
from liftbench.runs.exchange import load_reconstructions
from liftbench.runs.scoring import frame_values, match_points
from liftbench.runs.store import RunRecord, Store
from liftbench.types import Bools, Dataset, Floats, Reconstruction

MOST_POINTS = 500  # of a frame that is drawn: enough to show a surface
_KIND = "report_frames_1"  # raise the number when the cached arrays change


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

    @property
    def shown(self) -> tuple[ComparedFrame, ...]:
        """The best, median and worst frame with at most `MOST_POINTS` points."""
        kept = slice(None, None, point_step(self.truth.shape[1]))
        return tuple(
            ComparedFrame(
                rank,
                int(self.frame[i]),
                int(self.sequence[i]),
                float(self.error[i]),
                self.predicted[i, kept],
                self.truth[i, kept],
                self.hidden[i, kept],
                self.counts[i, kept],
            )
            for i, rank in enumerate(FRAME_RANKS)
        )


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

    def read(self, record: RunRecord, load: Callable[[str], Dataset]) -> dict[str, RunFrames]:
        """Return the frames of a run by split; empty if its predictions or data are absent.

        Args:
            record: the record of the run.
            load: returns a split as the method saw it, with its truth.
        """
        path = self.store.predictions_path(record.spec.key)
        predictions = cache(partial(load_reconstructions, path))
        try:
            return {
                split: _read_split(record, split, self.point_protocol, predictions, load)
                for split in record.spec.evaluate
            }
        except FileNotFoundError:
            self.absent["their predictions (runs/*.npz, which git does not keep) are not here"] += 1
        except (OSError, UserError, ValueError, LookupError) as error:
            self.absent[str(error).replace(str(self.bench.root), "DATA_ROOT")] += 1
        return {}

    @property
    def left_out(self) -> tuple[str, ...]:
        """One line for each reason why frames are absent."""
        shown = "error distributions and reconstructions"
        return tuple(
            f"No {shown} of {count} {'run' if count == 1 else 'runs'}: {why}"
            for why, count in self.absent.items()
        )


def _read_split(
    record: RunRecord,
    split: str,
    point_protocol: PointProtocol,
    predictions: Callable[[], Mapping[str, Reconstruction]],
    load: Callable[[str], Dataset],
) -> RunFrames:
    """Return the frames of one split; they are cached because aligning them takes long."""
    digest, protocol = record.digests.get(split, ""), point_protocol.protocol.identity
    content = f"{record.spec.key} {split} {digest} {protocol}"
    checksum = hashlib.sha256(content.encode()).hexdigest()
    score = record.scores.get(protocol, {}).get(split)
    mirrored = score is not None and score.mirrored

    def make() -> Arrays:
        return _frame_arrays(predictions()[split], load(split), point_protocol, mirrored=mirrored)

    return RunFrames(**cache_arrays(_KIND, checksum, make))


def _frame_arrays(
    prediction: Reconstruction, data: Dataset, point_protocol: PointProtocol, *, mirrored: bool
) -> Arrays:
    """Return the fields of `RunFrames`."""
    protocol, metric = point_protocol.protocol, point_protocol.metric
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
