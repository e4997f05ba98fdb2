"""Rays through meshes against brute force and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from liftbench.types import Floats
from liftbench_datasets.geometry.ray_mesh import crossings, perspective_occlusion

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
FACES = np.array(
    [
        *([0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1]),
        *([2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]),
    ]
)


def crossing(ray: Floats, corners: Floats) -> float:
    """Solve for the share of the ray and the barycentric coordinates in the triangle."""
    a, b, c = corners
    share, u, v = np.linalg.solve(np.stack([ray, a - b, a - c], axis=1), a)
    return float(share) if min(u, v, 1 - u - v) >= 0 else np.nan


def test_crossings_are_those_of_the_linear_equations() -> None:
    rng = np.random.default_rng(0)
    rays, corners = rng.normal(size=(2, 7, 3)), rng.normal(size=(2, 40, 3, 3))
    found = crossings(rays, corners)
    slow = [
        [[crossing(r, c) for c in cs] for r in rs] for rs, cs in zip(rays, corners, strict=True)
    ]
    np.testing.assert_allclose(found, slow, rtol=1e-9)
    assert 30 < np.isfinite(found).sum() < 300
    assert (found[np.isfinite(found)] < 0).any()


def test_a_cube_is_crossed_at_its_faces() -> None:
    rays = np.random.default_rng(1).normal(size=(200, 3))
    at = crossings(rays, CUBE[FACES])
    np.testing.assert_allclose(np.nanmax(at, axis=1), 1 / np.abs(rays).max(axis=1))
    np.testing.assert_allclose(np.nanmin(at, axis=1), -1 / np.abs(rays).max(axis=1))


def test_a_ray_through_an_edge_or_a_corner_meets_the_cube() -> None:
    rays = np.array([[1.0, 1, 1], [1, 1, 0], [1, 0, 0], [-2, 2, 1]])
    np.testing.assert_allclose(
        np.nanmax(crossings(rays, CUBE[FACES]), axis=1), 1 / np.abs(rays).max(axis=1)
    )


def test_a_ray_within_a_triangles_plane_misses_it() -> None:
    flat = np.array([[[1.0, 0, 0], [2, 0, 0], [1, 1, 0]]])
    assert np.isnan(crossings(np.array([[1.0, 0.2, 0]]), flat)).all()


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_a_cube_hides_the_faces_that_look_away(frames: int) -> None:
    rng = np.random.default_rng(frames)
    eyes = rng.normal(size=(frames, 3))
    eyes *= 5 / np.linalg.norm(eyes, axis=1, keepdims=True)
    axis, sign = np.arange(120) % 3, np.where(np.arange(120) % 2, 1.0, -1.0)
    points = rng.uniform(-0.8, 0.8, (120, 3))
    points[np.arange(120), axis] = sign
    hidden = perspective_occlusion(points[None], eyes, CUBE, FACES, skin=0.01)
    np.testing.assert_array_equal(hidden, eyes[:, axis] * sign < 1)
    repeated = np.repeat(points[None], frames, axis=0)
    each = perspective_occlusion(repeated, eyes, CUBE, FACES, skin=0.01)
    np.testing.assert_array_equal(each, hidden)


def test_points_up_to_a_skin_under_a_face_are_in_sight() -> None:
    points = np.array([[[0.1, 0.2, 0.96], [0.1, 0.2, 0.94], [0.1, 0.2, 1.5]]])
    hidden = perspective_occlusion(points, np.array([[0.1, 0.2, 9.0]]), CUBE, FACES, skin=0.05)
    assert hidden.tolist() == [[False, True, False]]


def test_what_lies_behind_the_eye_or_the_point_hides_nothing() -> None:
    points = np.array([[[0.0, 0, 3], [0.3, 0.1, 5]]])
    assert not perspective_occlusion(points, np.array([[0.0, 0, 9]]), CUBE, FACES, skin=0.01).any()
    assert not perspective_occlusion(points, np.array([[0.0, 0, 2]]), CUBE, FACES, skin=0.01).any()
    assert perspective_occlusion(points, np.array([[0.0, 0, -2]]), CUBE, FACES, skin=0.01).all()
