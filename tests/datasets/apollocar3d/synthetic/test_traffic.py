"""Where generated cars stand before the camera."""

from __future__ import annotations

import numpy as np
from tests.datasets.apollocar3d.synthetic.conftest import poses

from liftbench_datasets.apollocar3d.cameras import CAMERA_5


def test_poses_are_rigid_and_know_where_the_camera_is() -> None:
    turns = poses().rotations
    np.testing.assert_allclose(
        turns @ turns.swapaxes(1, 2), np.tile(np.eye(3), (len(turns), 1, 1)), atol=1e-9
    )
    assert (np.linalg.det(turns) > 0).all()
    np.testing.assert_allclose(poses().place(poses().eyes()[:, None]), 0, atol=1e-9)


def test_cars_stand_on_the_road_below_the_camera() -> None:
    # Pitch and roll of the car tilt its own plane of the road a little at the camera.
    height = 0.8 - poses().eyes()[:, 1]
    assert abs(height.mean() - 1.8) < 0.03
    assert height.std() < 0.4
    slope, _ = np.polyfit(poses().translations[:, 2], poses().translations[:, 1], 1)
    assert 0.17 < slope < 0.19  # as in the release's poses


def test_cars_mostly_keep_to_the_road_and_to_the_right() -> None:
    forward = poses().rotations[:, :, 2]
    assert 0.8 < (np.abs(forward[:, 2]) > 0.9).mean() < 0.95
    assert 0.05 < (np.abs(forward[:, 0]) > 0.5).mean() < 0.2
    oncoming = forward[:, 2] < -0.9
    assert 0.2 < oncoming.mean() < 0.5
    assert poses().translations[oncoming, 0].mean() < -3
    assert poses().translations[~oncoming, 0].mean() > 0


def test_image_holds_what_lies_within_its_edges() -> None:
    pixels = np.array([[0, 0], [3384, 2710], [-1, 5], [5, -1], [3385, 5], [5, 2711]])
    centre, focal = [CAMERA_5.cx, CAMERA_5.cy], [CAMERA_5.fx, CAMERA_5.fy]
    nudged = pixels + np.array([1e-6, -1e-6])[[0, 1, 0, 0, 0, 0]][:, None]
    assert CAMERA_5.holds((nudged - centre) / focal).tolist() == [True, True] + 4 * [False]
