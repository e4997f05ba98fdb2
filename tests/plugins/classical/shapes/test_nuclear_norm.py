import numpy as np
import pytest

from liftbench.cameras import random_rotations, subtract_mean
from liftbench_plugins.classical.shapes.nuclear_norm import (
    complete_images,
    least_norm_shape,
    nearest_of_rank,
    shrink,
    stack_coordinates,
)


def low_rank(frames=40, points=15, rank=2, seed=0):
    """Return shapes (F, P, 3) of low rank, cameras and images."""
    rng = np.random.default_rng(seed)
    basis = subtract_mean(rng.standard_normal((rank, points, 3)))
    shape = np.tensordot(rng.standard_normal((frames, rank)), basis, axes=1)
    rotation = random_rotations(rng, frames)
    return shape, rotation, shape @ rotation[:, :2].swapaxes(1, 2)


@pytest.mark.parametrize("thresholds", [0.7, np.array([0.1, 0.5, 2.0, 4.0])])
def test_shrinking_is_the_proximal_map_of_the_norm(thresholds):
    """No other matrix of many tried has a lower value of t s(X) + 1/2 ‖X - M‖^2."""
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((4, 6))

    def value(other):
        norm = (thresholds * np.linalg.svd(other, compute_uv=False)).sum()
        return norm + 0.5 * np.square(other - matrix).sum()

    found = shrink(matrix, thresholds)
    best = value(found)
    for size in (1e-3, 1e-2, 0.1, 1.0):
        for _ in range(50):
            assert value(found + size * rng.standard_normal(matrix.shape)) > best


def test_the_nearest_shapes_of_a_rank_have_it():
    shape = low_rank(rank=5)[0]
    near = nearest_of_rank(shape, 3)
    values = np.linalg.svd(stack_coordinates(shape), compute_uv=False)
    assert np.linalg.matrix_rank(stack_coordinates(near)) == 3
    assert np.linalg.norm(near - shape) == pytest.approx(np.linalg.norm(values[3:]))


@pytest.mark.parametrize("share", [1.0, 0.85])
def test_shapes_of_the_least_norm_are_those_of_low_rank_and_agree_with_the_images(share):
    shape, rotation, image = low_rank()
    visible = np.random.default_rng(1).random(image.shape[:2]) < share
    found = least_norm_shape(np.where(visible[..., None], image, 7.0), visible, rotation)
    seen = found @ rotation[:, :2].swapaxes(1, 2)
    apart = (image - seen) * visible[..., None]
    apart -= visible[..., None] * (apart.sum(axis=1) / visible.sum(axis=1)[:, None])[:, None]
    np.testing.assert_allclose(apart, 0, atol=1e-6)
    np.testing.assert_allclose(subtract_mean(found), shape, atol=1e-3)


def test_weights_that_spare_the_strong_values_come_nearer_to_shapes_of_low_rank():
    shape, rotation, image = low_rank(frames=60, points=15, rank=6)
    visible = np.ones(image.shape[:2], dtype=bool)
    plain = least_norm_shape(image, visible, rotation)
    values = np.linalg.svd(stack_coordinates(plain), compute_uv=False)
    weights = 1 / (values / values[0] + 1e-3)
    weighted = least_norm_shape(image, visible, rotation, weights)
    gaps = [np.linalg.norm(found - shape) / np.linalg.norm(shape) for found in (plain, weighted)]
    assert gaps[1] < 1e-3 < gaps[0]


def test_images_of_low_rank_are_completed():
    image = low_rank(frames=60, points=30)[2]
    visible = np.random.default_rng(3).random(image.shape[:2]) < 0.7
    found = complete_images(np.where(visible[..., None], image, -5.0), visible)
    np.testing.assert_allclose(found, subtract_mean(image), atol=1e-4)


def test_complete_images_stay_and_points_that_are_never_seen_are_refused():
    image = low_rank()[2]
    visible = np.ones(image.shape[:2], dtype=bool)
    np.testing.assert_array_equal(complete_images(image, visible), image)
    visible[:, 4] = False
    with pytest.raises(ValueError, match="point 4 is hidden in every frame"):
        complete_images(image, visible)
