"""Steps of a protocol between predicted and true points: centre, unit, depth flip, align, scale.

All take points (F, P, 3) and weights (F, P) that are 1 for a point that counts and 0 otherwise.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from liftbench.protocols.alignment import (
    norms,
    orthogonal_alignment,
    subtract_weighted_mean,
    weighted_mean,
)
from liftbench.types import Floats, Skeleton

Centre = Literal["none", "mean", "root", "depth"]
Align = Literal["none", "rotation", "orthogonal"]
AlignOver = Literal["frame", "sequence"]
Scale = Literal["none", "norm", "least_squares", "bones"]

# A prediction this much smaller than the truth has all its points in one place.
_COLLAPSED = 1e-9


class DegeneratePredictionError(ValueError):
    """The points of a predicted frame coincide, so that no scale or rotation can be found."""


def refuse_collapsed(predicted: Floats, truth: Floats, weights: Floats) -> None:
    """Raise unless the points that count have an extent in every frame, centred at their mean.

    Raises:
        ValueError: the true points of a frame coincide.
        DegeneratePredictionError: the predicted points of a frame coincide.
    """
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


def centre_points(points: Floats, weights: Floats, centre: Centre, root: int) -> Floats:
    """Move each frame so that its centre is the origin; `depth` moves along z alone."""
    if centre == "mean":
        return subtract_weighted_mean(points, weights)
    if centre == "root":
        return points - points[:, root, None]
    if centre == "depth":
        depth: Floats = weighted_mean(points, weights) * np.array([0.0, 0.0, 1.0])
        return points - depth
    return points


def mean_spread(points: Floats, weights: Floats) -> float:
    """Return the mean over frames and coordinates of the standard deviation (ddof 1)."""
    squares = subtract_weighted_mean(points, weights) ** 2 * weights[..., None]
    variance = squares.sum(axis=1) / (weights.sum(axis=1)[:, None] - 1)
    return float(np.sqrt(variance).mean())


def flip_depth(points: Floats) -> Floats:
    """Mirror points in depth."""
    mirrored: Floats = points * (1.0, 1.0, -1.0)
    return mirrored


def align_points(
    predicted: Floats, truth: Floats, weights: Floats, align: Align, over: AlignOver
) -> Floats:
    """Turn the prediction to the truth, each frame or all frames as one sequence.

    Both must be centred. Only `orthogonal` allows a reflection.
    """
    if align == "none":
        return predicted
    shape, reflection = predicted.shape, align == "orthogonal"
    if over == "frame":
        turn = orthogonal_alignment(predicted, truth, weights, reflection=reflection)
    else:
        rows = (1, -1, 3)
        turn = orthogonal_alignment(
            predicted.reshape(rows),
            truth.reshape(rows),
            weights.reshape(1, -1),
            reflection=reflection,
        )
    return (predicted @ turn).reshape(shape)


def scale_points(
    predicted: Floats, truth: Floats, weights: Floats, scale: Scale, skeleton: Skeleton
) -> Floats:
    """Scale each frame of the prediction to the size of the truth.

    Raises:
        ValueError: no edge of the skeleton has two ends that count, for `bones`.
    """
    if scale == "none":
        return predicted
    if scale == "norm":
        factor = norms(truth, weights) / norms(predicted, weights)
    elif scale == "bones":
        factor = _bone_length(truth, weights, skeleton) / _bone_length(predicted, weights, skeleton)
    else:
        overlap = (np.einsum("fpc,fpc->fp", predicted, truth) * weights).sum(axis=1)
        factor = overlap / norms(predicted, weights) ** 2
    resized: Floats = predicted * factor[:, None, None]
    return resized


def _bone_length(points: Floats, weights: Floats, skeleton: Skeleton) -> Floats:
    """Return the mean length (F,) of the edges whose ends both count."""
    first, second = np.array(skeleton.edges).T
    counts = weights[:, first] * weights[:, second]
    if not counts.any(axis=1).all():
        raise ValueError(f"frame {int((~counts.any(axis=1)).argmax())} has no edge that counts")
    lengths = np.linalg.norm(points[:, first] - points[:, second], axis=2)
    total: Floats = (lengths * counts).sum(axis=1) / counts.sum(axis=1)
    return total
