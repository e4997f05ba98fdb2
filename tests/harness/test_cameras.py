"""Random rotations and the three projections."""

from __future__ import annotations

import numpy as np
import pytest

from liftbench.cameras import in_place, project, random_rotations, subtract_mean
from liftbench.types import CAMERAS, Camera, Floats, Observations, Skeleton


def points(depth: float = 5.0) -> Floats:
    return np.random.default_rng(1).uniform((-1, -1, depth - 1), (1, 1, depth + 1), (6, 4, 3))


def test_random_rotations_are_rotations() -> None:
    drawn = random_rotations(np.random.default_rng(0), 500)
    assert drawn.shape == (500, 3, 3)
    np.testing.assert_allclose(
        drawn @ drawn.swapaxes(1, 2), np.broadcast_to(np.eye(3), drawn.shape), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(drawn), 1.0, atol=1e-12)


def test_random_rotations_are_haar_uniform() -> None:
    drawn = random_rotations(np.random.default_rng(0), 60_000)
    np.testing.assert_allclose(drawn.mean(axis=0), 0.0, atol=0.012)
    np.testing.assert_allclose((drawn**2).mean(axis=0), 1 / 3, atol=0.008)
    np.testing.assert_allclose((drawn**4).mean(axis=0), 1 / 5, atol=0.008)
    turns = np.trace(drawn, axis1=1, axis2=2)
    np.testing.assert_allclose([turns.mean(), (turns**2).mean()], [0.0, 1.0], atol=0.03)


def test_random_rotations_follow_the_generator() -> None:
    first, again, other = (random_rotations(np.random.default_rng(s), 5) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_centred_removes_the_mean_of_each_frame() -> None:
    given = points()
    kept = given.copy()
    result = subtract_mean(given)
    np.testing.assert_allclose(result.mean(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(result - result[:, :1], given - given[:, :1], atol=1e-12)
    np.testing.assert_array_equal(given, kept)


@pytest.mark.parametrize("camera", CAMERAS)
def test_project_matches_a_loop(camera: Camera) -> None:
    given = points()
    expected = np.empty((6, 4, 2))
    for f, frame in enumerate(given):
        mean_depth = sum(p[2] for p in frame) / len(frame)
        for i, (x, y, z) in enumerate(frame):
            divisor = {"orthographic": 1.0, "weak_perspective": mean_depth, "perspective": z}
            expected[f, i] = x / divisor[camera], y / divisor[camera]
    np.testing.assert_allclose(project(given, camera), expected, atol=1e-14)


@pytest.mark.parametrize("depth", [0.0, -1.0])
def test_perspective_refuses_one_point_behind(depth: float) -> None:
    given = points()
    given[3, 1, 2] = depth
    with pytest.raises(ValueError, match="perspective projection needs every depth"):
        project(given, "perspective")
    assert np.isfinite(project(given, "weak_perspective")).all()


@pytest.mark.parametrize("mean", [0.0, -2.0])
def test_weak_perspective_refuses_a_frame_behind(mean: float) -> None:
    given = points()
    given[2, :, 2] = [mean - 1, mean + 1, mean - 1, mean + 1]
    with pytest.raises(ValueError, match="weak_perspective projection needs every depth"):
        project(given, "weak_perspective")


def test_orthographic_needs_no_positive_depth() -> None:
    np.testing.assert_array_equal(
        project(points(depth=-9.0), "orthographic"), points(depth=-9.0)[..., :2]
    )


def test_points_in_place_have_the_mean_of_the_visible_image_points() -> None:
    rng = np.random.default_rng(0)
    points_3d, image = rng.standard_normal((5, 7, 3)), rng.standard_normal((5, 7, 2))
    visible = rng.random((5, 7)) < 0.6
    visible[:, 0] = True
    hidden = np.where(visible[..., None], image, np.nan)
    names = tuple(map(str, range(7)))
    observations = Observations(
        hidden, visible, np.zeros(5, dtype=np.int64), "orthographic", Skeleton(names)
    )
    moved = in_place(points_3d, observations)
    np.testing.assert_array_equal(moved[..., 2], points_3d[..., 2])
    for frame in range(5):
        seen = visible[frame]
        np.testing.assert_allclose(moved[frame, seen, :2].mean(0), image[frame, seen].mean(0))
        shift = moved[frame] - points_3d[frame]
        np.testing.assert_allclose(shift, np.broadcast_to(shift[:1], shift.shape))
