"""Where rays cross the triangles of a mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Bools, Floats

_AT_ONCE = 4  # frames, of some 58 rays and 5000 triangles each: some 30 MB


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
    planes = np.cross(np.roll(corners, -1, axis=-2), np.roll(corners, -2, axis=-2))
    flat = planes.reshape(*planes.shape[:-3], -1, 3)
    sides = (rays @ flat.swapaxes(-1, -2)).reshape(*rays.shape[:-1], -1, 3)
    passes = (sides >= 0).all(axis=-1) | (sides <= 0).all(axis=-1)
    across = sides.sum(axis=-1)
    volume = np.einsum("...tc,...tc->...t", corners[..., 0, :], planes[..., 0, :])
    # A ray within the plane of a triangle does not cross it.
    return np.divide(
        np.broadcast_to(volume[..., None, :], across.shape),
        across,
        out=np.full(across.shape, np.nan),
        where=passes & (across != 0),
    )


def hidden_points(
    points: Floats, eyes: Floats, vertices: Floats, faces: NDArray[np.int64], skin: float
) -> Bools:
    """Return which points a mesh hides from the eyes, (F, P).

    Args:
        points: (F, P, 3) or (1, P, 3) in the frame of the mesh.
        eyes: (F, 3) in the same frame.
        vertices: (V, 3).
        faces: (T, 3) indices of vertices.
        skin: how near to a point the mesh does not hide it; points lie on the mesh.
    """
    hidden = []
    for start in range(0, len(eyes), _AT_ONCE):
        eye = eyes[start : start + _AT_ONCE]
        rays = (points if len(points) == 1 else points[start : start + _AT_ONCE]) - eye[:, None]
        at = crossings(rays, vertices[faces] - eye[:, None, None])
        nearest = 1 - skin / np.linalg.norm(rays, axis=2, keepdims=True)
        hidden.append(((at > 0) & (at < nearest)).any(axis=2))
    return np.concatenate(hidden)
