from __future__ import annotations

import numpy as np
from tests.plugins.classical.spaces import orthonormal_mixing, random_space

from liftbench_plugins.classical.csf import joint_shapes
from liftbench_plugins.classical.tracks import matrix_of


def test_the_space_has_all_of_w_that_coefficients_can_explain() -> None:
    """The best fit in the space is the best fit to W itself."""
    made = random_space()
    space, mixing = made.space, orthonormal_mixing(6, 2)
    shape = space.shapes(mixing, joint_shapes(space, mixing))
    coefficients = space.basis @ mixing
    full = made.rotation[:, :2, None] * coefficients[:, None, :, None]
    full = full.reshape(len(made.rows), -1)
    expected = full @ np.linalg.lstsq(full, made.rows, rcond=None)[0]
    image = shape @ made.rotation[:, :2].swapaxes(1, 2)
    np.testing.assert_allclose(matrix_of(image), expected, atol=1e-9)


def test_motion_is_that_of_the_image_in_other_coordinates() -> None:
    made = random_space()
    mixing = np.random.default_rng(1).standard_normal((6, 2))
    coefficients = made.space.basis @ mixing
    full = (made.rotation[:, :2, :, None] * coefficients[:, None, None]).reshape(-1, 6)
    motion = made.space.motion(mixing).reshape(-1, 6)
    np.testing.assert_allclose(motion.T @ motion, full.T @ full, atol=1e-9)


def test_equal_coefficients_are_badly_conditioned_and_cosines_are_not() -> None:
    space = random_space().space
    assert space.is_well_conditioned(np.eye(6, 2))
    tilted = np.eye(6, 2)
    tilted[0, 1] = 20
    assert not space.is_well_conditioned(tilted)
