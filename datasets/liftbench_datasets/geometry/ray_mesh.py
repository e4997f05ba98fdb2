"""Crossings of rays with the triangles of a mesh, and what the mesh hides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Bools, Floats

_AT_ONCE = 2  # frames; with 58 rays and 5000 triangles each, about 20 MB


def crossings(rays: Floats, corners: Floats) -> Floats:
    """Return where rays from the origin cross triangles, as shares of the rays' lengths.

    A ray passes a triangle when it lies on the same side of the three planes through the origin
    and an edge.

    Args:
        rays: (..., P, 3).
        corners: (..., T, 3, 3) triangle, corner, coordinate.

    Returns:
        (..., P, T); NaN where a ray, made longer both ways, misses a triangle.
    """
    first, second, third = np.moveaxis(corners, -2, 0)
    planes = (np.cross(second, third), np.cross(third, first), np.cross(first, second))
    # No matrix product: for vectors of length three its threads cost more than they save.
    sides = [np.einsum("...pc,...tc->...pt", rays, plane) for plane in planes]
    across = sum(sides[1:], start=sides[0])
    passes = np.minimum.reduce(sides) * np.maximum.reduce(sides) >= 0
    volume = np.einsum("...tc,...tc->...t", first, planes[0])[..., None, :]
    # A ray within the plane of a triangle does not cross it.
    crosses = passes & (across != 0)
    at: Floats = np.where(crosses, volume / np.where(crosses, across, 1.0), np.nan)
    return at


def perspective_occlusion(
    points: Floats, eyes: Floats, vertices: Floats, faces: NDArray[np.int64], skin: float
) -> Bools:
    """Return which points a mesh hides from an eye in each frame, (F, P).

    Args:
        points: (F, P, 3) or (1, P, 3) in the frame of the mesh.
        eyes: (F, 3) in the same frame.
        vertices: (V, 3).
        faces: (T, 3) indices of vertices.
        skin: distance before a point where the mesh begins to hide it; points lie on the mesh.
    """
    hidden = []
    for start in range(0, len(eyes), _AT_ONCE):
        eye = eyes[start : start + _AT_ONCE]
        rays = (points if len(points) == 1 else points[start : start + _AT_ONCE]) - eye[:, None]
        at = crossings(rays, vertices[faces] - eye[:, None, None])
        nearest = 1 - skin / np.linalg.norm(rays, axis=2, keepdims=True)
        hidden.append(((at > 0) & (at < nearest)).any(axis=2))
    return np.concatenate(hidden)
