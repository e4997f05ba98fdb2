"""Normals of vertices."""

from __future__ import annotations

import numpy as np

from liftbench.meshes.normals import vertex_normals


def test_normals_are_the_sums_of_those_of_triangles_by_their_areas() -> None:
    vertices = np.array([[0.0, 0, 0], [2, 0, 0], [0, 3, 0], [0, 0, 4]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    found = vertex_normals(vertices, faces)
    down, front, left = np.array([0, 0, -6.0]), np.array([0, -8.0, 0]), np.array([-12.0, 0, 0])
    slope = np.array([12.0, 8, 6])
    np.testing.assert_allclose(found[0], down + front + left)
    np.testing.assert_allclose(found[1], down + front + slope)
    np.testing.assert_allclose(found[3], front + left + slope)
