"""What triangles hide, against closed forms and a loop over all points and triangles."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from liftbench.types import Bools, Floats
from liftbench_datasets.geometry import line_of_sight
from liftbench_datasets.geometry.line_of_sight import orthographic_occlusion

SQUARE = np.array([[-1.0, -1, 5], [1, -1, 5], [1, 1, 5], [-1, 1, 5]])
HALVES = np.array([[0, 1, 2], [0, 2, 3]])


def test_a_square_hides_what_lies_behind_it() -> None:
    points = np.array([[0, 0.1, 6], [0, 0.1, 4], [2, 0, 6], [0.9, -0.95, 9], [0, 1.1, 9]])
    assert orthographic_occlusion(points[None], SQUARE[None], HALVES, 0.0).tolist() == [
        [True, False, False, True, False]
    ]


def test_points_on_the_surface_and_within_the_skin_are_seen() -> None:
    points = np.array([[0.3, 0.1, 5], [0.3, 0.1, 5.09], [0.3, 0.1, 5.11], *SQUARE])
    assert orthographic_occlusion(points[None], SQUARE[None], HALVES, 0.1).tolist() == [
        [False, False, True, *[False] * 4]
    ]


def test_a_triangle_seen_from_its_edge_hides_nothing() -> None:
    edge = np.array([[[0.0, 0, 0], [1, 0, 0], [0.5, 0, 3]]])
    point, face = np.array([[[0.5, 0.0, 9]]]), np.array([[0, 1, 2]])
    assert not orthographic_occlusion(point, edge, face, 0.0).any()


def test_slanted_triangles_cut_the_ray_at_its_depth() -> None:
    # The plane z = x over the triangle.
    slope = np.array([[[0.0, 0, 0], [4, 0, 4], [0, 4, 0]]])
    points = np.array([[[1, 1, 0.9], [1, 1, 1.1], [2, 1, 1.9], [2, 1, 2.1]]])
    assert orthographic_occlusion(points, slope, np.array([[0, 1, 2]]), 0.0).tolist() == [
        [False, True, False, True]
    ]


def loop(points: Floats, vertices: Floats, faces: NDArray[np.int64], skin: float) -> Bools:
    """Return what hides by solving for each point and triangle."""
    result = np.zeros(points.shape[:2], dtype=bool)
    for f, p, face in np.ndindex(*points.shape[:2], len(faces)):
        corners = vertices[f, faces[face]]
        system = np.vstack([corners[:, :2].T, np.ones(3)])
        share = np.linalg.solve(system, [*points[f, p, :2], 1])
        if (share >= 0).all() and share @ corners[:, 2] < points[f, p, 2] - skin:
            result[f, p] = True
    return result


@pytest.mark.parametrize("at_once", [1, 500, 1 << 20])
def test_random_triangles_hide_what_a_loop_says(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_of_sight, "_PAIRS_AT_ONCE", at_once)
    rng = np.random.default_rng(0)
    vertices = rng.uniform(-3, 3, (4, 30, 3))  # beyond the points, so that frames could mix
    points = rng.uniform(-1, 1, (4, 40, 3))
    vertices[:, :5] = points[:, :5]
    faces = np.array([rng.permutation(30)[:3] for _ in range(25)])
    found = orthographic_occlusion(points, vertices, faces, 0.05)
    np.testing.assert_array_equal(found, loop(points, vertices, faces, 0.05))
    assert 0.2 < found.mean() < 0.95


def test_no_frames_hide_nothing() -> None:
    hidden = orthographic_occlusion(np.zeros((0, 3, 3)), np.zeros((0, 4, 3)), HALVES, 0.0)
    assert hidden.shape == (0, 3)


def test_the_skin_counts_from_where_the_ray_cuts_a_slanted_triangle() -> None:
    slope = np.array([[[0.0, 0, 0], [4, 0, 4], [0, 4, 0]]])
    points = np.array([[[2, 1, 2.09], [2, 1, 2.11]]])
    hidden = orthographic_occlusion(points, slope, np.array([[0, 1, 2]]), 0.1)
    assert hidden.tolist() == [[False, True]]


def test_triangles_hide_points_of_their_own_frame_alone() -> None:
    """The extremes of neighbouring frames do not touch."""
    points = np.array([[[0.0, 0, 9], [1, 0, 9]]] * 2)
    vertices = np.stack([SQUARE * [2, 2, 1], SQUARE + np.array([50.0, 0, 0])])
    hidden = orthographic_occlusion(points, vertices, HALVES, 0.0)
    assert hidden.tolist() == [[True, True], [False, False]]


def test_points_behind_the_outline_are_hidden() -> None:
    points = np.array([[[0.3, -1, 9], [0.3, 1, 9], [-1, 0.3, 9], [1, 0.3, 9]]])
    assert orthographic_occlusion(points, SQUARE[None], HALVES, 0.0).all()
