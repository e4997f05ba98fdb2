"""Maps from points to positions in images, where a camera's own map is not a scale and offset."""

from __future__ import annotations

from liftbench.cameras import subtract_mean
from liftbench.types import Floats


def best_pixel(points_2d: Floats, positions: Floats) -> Floats:
    """Return the size of a pixel (F,) with which points, moved and scaled, fit positions best.

    The squares of the distances in pixels are least.

    Args:
        points_2d: (F, P, 2); two points of a frame differ.
        positions: (F, P, 2) of these points in their images, pixels.
    """
    points, places = subtract_mean(points_2d), subtract_mean(positions)
    pixel: Floats = (points**2).sum(axis=(1, 2)) / (points * places).sum(axis=(1, 2))
    return pixel


def best_origin(points_2d: Floats, positions: Floats, pixel: Floats) -> Floats:
    """Return the origin (F, 2) with which points, at this size of a pixel, fit positions best.

    Args:
        points_2d: (F, P, 2).
        positions: (F, P, 2) of these points in their images, pixels.
        pixel: (F,) size of a pixel in the unit of `points_2d`.
    """
    origin: Floats = (positions - points_2d / pixel[:, None, None]).mean(axis=1)
    return origin
