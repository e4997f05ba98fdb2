from __future__ import annotations

import numpy as np
import pytest
from tests.plugins.classical.bodies import observe, random_scene

from liftbench_plugins.classical.tracks import (
    Factors,
    frames_of,
    matrix_of,
    reconstruction,
    tracks_of,
)


def test_rows_are_x_and_y_of_each_frame_about_its_visible_mean() -> None:
    points = np.random.default_rng(0).uniform(3, 9, (4, 5, 2))
    visible = np.random.default_rng(1).random((4, 5)) < 0.7
    tracks = tracks_of(observe(points, visible))
    assert (tracks.frames, tracks.points) == (4, 5)
    offsets = []
    for frame in range(4):
        shown = points[frame][visible[frame]]
        offsets.append(shown - shown.mean(axis=0))
        for axis in (0, 1):
            row = tracks.rows[2 * frame + axis]
            np.testing.assert_allclose(row[visible[frame]] * tracks.size, offsets[-1][:, axis])
            assert not row[~visible[frame]].any()
    assert tracks.size == pytest.approx(np.sqrt(np.square(np.concatenate(offsets)).mean()))


@pytest.mark.parametrize("share", [1.0, 0.8])
def test_factors_of_the_tracks_give_the_points_before_the_camera(share: float) -> None:
    scene = random_scene(3, 7, 5)
    views = 40 * scene.points + np.array([300.0, 200.0, 0.0])
    visible = np.random.default_rng(1).random(views.shape[:2]) < share
    observed = observe(views[..., :2], visible)
    tracks = tracks_of(observed)
    moved = 40 * scene.shape / tracks.size + np.ones((7, 1, 3)) @ scene.rotation
    found = reconstruction(observed, tracks.size, Factors(scene.rotation, moved))
    np.testing.assert_allclose(found.points_3d[..., :2], views[..., :2])
    depth = found.points_3d[..., 2] - found.points_3d[:, :1, 2]
    np.testing.assert_allclose(depth, views[..., 2] - views[:, :1, 2], atol=1e-10)
    assert found.canonical_3d is not None
    np.testing.assert_array_equal(found.rotation, scene.rotation)
    np.testing.assert_allclose(found.canonical_3d, moved * tracks.size)
    apart = found.points_3d - found.canonical_3d @ scene.rotation.swapaxes(1, 2)
    np.testing.assert_allclose(apart, apart[:, :1] + 0 * apart, atol=1e-10)
    np.testing.assert_allclose(apart[..., 2], 0, atol=1e-10)


@pytest.mark.parametrize("coordinates", [2, 3])
def test_a_matrix_has_the_rows_of_its_frames(coordinates: int) -> None:
    points = np.random.default_rng(0).standard_normal((4, 5, coordinates))
    matrix = matrix_of(points)
    for frame in range(4):
        for axis in range(coordinates):
            row = matrix[coordinates * frame + axis]
            np.testing.assert_array_equal(row, points[frame, :, axis])
    np.testing.assert_array_equal(frames_of(matrix, coordinates), points)


@pytest.mark.parametrize("factor", [1.0, 0.0, 1.0 + 1e-11])
def test_points_in_one_place_are_refused(factor: float) -> None:
    still = np.broadcast_to(np.array([3.0, 4.0]), (6, 5, 2)).copy()
    still[:, 2] *= factor
    if not factor:
        still *= 0
    with pytest.raises(ValueError, match="points of every frame coincide"):
        tracks_of(observe(still))


def test_points_that_hardly_differ_are_tracks() -> None:
    still = np.broadcast_to(np.array([3.0, 4.0]), (6, 5, 2)).copy()
    still[:, 2] *= 1 + 1e-7
    assert tracks_of(observe(still)).size > 0


def test_a_frame_without_points_is_refused() -> None:
    visible = np.ones((6, 5), dtype=np.bool_)
    visible[2] = False
    with pytest.raises(ValueError, match="frame 2 has no visible point"):
        tracks_of(observe(np.ones((6, 5, 2)), visible))
