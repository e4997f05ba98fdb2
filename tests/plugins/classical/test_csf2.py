from __future__ import annotations

import numpy as np
from tests.plugins.classical.bodies import moving_scene
from tests.plugins.classical.conftest import Solve
from tests.plugins.classical.spaces import central_differences, random_space

from liftbench.types import Floats
from liftbench_plugins.classical.csf2 import CSF2, deflate, fit_complementary_mixing


def random_mixing(count: int = 3) -> Floats:
    return np.random.default_rng(1).standard_normal((6, count))


def test_the_gradient_is_that_of_the_residual() -> None:
    space, mixing = random_space().space, random_mixing()

    def misfit(x: Floats) -> float:
        return float(np.square(deflate(space, x).rest).sum()) / 2

    gradient = deflate(space, mixing).gradient(space).ravel()
    expected = central_differences(misfit, mixing)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-5)


def test_deflation_explains_one_basis_shape_after_another() -> None:
    space, mixing = random_space().space, random_mixing()
    found = deflate(space, mixing)
    rest = space.target
    for k in range(3):
        motion = space.motion(mixing)[..., k]
        np.testing.assert_allclose(found.parts[k], np.linalg.pinv(motion) @ rest, atol=1e-10)
        rest = rest - motion @ np.linalg.pinv(motion) @ rest
        np.testing.assert_allclose(found.left[k], rest, atol=1e-10)
    np.testing.assert_array_equal(found.rest, found.left[-1])


def test_fits_have_a_lower_residual_than_their_start_and_their_neighbours() -> None:
    space = random_space(points=30).space
    start = np.eye(6, 2)
    found = fit_complementary_mixing(space, start, 50)

    def residual(mixing: Floats) -> float:
        return float(np.square(deflate(space, mixing).rest).sum())

    assert residual(found) < 0.95 * residual(start)
    for seed in range(30):
        other = found + 0.02 * np.random.default_rng(seed).standard_normal(found.shape)
        assert residual(other) > residual(found)


def test_a_body_is_found_by_the_joint_fit_and_without_it_nearly(solve: Solve) -> None:
    scene = moving_scene(2, 60, 18)
    joint, single = (
        scene.error(solve(CSF2, scene.observations, shapes=2, joint_steps=steps).points_3d)
        for steps in (30, 1)
    )
    assert joint < 0.01
    assert joint <= single


def test_spaces_that_a_joint_fit_confuses_keep_their_own_shapes(solve: Solve) -> None:
    """Ten basis shapes for a body that has two: a joint fit would be badly conditioned."""
    scene = moving_scene(2, 60, 32, noise=0.02)
    assert scene.error(solve(CSF2, scene.observations, shapes=10).points_3d) < 0.3
