"""Protocols: everything between a prediction and a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from liftbench.protocols.alignment import subtract_weighted_mean
from liftbench.protocols.metrics import Metric
from liftbench.protocols.steps import (
    Align,
    AlignOver,
    Centre,
    Scale,
    align_points,
    centre_points,
    flip_depth,
    mean_spread,
    refuse_collapsed,
    scale_points,
)
from liftbench.types import Floats, GroundTruth, Reconstruction, Skeleton

# Frames that are compared at once: as many as fit the CPU's cache.
_BLOCK = 512
_Part = slice | NDArray[np.intp]


@dataclass(frozen=True)
class Protocol:
    """A named way from a prediction to a number; each step is a field.

    The steps run in this order: mirrored fit, axes, centre, unit, depth flip (the better of both),
    align, scale, metric, mean.

    Attributes:
        name: name in suites and tables.
        metric: name of the frame error.
        description: one sentence for captions.
        version: raise it when numbers change.
        axes: points are compared along the axes of the camera, or of the `body` if the truth has
            rotations: then predicted and true points are each turned back by their own rotations. A
            prediction without rotations is not turned.
        spread_unit: lengths are divided by the mean standard deviation of the truth's coordinates.
        centre: what goes to the origin: the `mean` of the points that count, the `root` point,
            or the mean `depth` alone.
        depth_flip: a frame may be mirrored in depth if that lowers its error.
        mirror_fit: all frames of a run are mirrored in depth, or none, whichever has the lower mean
            error: an orthographic camera leaves this one sign of a whole fit open.
        align: orthogonal alignment to the truth; `orthogonal` allows a reflection.
        align_over: one alignment for each frame or for each whole sequence.
        scale: match the norms, scale by least squares, or match the mean length of the skeleton's
            edges (`bones`), each frame by itself.
        mean: over all frames, or over the means of the truth's `groups`.
    """

    name: str
    metric: str
    description: str
    version: int = 1
    axes: Literal["camera", "body"] = "camera"
    spread_unit: bool = False
    centre: Centre = "mean"
    depth_flip: bool = False
    mirror_fit: bool = False
    align: Align = "none"
    align_over: AlignOver = "frame"
    scale: Scale = "none"
    mean: Literal["frames", "groups"] = "frames"

    @property
    def identity(self) -> str:
        """Name and version, which every stored number carries."""
        return f"{self.name}@{self.version}"


def frame_errors(
    protocol: Protocol,
    metric: Metric,
    prediction: Reconstruction,
    truth: GroundTruth,
    skeleton: Skeleton,
) -> Floats:
    """Return the error (F,) of each frame under a protocol.

    Args:
        protocol: the steps.
        metric: the frame error that `protocol.metric` names.
        prediction: predicted points in the camera's frame, and rotations if it has any.
        truth: true points in the camera's frame.
        skeleton: the root point and the edges, which some protocols need.

    Raises:
        ValueError: shapes differ, a true frame has no point that counts or no extent, or a
            protocol that scales by bones finds no edge.
        DegeneratePredictionError: all points of a predicted frame coincide.
    """
    weights = _point_weights(protocol, prediction, truth, skeleton)
    errors = np.empty(len(weights))
    for part in _parts(protocol, truth):
        matched = _match_part(protocol, metric, prediction, truth, weights, skeleton, part)
        errors[part] = matched.errors
    return errors


@dataclass(frozen=True, eq=False)
class Matched:
    """Frames as the metric of a protocol compares them.

    Attributes:
        predicted: (F, P, 3) after every step of the protocol.
        truth: (F, P, 3) after the steps that change the truth: axes, centre and unit.
        errors: (F,) of `predicted` from `truth`.
    """

    predicted: Floats
    truth: Floats
    errors: Floats


def match_frames(
    protocol: Protocol,
    metric: Metric,
    prediction: Reconstruction,
    truth: GroundTruth,
    skeleton: Skeleton,
    frames: NDArray[np.intp],
) -> Matched:
    """Return the frames of these indices, in their order, as the metric compares them.

    The other arguments and the errors raised are those of `frame_errors`. Prediction and truth have
    all frames, because an alignment may need whole sequences.
    """
    weights = _point_weights(protocol, prediction, truth, skeleton)
    predicted, true = np.empty((2, len(frames), *prediction.points_3d.shape[1:]))
    errors = np.empty(len(frames))
    for part in _parts(protocol, truth):
        members = np.arange(len(weights))[part]
        chosen = np.isin(frames, members)
        if chosen.any():
            matched = _match_part(protocol, metric, prediction, truth, weights, skeleton, part)
            rows = np.searchsorted(members, frames[chosen])
            predicted[chosen], true[chosen] = matched.predicted[rows], matched.truth[rows]
            errors[chosen] = matched.errors[rows]
    return Matched(predicted, true, errors)


def _point_weights(
    protocol: Protocol, prediction: Reconstruction, truth: GroundTruth, skeleton: Skeleton
) -> Floats:
    """Return weights (F, P), 1 for a point that counts; raise if the points cannot be compared."""
    predicted, true = prediction.points_3d, truth.points_3d
    if predicted.shape != true.shape:
        raise ValueError(f"expected predicted points {true.shape}, got {predicted.shape}")
    weights = np.ones(true.shape[:2]) if truth.mask is None else truth.mask.astype(np.float64)
    if not weights.any(axis=1).all():
        raise ValueError(f"frame {int((~weights.any(axis=1)).argmax())} has no point that counts")
    if protocol.scale == "bones" and not skeleton.edges:
        raise ValueError(f"{protocol.name} needs a skeleton with edges")
    return weights


def _parts(protocol: Protocol, truth: GroundTruth) -> Iterator[_Part]:
    """Yield the frames to align together: sequences, or blocks that fit the CPU's cache."""
    if protocol.align_over == "sequence":
        for sequence in np.unique(truth.sequence):
            yield np.flatnonzero(truth.sequence == sequence)
        return
    for start in range(0, len(truth.points_3d), _BLOCK):
        yield slice(start, start + _BLOCK)


