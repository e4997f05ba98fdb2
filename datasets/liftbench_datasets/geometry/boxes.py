"""The boxes of points in an image."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats


def point_boxes(points_2d: Floats) -> Floats:
    """Return x, y, width and height (F, 4) of the smallest boxes around points (F, P, 2)."""
    low = points_2d.min(axis=1)
    return np.concatenate([low, points_2d.max(axis=1) - low], axis=1)
