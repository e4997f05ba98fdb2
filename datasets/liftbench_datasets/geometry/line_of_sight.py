"""Occlusion of points by a surface of triangles, for an orthographic camera along z."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Bools, Floats

Indices = NDArray[np.int64]
_PAIRS_AT_ONCE = 1 << 21  # bound of points times triangles; few of these pairs are compared


def orthographic_occlusion(points: Floats, vertices: Floats, faces: Indices, skin: float) -> Bools:
    """Return which points the surface hides, (F, P).

    The ray of every point is cut with every triangle, so the result is exact.

    Args:
        points: (F, P, 3) in the camera's frame.
        vertices: (F, V, 3) of the surface.
        faces: (T, 3) indices of vertices.
        skin: distance before a point where a triangle begins to hide it; points lie on the surface.
    """
    frames, count = points.shape[:2]
    step = max(1, _PAIRS_AT_ONCE // max(1, count * len(faces)))
    parts = [
        _occlusion(points[i : i + step], vertices[i : i + step, faces], skin)
        for i in range(0, frames, step)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, count), dtype=np.bool_)


def _occlusion(points: Floats, triangles: Floats, skin: float) -> Bools:
    """Return which points (F, P, 3) are hidden, (F, P).

    Args:
        points: (F, P, 3).
        triangles: (F, T, 3, 3) triangle, corner, coordinate.
        skin: see `orthographic_occlusion`.
    """
    low, high = triangles.min(axis=2), triangles.max(axis=2)
    point, face = _overlapping(points[..., 0], low[..., 0], high[..., 0])
    places, corners = points.reshape(-1, 3), triangles.reshape(-1, 3, 3)
    (_, bottom, front), (_, top, _) = low.reshape(-1, 3).T, high.reshape(-1, 3).T
    y, z = places[point, 1], places[point, 2]
    near = (bottom[face] <= y) & (y <= top[face]) & (front[face] < z - skin)
    point, face = point[near], face[near]
    result = np.zeros(len(places), dtype=np.bool_)
    result[point[_behind(places[point], corners[face], skin)]] = True
    return result.reshape(points.shape[:2])


def _overlapping(places: Floats, low: Floats, high: Floats) -> tuple[Indices, Indices]:
    """Return the pairs of a place and an interval of the same frame that contains it.

    Args:
        places: (F, P).
        low: (F, T) lower ends of the intervals.
        high: (F, T) upper ends.

    Returns:
        Flat indices of places and of intervals, (N,) each.
    """
    least, most = places.min(), places.max()
    shift = (most - least + 1) * np.arange(len(places))[:, None]  # frames side by side
    order = np.argsort((places + shift).ravel())
    line = (places + shift).ravel()[order]
    first = np.searchsorted(line, (low.clip(min=least) + shift).ravel(), "left")
    last = np.searchsorted(line, (high.clip(max=most) + shift).ravel(), "right")
    counts = np.maximum(last - first, 0)
    interval = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(interval)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[first[interval] + within], interval


def _behind(points: Floats, triangles: Floats, skin: float) -> Bools:
    """Return which of N points (N, 3) lie behind their triangles (N, 3, 3)."""
    origin = triangles[:, 0]
    first, second, place = (p - origin for p in (triangles[:, 1], triangles[:, 2], points))
    area = _cross(first, second)
    flat = area == 0  # seen from its edge, a triangle hides nothing
    area = np.where(flat, 1.0, area)
    along, across = _cross(place, second) / area, _cross(first, place) / area
    inside = ~flat & (along >= 0) & (across >= 0) & (along + across <= 1)
    depth = along * first[:, 2] + across * second[:, 2]
    return np.asarray(inside & (depth < place[:, 2] - skin))


def _cross(a: Floats, b: Floats) -> Floats:
    """Return the z coordinate of the cross products."""
    product: Floats = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return product