def _match_part(
    protocol: Protocol,
    metric: Metric,
    prediction: Reconstruction,
    truth: GroundTruth,
    weights: Floats,
    skeleton: Skeleton,
    part: _Part,
) -> Matched:
    """Return the frames of a part as the metric compares them."""
    weights = weights[part]
    pair = _along_axes(protocol, prediction, truth, part)
    predicted, true = (subtract_weighted_mean(points, weights) for points in pair)
    refuse_collapsed(predicted, true, weights)
    if protocol.centre != "mean":
        predicted, true = (
            centre_points(points, weights, protocol.centre, skeleton.root) for points in pair
        )
    if protocol.spread_unit:
        sigma = mean_spread(true, weights)
        predicted, true = predicted / sigma, true / sigma

    def match(candidate: Floats) -> Matched:
        turned = align_points(candidate, true, weights, protocol.align, protocol.align_over)
        scaled = scale_points(turned, true, weights, protocol.scale, skeleton)
        return Matched(scaled, true, metric.errors(scaled, true, weights))

    if protocol.depth_flip:
        return _better(match(predicted), match(flip_depth(predicted)))
    return match(predicted)


def _along_axes(
    protocol: Protocol, prediction: Reconstruction, truth: GroundTruth, part: _Part
) -> tuple[Floats, Floats]:
    """Return predicted and true points of a part along the axes of the protocol."""
    predicted, true = prediction.points_3d[part], truth.points_3d[part]
    if protocol.axes == "camera" or truth.rotation is None:
        return predicted, true
    if prediction.rotation is not None:
        predicted = predicted @ prediction.rotation[part]
    return predicted, true @ truth.rotation[part]


def _better(first: Matched, second: Matched) -> Matched:
    """Return each frame from that match in which it has the lower error."""
    lower = second.errors < first.errors
    return Matched(
        np.where(lower[:, None, None], second.predicted, first.predicted),
        first.truth,
        np.where(lower, second.errors, first.errors),
    )
