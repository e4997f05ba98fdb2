from __future__ import annotations

import numpy as np

from liftbench.cameras import random_rotations, subtract_mean
from liftbench.types import Floats
from liftbench_plugins.classical.cameras.cameras import nearest_rotations
from liftbench_plugins.classical.cameras.group_cameras import group_cameras, least_departure


def unit_images(shapes: Floats, rotation: Floats) -> Floats:
    """Return images (G, F, P, 2) of unit norm of shapes (G, F, P, 3)."""
    image = np.einsum("fac,gfpc->gfpa", rotation[:, :2], shapes)
    unit: Floats = image / np.linalg.norm(image, axis=(2, 3), keepdims=True)
    return unit


def test_cameras_of_rigid_groups_are_exact_up_to_one_turn_and_signs() -> None:
    rotation = random_rotations(np.random.default_rng(0), 30)
    shapes = subtract_mean(np.random.default_rng(1).standard_normal((4, 8, 3)))
    rows = group_cameras(unit_images(np.repeat(shapes[:, None], 30, axis=1), rotation))
    for found in rows:
        turned = nearest_rotations(found)
        np.testing.assert_allclose(
            found, turned[:, :2] * (np.linalg.norm(found, axis=2, keepdims=True)), atol=1e-6
        )
        # The third rows, free of signs, differ from the true ones by one orthogonal matrix.
        gram = turned[:, 2] @ turned[:, 2].T
        np.testing.assert_allclose(abs(gram), abs(rotation[:, 2] @ rotation[:, 2].T), atol=1e-5)


def test_groups_that_deform_take_more_than_three_columns() -> None:
    """One rigid and one deforming group together: neither changes what the other gets."""
    rng = np.random.default_rng(0)
    rotation = random_rotations(rng, 40)
    basis = subtract_mean(rng.standard_normal((3, 9, 3)))
    waves = rng.normal(0, 0.3, (40, 1, 1))
    shapes = np.stack([np.repeat(basis[:1], 40, axis=0), basis[1] + waves * basis[2]])
    image = unit_images(shapes, rotation)
    found = group_cameras(image)
    for one, together in zip(image, found, strict=True):
        alone = nearest_rotations(group_cameras(one[None])[0])[:, 2]
        third = nearest_rotations(together)[:, 2]
        np.testing.assert_allclose(abs(third @ third.T), abs(alone @ alone.T), atol=1e-6)
        np.testing.assert_allclose(
            abs(third @ third.T), abs(rotation[:, 2] @ rotation[:, 2].T), atol=0.1
        )


def random_motion() -> tuple[Floats, Floats]:
    motion = np.random.default_rng(0).standard_normal((3, 20, 2, 6))
    return motion, np.tile(np.eye(6, 3) / np.sqrt(3), (3, 1, 1))


def cost_of(motion: Floats, corrective: Floats) -> Floats:
    """Return the mean over frames of the squared equations of orthonormality."""
    first, second = (motion @ corrective[:, None]).transpose(2, 0, 1, 3)
    lengths = np.square(first).sum(axis=2) - np.square(second).sum(axis=2)
    cost: Floats = (lengths**2 + 4 * (first * second).sum(axis=2) ** 2).mean(axis=1)
    return cost


def test_correctives_have_unit_norm_and_the_least_cost_nearby() -> None:
    motion, start = random_motion()
    factor, cost = least_departure(motion, start)
    np.testing.assert_allclose(np.square(factor).sum(axis=(1, 2)), 1)
    np.testing.assert_allclose(cost, cost_of(motion, factor))
    rng = np.random.default_rng(1)
    for _ in range(20):
        near = factor + 0.05 * rng.standard_normal(factor.shape)
        near /= np.linalg.norm(near, axis=(1, 2), keepdims=True)
        assert (cost_of(motion, near) > cost - 1e-9).all()


def test_three_columns_have_one_minimum_whatever_the_start() -> None:
    motion = random_motion()[0][..., :3]
    rng = np.random.default_rng(2)
    costs = []
    for _ in range(4):
        start = rng.standard_normal((3, 3, 3))
        start /= np.linalg.norm(start, axis=(1, 2), keepdims=True)
        costs.append(least_departure(motion, start)[1])
    np.testing.assert_allclose(costs, costs[:1] * 4, rtol=1e-6)
