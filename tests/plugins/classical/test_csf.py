from __future__ import annotations

import numpy as np
import pytest
from tests.plugins.classical.bodies import moving_scene, observe, turning_cameras
from tests.plugins.classical.conftest import Solve
from tests.plugins.classical.spaces import central_differences, orthonormal_mixing, random_space

from liftbench_plugins.classical.csf import CSF, _misfit, _shape_count, fit_mixing
from liftbench_plugins.classical.tracks import tracks_of


def test_the_gradient_is_that_of_the_residual() -> None:
    space, mixing = random_space().space, orthonormal_mixing(6, 2)
    expected = central_differences(lambda x: _misfit(space, x)[0], mixing)
    np.testing.assert_allclose(_misfit(space, mixing)[1], expected, rtol=1e-5, atol=1e-5)


def test_the_value_is_half_the_squared_residual() -> None:
    space, mixing = random_space().space, orthonormal_mixing(6, 2)
    motion = space.motion(mixing).reshape(len(space.views), -1)
    rest = space.target - motion @ np.linalg.pinv(motion) @ space.target
    assert _misfit(space, mixing)[0] == pytest.approx(np.square(rest).sum() / 2)


def test_the_matrix_is_that_of_changes_outside_of_the_motion() -> None:
    """Each entry of X moves V_i S_k, of which the part in the span of M is projected out."""
    space, mixing = random_space().space, orthonormal_mixing(6, 2)
    motion = space.motion(mixing).swapaxes(1, 2).reshape(len(space.views), -1)
    inverse = np.linalg.pinv(motion)
    parts = (inverse @ space.target).reshape(2, 3, -1)
    outside = np.eye(len(motion)) - motion @ inverse
    moves = [(outside @ space.views[..., i] @ parts[k]).ravel() for i in range(6) for k in range(2)]
    np.testing.assert_allclose(_misfit(space, mixing)[2], np.array(moves) @ np.array(moves).T)


def test_fits_are_orthonormal_and_have_a_lower_residual_than_their_neighbours() -> None:
    space = random_space(points=30).space
    start = np.eye(6, 2)
    found = fit_mixing(space, start, 50)
    np.testing.assert_allclose(found.T @ found, np.eye(2), atol=1e-9)
    least = _misfit(space, found)[0]
    assert least < 0.95 * _misfit(space, start)[0]
    for seed in range(30):
        other = found + 0.02 * np.random.default_rng(seed).standard_normal(found.shape)
        assert _misfit(space, other)[0] > least


def test_a_given_k_is_the_rank_of_the_shapes(solve: Solve) -> None:
    found = solve(CSF, moving_scene(3, 60, 18).observations, shapes=2).canonical_3d
    assert found is not None
    values = np.linalg.svd(found.reshape(60, -1), compute_uv=False)
    assert (values > 1e-9 * values[0]).sum() == 2


def test_k_of_the_body_is_taken_if_w_limits_it_else_half_the_distinct_trajectories() -> None:
    rotation = turning_cameras(60)
    noise = np.random.default_rng(0).standard_normal((60, 30, 2))
    tracks = tracks_of(observe(noise))
    assert _shape_count(9, rotation, tracks) == 9
    assert _shape_count(10, rotation, tracks) < 10
    few = tracks_of(observe(noise[:, :12]))
    assert _shape_count(3, rotation, few) == 3
    assert _shape_count(4, rotation, few) <= 4
