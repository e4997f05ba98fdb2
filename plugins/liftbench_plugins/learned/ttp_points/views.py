"""Key points as the layer sees them: about their mean, in a unit of their size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations
from liftbench.types import Bools, Floats


@dataclass(frozen=True, eq=False)
class PointViews:
    """The key points of F frames.

    Attributes:
        points: (F, P, 2), about the mean of the visible ones and divided by `unit`; 0 where hidden.
        visible: (F, P).
        middle: (F, 2), the mean of the visible points, in the data's unit.
        unit: (F,), in the data's unit.
    """

    points: Tensor
    visible: Tensor
    middle: Floats
    unit: Floats


def sizes_differ(observations: Observations) -> bool:
    """Return whether frames have no common unit of length: points are in pixels, or divided."""
    if observations.camera != "orthographic":
        return True
    pixel = observations.pixel
    return pixel is not None and bool((pixel == pixel[0]).all())


def spreads(observations: Observations) -> Floats:
    """Return the root mean square (F,) of coordinates of visible points about their mean."""
    centred, visible, _ = _centre(observations)
    squares = np.square(centred).sum(axis=(1, 2))
    found: Floats = np.sqrt(squares / (2 * np.maximum(visible.sum(axis=1), 1)))
    return found


def shared_spread(observations: Observations) -> float:
    """Return the root mean square of the same over all visible points.

    Raises:
        ValueError: the points of every frame coincide.
    """
    weights = observations.visible.sum(axis=1)
    square = (weights * np.square(spreads(observations))).sum() / max(1, weights.sum())
    if not square > 0:
        raise ValueError("ttp_points needs points that differ: those of every frame coincide")
    return float(np.sqrt(square))


def views_of(observations: Observations, unit: float | None, device: str) -> PointViews:
    """Return the views of observations, in double precision.

    Args:
        observations: F frames.
        unit: of all frames; None: the spread of each frame's points.
        device: where the tensors are.
    """
    centred, visible, middle = _centre(observations)
    units = spreads(observations) if unit is None else np.full(len(centred), unit)
    # A frame whose points coincide has no size; any will do.
    units = np.where(units > 0, units, 1.0)
    return PointViews(
        torch.tensor(centred / units[:, None, None], device=device),
        torch.tensor(visible, device=device),
        middle,
        units,
    )


def _centre(observations: Observations) -> tuple[Floats, Bools, Floats]:
    """Return points about the mean of the visible ones, visibility, and the means."""
    visible, shown = observations.visible, observations.visible[..., None]
    points = np.where(shown, observations.points_2d, 0.0)
    middle = points.sum(axis=1) / np.maximum(shown.sum(axis=1), 1)
    return np.where(shown, points - middle[:, None], 0.0), visible, middle
