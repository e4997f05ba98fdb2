"""Protocols: everything between a prediction and a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from liftbench.alignment import norms, orthogonal_alignment, weighted_centred
from liftbench.metrics import Metric
from liftbench.types import Floats, GroundTruth, Reconstruction

# A prediction this much smaller than the truth has all its points in one place.
_COLLAPSED = 1e-9
_BLOCK = 512


class DegeneratePredictionError(ValueError):
    """The points of a predicted frame coincide, so that no scale or rotation can be found."""


@dataclass(frozen=True)
class Protocol:
    """A named way from a prediction to a number; every step stands in its fields.

    The steps run in this order: centre, unit, depth flip (the better of both), align, scale,
    metric; the result is the mean over frames.

    Attributes:
        name: name in suites and tables.
        metric: name of the frame error.
        description: one sentence for captions.
        version: raise it when numbers change.
        spread_unit: lengths are divided by the mean standard deviation of the truth's rows.
        centre: which point goes to the origin.
        depth_flip: a frame may be mirrored in depth if that lowers its error.
        align: orthogonal alignment to the truth; `orthogonal` allows a reflection.
        align_over: one alignment for each frame or for each whole sequence.
        scale: match the norms, or scale by least squares, a frame at a time.
    """

    name: str
    metric: str
    description: str
    version: int = 1
    spread_unit: bool = False
    centre: Literal["none", "mean", "root"] = "mean"
    depth_flip: bool = False
    align: Literal["none", "rotation", "orthogonal"] = "none"
    align_over: Literal["frame", "sequence"] = "frame"
    scale: Literal["none", "norm", "least_squares"] = "none"

    @property
    def identity(self) -> str:
        """Name and version, which every stored number carries."""
        return f"{self.name}@{self.version}"


def frame_errors(
    protocol: Protocol,
    metric: Metric,
    prediction: Reconstruction,
    truth: GroundTruth,
    root: int = 0,
) -> Floats:
    """Return the error (F,) of each frame under a protocol.

    Args:
        protocol: the steps.
        metric: the frame error that `protocol.metric` names.
        prediction: predicted points in the camera's frame.
        truth: true points in the camera's frame.
        root: index of the point that `centre="root"` puts at the origin.

    Raises:
        ValueError: shapes differ, or a true frame has no point that counts or no extent.
        DegeneratePredictionError: all points of a predicted frame coincide.
    """
    predicted, true = prediction.points_3d, truth.points_3d
    if predicted.shape != true.shape:
        raise ValueError(f"expected predicted points {true.shape}, got {predicted.shape}")
    weights = np.ones(true.shape[:2]) if truth.mask is None else truth.mask.astype(np.float64)
    if not weights.any(axis=1).all():
        raise ValueError(f"frame {int((~weights.any(axis=1)).argmax())} has no point that counts")
    errors = np.empty(len(true))
    for part in _parts(protocol, truth):
        errors[part] = _part_errors(
            protocol, metric, predicted[part], true[part], weights[part], root
        )
    return errors


def _parts(protocol: Protocol, truth: GroundTruth) -> Iterator[slice | NDArray[np.intp]]:
    """Yield the frames that are taken together: sequences, or blocks that fit the CPU's cache."""
    if protocol.align_over == "sequence":
        for sequence in np.unique(truth.sequence):
            yield np.flatnonzero(truth.sequence == sequence)
        return
    for start in range(0, len(truth.points_3d), _BLOCK):
        yield slice(start, start + _BLOCK)


def _part_errors(
    protocol: Protocol, metric: Metric, predicted: Floats, truth: Floats, weights: Floats, root: int
) -> Floats:
    at_mean = weighted_centred(predicted, weights), weighted_centred(truth, weights)
    _refuse_collapsed(*at_mean, weights)
    if protocol.centre == "mean":
        predicted, truth = at_mean
    elif protocol.centre == "root":
        predicted, truth = (points - points[:, root, None] for points in (predicted, truth))
    if protocol.spread_unit:
        sigma = _spread(truth, weights)
        predicted, truth = predicted / sigma, truth / sigma
    errors = metric.errors(_matched(protocol, predicted, truth, weights), truth, weights)
    if protocol.depth_flip:
        mirrored = _matched(protocol, predicted * (1.0, 1.0, -1.0), truth, weights)
        errors = np.minimum(errors, metric.errors(mirrored, truth, weights))
    return errors


