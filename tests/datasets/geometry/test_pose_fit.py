"""Cameras found from known points: exact where the image is, near where it is noisy."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from liftbench.types import Floats
from liftbench_datasets.geometry.pose_fit import Pose, fit_orthographic, fit_perspective

Y_UP = np.diag([1.0, -1.0, 1.0])


def setting(seed: int) -> tuple[Floats, Floats, Floats]:
    """Return (20, 3) points, a rotation and a translation before the camera."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (20, 3)) * rng.uniform(0.1, 100) + rng.uniform(-50, 50, 3)
    rotation = Rotation.random(rng=rng).as_matrix()
    reach = np.linalg.norm(points, axis=1).max()
    return points, rotation, np.array([0.3, -0.2, rng.uniform(1.5, 4)]) * reach


def intrinsics(seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    focal = rng.uniform(300, 2000)
    return np.array([[focal, 0.4, 320], [0, 1.02 * focal, 240], [0, 0, 1]])


def seen(points: Floats, camera: Floats) -> Floats:
    image: Floats = (points @ camera.T)[:, :2] / points[:, 2:]
    return image


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_a_pinhole_camera_is_found(seed: int, y_up: bool) -> None:
    points, rotation, translation = setting(seed)
    placed = points @ rotation.T + translation
    if y_up:
        placed = placed @ Y_UP
    pose = fit_perspective(points, seen(placed, intrinsics(seed)))
    np.testing.assert_allclose(pose.intrinsics, intrinsics(seed), rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(pose.place(points), placed, rtol=1e-4, atol=1e-4 * placed.max())
    assert np.linalg.det(pose.rotation) == pytest.approx(-1 if y_up else 1)
    assert pose.misfit < 1e-7


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_an_orthographic_camera_is_found(seed: int, scale: float) -> None:
    points, rotation, translation = setting(seed)
    placed = points @ rotation.T + translation
    pose = fit_orthographic(points, scale * placed[:, :2])
    np.testing.assert_allclose(pose.rotation, rotation, atol=1e-7)
    np.testing.assert_allclose(pose.intrinsics, np.diag([scale, scale, 1]), rtol=1e-7)
    found = pose.place(points)
    np.testing.assert_allclose(found[:, :2], placed[:, :2], atol=1e-6 * np.abs(placed).max())
    depth = placed[:, 2] - placed[:, 2].mean()
    np.testing.assert_allclose(found[:, 2], depth, atol=1e-6 * np.abs(placed).max())
    assert pose.misfit < 1e-9


def best_orthographic_misfit(points: Floats, image: Floats, pose: Pose) -> float:
    """Return the least misfit among many rotations and scales near that of a pose."""
    flat, shown = points - points.mean(axis=0), image - image.mean(axis=0)
    rng = np.random.default_rng(0)
    turns = Rotation.from_rotvec(rng.normal(0, 0.02, (2000, 3))).as_matrix() @ pose.rotation
    views = flat @ turns.swapaxes(1, 2)[..., :2]
    scales = (views * shown).sum(axis=(1, 2)) / (views**2).sum(axis=(1, 2))
    misses = np.linalg.norm(scales[:, None, None] * views - shown, axis=(1, 2))
    return float(misses.min() / np.linalg.norm(shown))


@pytest.mark.parametrize("seed", range(5))
def test_noise_moves_the_orthographic_camera_a_little(seed: int) -> None:
    points, rotation, translation = setting(seed)
    placed = points @ rotation.T + translation
    extent = np.std(placed[:, :2], axis=0).mean()
    noise = 0.01 * extent * np.random.default_rng(seed).standard_normal((20, 2))
    pose = fit_orthographic(points, placed[:, :2] + noise)
    np.testing.assert_allclose(pose.rotation, rotation, atol=0.05)
    assert 0.003 < pose.misfit < 0.03
    assert pose.misfit < 1.2 * best_orthographic_misfit(points, placed[:, :2] + noise, pose)


def test_the_misfit_is_a_share_of_the_extent() -> None:
    points, rotation, _ = setting(3)
    image = (points @ rotation.T)[:, :2]
    pose = fit_orthographic(points, image[::-1])
    miss = pose.intrinsics[0, 0] * pose.place(points)[:, :2] - image[::-1]
    spread = image - image.mean(axis=0)
    assert pose.misfit > 0.1
    assert pose.misfit == pytest.approx(np.sqrt((miss**2).sum() / (spread**2).sum()))


@pytest.mark.parametrize(
    ("fit", "points", "message"),
    [
        (fit_orthographic, np.eye(3), "expected at least 4 points, got 3"),
        (fit_perspective, np.ones((5, 3)), "expected at least 6 points, got 5"),
        (fit_orthographic, np.ones((9, 3)), "the points lie in a plane"),
        (fit_perspective, np.arange(30.0).reshape(10, 3), "the points lie in a plane"),
    ],
)
def test_too_few_or_flat_points_are_refused(fit: type, points: Floats, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        fit(points, np.random.default_rng(0).random((len(points), 2)))


def test_thin_points_are_fitted_and_flatter_ones_are_refused() -> None:
    rng = np.random.default_rng(5)
    points, rotation = rng.uniform(-1, 1, (20, 3)), Rotation.random(rng=rng).as_matrix()
    thin, flatter = points * [1, 1, 1e-4], points * [1, 1, 1e-9]
    found = fit_orthographic(thin, (thin @ rotation.T)[:, :2]).rotation
    np.testing.assert_allclose(found, rotation, atol=1e-6)
    with pytest.raises(ValueError, match="the points lie in a plane"):
        fit_orthographic(flatter, (flatter @ rotation.T)[:, :2])


@pytest.mark.parametrize("fit", [fit_orthographic, fit_perspective])
def test_an_image_of_one_point_is_refused(fit: type) -> None:
    with pytest.raises(ValueError, match="all image points coincide"):
        fit(setting(1)[0], np.ones((20, 2)))


def test_a_view_from_both_sides_is_refused() -> None:
    points, rotation, translation = setting(2)
    placed = points @ rotation.T + translation
    depth = np.where(np.arange(20) < 7, -1, 1)[:, None] * placed[:, 2:]
    both = np.concatenate([placed[:, :2], depth], axis=1)
    image = seen(both, intrinsics(2))
    with pytest.raises(ValueError, match="some points lie behind the camera"):
        fit_perspective((both - translation) @ rotation, image)


def test_many_points_take_little_memory() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (50_000, 3))
    placed = points + np.array([0, 0, 4])
    assert fit_perspective(points, seen(placed, np.eye(3))).misfit < 1e-7


def test_the_scale_is_the_mean_of_what_an_image_stretches() -> None:
    points = setting(4)[0]
    pose = fit_orthographic(points, points[:, :2] * [1, 3])
    np.testing.assert_allclose(pose.intrinsics, np.diag([2, 2, 1]))
    np.testing.assert_allclose(pose.rotation, np.eye(3), atol=1e-9)
