from __future__ import annotations

import numpy as np
import pytest
from tests.plugins.classical.bodies import moving_scene, random_scene

from liftbench.cameras import subtract_mean
from liftbench_plugins.classical.shapes.group_shapes import group_depths, least_norm_depths
from liftbench_plugins.classical.shapes.nuclear_norm import shrink


def test_depths_of_rigid_groups_are_exact_up_to_mirroring() -> None:
    truth = np.stack([moving_scene(1, 40, 6, seed=seed).points for seed in range(3)])
    found = group_depths(truth[..., :2])
    for depth, true in zip(found, truth[..., 2], strict=True):
        assert min(abs(depth - true).max(), abs(depth + true).max()) < 1e-6


def test_the_size_of_a_frame_is_that_of_its_depths() -> None:
    truth = np.stack([moving_scene(1, 40, 6).points])
    sizes = np.random.default_rng(0).uniform(0.5, 2, (1, 40, 1))
    plain = group_depths(truth[..., :2])
    found = group_depths(sizes[..., None] * truth[..., :2])
    np.testing.assert_allclose(abs(found), abs(plain * sizes), atol=1e-5)


def test_depths_of_the_least_norm_are_those_of_a_body_of_low_rank() -> None:
    scene = random_scene(2, 60, 12, mean=True)
    axis = scene.rotation[:, 2]
    seen = scene.image @ scene.rotation[:, :2]
    found = least_norm_depths(seen[None], axis[None])[0]
    np.testing.assert_allclose(found, scene.points[..., 2], atol=1e-4)


def test_the_norm_is_that_about_the_mean() -> None:
    """One small change of depths in any direction raises the norm of rows minus their mean."""
    scene = random_scene(3, 12, 5, mean=True)
    axis = scene.rotation[:, 2]
    seen = scene.image @ scene.rotation[:, :2]
    found = least_norm_depths(seen[None], axis[None])[0]

    def norm(depth: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
        rows = (seen + depth[..., None] * axis[:, None]).reshape(12, -1)
        return float(np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False).sum())

    rng = np.random.default_rng(0)
    least = norm(found)
    for _ in range(50):
        assert norm(found + 0.01 * rng.standard_normal(found.shape)) > least


def test_points_at_one_place_are_refused() -> None:
    image = np.stack([moving_scene(1, 10, 6).points[..., :2]] * 2)
    image[1, 4] = 0
    with pytest.raises(ValueError, match="frame 4 has 6 points at one place"):
        group_depths(image)


def test_matrices_are_shrunk_about_their_mean_one_by_one() -> None:
    from liftbench_plugins.classical.shapes.group_shapes import _shrink_about_mean

    rows = np.random.default_rng(0).standard_normal((3, 8, 4))
    steps = np.array([0.5, 1.0, 100.0])[:, None, None]
    found = _shrink_about_mean(rows, steps)
    for matrix, step, smaller in zip(rows, steps.ravel(), found, strict=True):
        mean = matrix.mean(axis=0)
        np.testing.assert_allclose(smaller, mean + shrink(matrix - mean, step), atol=1e-9)
    assert subtract_mean(found[2:]) == pytest.approx(0, abs=1e-9)