def _spread(points: Floats, weights: Floats) -> float:
    """Return the mean over frames and coordinates of the standard deviation (ddof 1)."""
    squares = weighted_centred(points, weights) ** 2 * weights[..., None]
    variance = squares.sum(axis=1) / (weights.sum(axis=1)[:, None] - 1)
    return float(np.sqrt(variance).mean())


def _refuse_collapsed(predicted: Floats, truth: Floats, weights: Floats) -> None:
    """Raise where all points that count coincide in a centred frame."""
    extent = norms(truth, weights)
    if not extent.all():
        raise ValueError(
            f"all true points that count coincide in {int((extent == 0).sum())} frames"
        )
    collapsed = norms(predicted, weights) <= _COLLAPSED * extent
    if collapsed.any():
        raise DegeneratePredictionError(
            f"all points coincide in {int(collapsed.sum())} of {len(collapsed)} predicted frames"
        )


def _matched(protocol: Protocol, predicted: Floats, truth: Floats, weights: Floats) -> Floats:
    """Return the prediction aligned and scaled to the truth."""
    if protocol.align != "none":
        shape = predicted.shape
        if protocol.align_over == "sequence":
            rows = (1, -1, 3)
            turn = orthogonal_alignment(
                predicted.reshape(rows),
                truth.reshape(rows),
                weights.reshape(1, -1),
                reflection=protocol.align == "orthogonal",
            )
        else:
            turn = orthogonal_alignment(
                predicted, truth, weights, reflection=protocol.align == "orthogonal"
            )
        predicted = (predicted @ turn).reshape(shape)
    if protocol.scale == "norm":
        scale = norms(truth, weights) / norms(predicted, weights)
    elif protocol.scale == "least_squares":
        overlap = (np.einsum("fpc,fpc->fp", predicted, truth) * weights).sum(axis=1)
        scale = overlap / norms(predicted, weights) ** 2
    else:
        return predicted
    scaled: Floats = predicted * scale[:, None, None]
    return scaled


BUILTIN_PROTOCOLS = (
    Protocol(
        "e3d",
        "relative_norm",
        "per frame: centred, scaled to the truth's Frobenius norm, best orthogonal alignment "
        "(reflection allowed), ‖S_gt - S‖_F / ‖S_gt‖_F; mean over frames (PR-RRN, eq. 19)",
        align="orthogonal",
        scale="norm",
    ),
    Protocol(
        "e3d_akhter",
        "mean_distance",
        "lengths over the truth's mean row spread (ddof 1), centred, one orthogonal alignment "
        "for each sequence, mean point distance (Akhter et al.; Dai et al.)",
        spread_unit=True,
        align="orthogonal",
        align_over="sequence",
    ),
    Protocol("mpjpe", "mean_distance", "centred, no scale, no alignment, mean point distance"),
    Protocol(
        "mpjpe_scale",
        "mean_distance",
        "centred, scaled to the truth's Frobenius norm, mean point distance",
        scale="norm",
    ),
    Protocol(
        "mpjpe_scale_flip",
        "mean_distance",
        "centred, scaled to the truth's Frobenius norm, flipped in depth where that is better, "
        "mean point distance (Deep NRSfM++, section 5)",
        scale="norm",
        depth_flip=True,
    ),
    Protocol(
        "mpjpe_flip",
        "mean_distance",
        "centred, flipped in depth where that is better, mean point distance",
        depth_flip=True,
    ),
    Protocol(
        "pa_mpjpe",
        "mean_distance",
        "best similarity without reflection a frame, mean point distance",
        align="rotation",
        scale="least_squares",
    ),
    Protocol("stress", "stress", "mean difference of pairwise distances, no scale", centre="none"),
    Protocol(
        "depth_error",
        "mean_depth_distance",
        "root points aligned, mean distance along z (KD, section 5.2)",
        centre="root",
    ),
)
