from __future__ import annotations

import numpy as np
import pytest
from tests.plugins.classical.bodies import random_scene

from liftbench.cameras import subtract_mean
from liftbench.types import Floats
from liftbench_plugins.classical.shapes.nuclear_norm import (
    _move_to_images,
    complete_images,
    least_norm,
    least_norm_shape,
    nearest_of_rank,
    shrink,
    stack_coordinates,
)


@pytest.mark.parametrize("thresholds", [0.7, np.array([0.1, 0.5, 2.0, 4.0])])
def test_shrinking_is_the_proximal_map_of_the_norm(thresholds: Floats | float) -> None:
    """No other matrix of many tried has a lower value of t s(X) + 1/2 ‖X - M‖^2."""
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((4, 6))

    def value(other: Floats) -> float:
        norm = (thresholds * np.linalg.svd(other, compute_uv=False)).sum()
        return float(norm + 0.5 * np.square(other - matrix).sum())

    found = shrink(matrix, thresholds)
    best = value(found)
    for size in (1e-3, 1e-2, 0.1, 1.0):
        for _ in range(50):
            assert value(found + size * rng.standard_normal(matrix.shape)) > best


def test_the_nearest_shapes_of_a_rank_have_it() -> None:
    shape = random_scene(5).shape
    near = nearest_of_rank(shape, 3)
    values = np.linalg.svd(stack_coordinates(shape), compute_uv=False)
    assert np.linalg.matrix_rank(stack_coordinates(near)) == 3
    assert np.linalg.norm(near - shape) == pytest.approx(np.linalg.norm(values[3:]))


@pytest.mark.parametrize("share", [1.0, 0.85])
def test_shapes_of_the_least_norm_are_those_of_low_rank_and_agree_with_the_images(
    share: float,
) -> None:
    scene = random_scene()
    shape, rotation, image = scene.shape, scene.rotation, scene.image
    visible = np.random.default_rng(1).random(image.shape[:2]) < share
    found = least_norm_shape(np.where(visible[..., None], image, 7.0), visible, rotation)
    seen = found @ rotation[:, :2].swapaxes(1, 2)
    apart = (image - seen) * visible[..., None]
    apart -= visible[..., None] * (apart.sum(axis=1) / visible.sum(axis=1)[:, None])[:, None]
    np.testing.assert_allclose(apart, 0, atol=1e-6)
    np.testing.assert_allclose(subtract_mean(found), shape, atol=1e-3)


def test_weights_that_spare_the_strong_values_come_nearer_to_shapes_of_low_rank() -> None:
    scene = random_scene(8, 60, 15)
    shape, rotation, image = scene.shape, scene.rotation, scene.image
    visible = np.ones(image.shape[:2], dtype=np.bool_)
    plain = least_norm_shape(image, visible, rotation)
    values = np.linalg.svd(stack_coordinates(plain), compute_uv=False)
    weights = 1 / (values / values[0] + 1e-3)
    weighted = least_norm_shape(image, visible, rotation, weights)
    gaps = [np.linalg.norm(found - shape) / np.linalg.norm(shape) for found in (plain, weighted)]
    assert gaps[1] < 1e-3 < gaps[0]


def test_images_of_low_rank_are_completed() -> None:
    image = random_scene(2, 60, 30).image
    visible = np.random.default_rng(3).random(image.shape[:2]) < 0.85
    found = complete_images(np.where(visible[..., None], image, -5.0), visible)
    np.testing.assert_allclose(found, subtract_mean(image), atol=1e-4)


def test_complete_images_stay_and_points_that_are_never_seen_are_refused() -> None:
    image = random_scene().image
    visible = np.ones(image.shape[:2], dtype=np.bool_)
    np.testing.assert_array_equal(complete_images(image, visible), image)
    visible[:, 4] = False
    with pytest.raises(ValueError, match="point 4 is hidden in every frame"):
        complete_images(image, visible)


def test_hidden_points_move_frames_as_little_as_possible() -> None:
    image = random_scene().image
    visible = np.random.default_rng(3).random(image.shape[:2]) < 0.7
    guess = np.random.default_rng(4).standard_normal(image.shape)
    found = _move_to_images(image, visible, guess)
    np.testing.assert_array_equal(found[~visible], guess[~visible])
    for f in range(len(image)):
        shown = visible[f]
        offset = found[f, shown] - image[f, shown]
        np.testing.assert_allclose(offset, offset[:1] + 0 * offset, atol=1e-12)
        np.testing.assert_allclose(found[f, shown].mean(axis=0), guess[f, shown].mean(axis=0))


def test_the_norm_of_the_result_is_least_among_matrices_of_the_set() -> None:
    rng = np.random.default_rng(0)
    known = rng.random((6, 8)) < 0.6
    given = rng.standard_normal((6, 8))
    found = least_norm(
        lambda rows: np.where(known, given, rows),
        lambda rows, step: shrink(rows, float(step.item())),
        np.zeros((6, 8)),
    )
    np.testing.assert_array_equal(found[known], given[known])
    least = np.linalg.norm(found, "nuc")
    for size in (1e-3, 0.1):
        for _ in range(50):
            other = np.where(known, given, found + size * rng.standard_normal((6, 8)))
            assert np.linalg.norm(other, "nuc") > least
