"""Normals of surfaces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Floats


def vertex_normals(vertices: Floats, faces: NDArray[np.int64]) -> Floats:
    """Return normals (V, 3) that point out of the surface, longer where triangles are larger.

    Args:
        vertices: (V, 3).
        faces: (T, 3), counter-clockwise as seen from outside.
    """
    first, second, third = np.moveaxis(vertices[faces], 1, 0)
    normals = np.zeros_like(vertices)
    np.add.at(normals, faces, np.cross(second - first, third - first)[:, None])
    return normals
