"""Bases of trajectories, and the coefficients that CSF and CSF2 make of them."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from liftbench.cameras import random_rotations
from liftbench_plugins.classical.cameras.trajectory_cameras import trajectory_cameras
from liftbench_plugins.classical.csf import _misfit, fit_mixing, joint_shapes
from liftbench_plugins.classical.csf2 import deflate, fit_complementary_mixing
from liftbench_plugins.classical.params import SmoothParams
from liftbench_plugins.classical.shapes.coefficient_space import coefficient_space
from liftbench_plugins.classical.shapes.dct import dct_basis, free_ended_basis
from liftbench_plugins.classical.shapes.seen_trajectories import (
    clearest_basis,
    require_distinct,
    trajectory_views,
)


def turning(frames, turns=2.0):
    angles = np.linspace(0, 2 * np.pi * turns, frames)
    axes = np.stack([0.3 * np.sin(angles / 2), np.ones(frames), 0.2 * np.cos(angles)], axis=1)
    return Rotation.from_rotvec(angles[:, None] * axes / np.linalg.norm(axes[0])).as_matrix()


def rows_of(rotation, shape):
    return (rotation[:, :2] @ shape.swapaxes(1, 2)).reshape(-1, shape.shape[1])


def small_space(frames=24, points=11, size=6, seed=0):
    """Return the space of a random W before random cameras."""
    rng = np.random.default_rng(seed)
    rotation = random_rotations(rng, frames)
    rows = rng.standard_normal((2 * frames, points))
    return coefficient_space(rows, rotation, dct_basis(frames, size)), rotation, rows


def test_seen_columns_are_moves_of_a_point():
    rotation, basis = turning(30), dct_basis(30, 4)
    columns = trajectory_views(rotation, basis)
    moves = np.random.default_rng(0).standard_normal((4, 3))
    expected = np.einsum("fac,fc->fa", rotation[:, :2], basis @ moves)
    np.testing.assert_allclose(columns @ moves.ravel(), expected.ravel())


@pytest.mark.parametrize("make", [dct_basis, free_ended_basis])
def test_few_trajectories_are_the_first_of_many(make):
    basis = make(50, 9)
    np.testing.assert_allclose(basis.T @ basis, np.eye(9), atol=1e-12)
    np.testing.assert_allclose(np.abs(np.diag(basis[:, :5].T @ make(50, 5))), 1)


def test_free_ends_hold_any_parabola_and_need_fewer_for_a_wave_with_a_phase():
    time = np.linspace(0, 1, 80)
    for wave, count in ((3 * time**2 - time, 3), (np.sin(2 * np.pi * time + 1), 9)):
        rest = [
            np.linalg.norm(wave - basis @ (basis.T @ wave)) / np.linalg.norm(wave)
            for basis in (free_ended_basis(80, count), dct_basis(80, count))
        ]
        assert rest[0] < 0.05 * rest[1]


@pytest.mark.parametrize(("made_of", "count"), [(dct_basis, 5), (free_ended_basis, 6)])
def test_the_clearest_basis_is_that_which_the_trajectories_are_made_of(made_of, count):
    rng = np.random.default_rng(0)
    rotation = turning(120, turns=6)
    basis = made_of(120, count)
    shape = np.tensordot(basis, rng.standard_normal((count, 15, 3)), axes=1)
    rows = rows_of(rotation, shape) + 1e-4 * rng.standard_normal((240, 15))
    np.testing.assert_allclose(clearest_basis(rotation, rows), basis, atol=1e-12)


def test_cameras_that_stand_still_tell_no_trajectories_apart():
    still = np.broadcast_to(np.eye(3), (40, 3, 3))
    with pytest.raises(ValueError, match="turn too little to distinguish 3 smooth trajectories"):
        require_distinct(still, 3)
    with pytest.raises(ValueError, match="turn too little"):
        clearest_basis(still, np.random.default_rng(0).standard_normal((80, 9)))
    require_distinct(turning(40), 3)
    with pytest.raises(ValueError, match="turn too little"):
        require_distinct(turning(40), 27)


def test_sizes_of_the_basis():
    params = SmoothParams(smoothness=0.1)
    assert params.basis_size(1000, 5) == 100
    assert params.basis_size(200, 5) == 30
    assert params.basis_size(60, 5) == 20
    assert params.basis_size(60, 25) == 25
    with pytest.raises(ValueError, match="smoothness: expected at most 1, got 2"):
        SmoothParams(smoothness=2)


def test_the_space_is_the_rest_of_all_that_coefficients_can_explain():
    """What is left of W in the space, and what no coefficients explain, is what is left of W."""
    space, rotation, rows = small_space()
    mixing = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 2)))[0]
    shape = space.shapes(mixing, joint_shapes(space, mixing))
    coefficients = space.basis @ mixing
    full = (rotation[:, :2, None] * coefficients[:, None, :, None]).reshape(len(rows), -1)
    expected = full @ np.linalg.lstsq(full, rows, rcond=None)[0]
    np.testing.assert_allclose(rows_of(rotation, shape), expected, atol=1e-9)


def test_the_gradient_of_csf_is_that_of_what_is_left():
    space = small_space()[0]
    mixing = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 2)))[0]
    gradient = _misfit(space, mixing)[1]
    np.testing.assert_allclose(
        gradient, differences(lambda x: _misfit(space, x)[0], mixing), rtol=1e-5, atol=1e-5
    )


def test_the_gradient_of_csf2_is_that_of_what_is_left():
    space = small_space()[0]
    mixing = np.random.default_rng(1).standard_normal((6, 3))
    gradient = deflate(space, mixing).gradient(space).ravel()

    def value(x):
        return float(np.square(deflate(space, x).rest).sum()) / 2

    np.testing.assert_allclose(gradient, differences(value, mixing), rtol=1e-5, atol=1e-5)


def test_deflation_explains_one_shape_after_another():
    space = small_space()[0]
    mixing = np.random.default_rng(1).standard_normal((6, 3))
    rest = space.target
    for k in range(3):
        motion = space.motion(mixing)[..., k]
        rest = rest - motion @ np.linalg.pinv(motion) @ rest
        np.testing.assert_allclose(deflate(space, mixing).left[k], rest, atol=1e-10)


@pytest.mark.parametrize("fit", [fit_mixing, fit_complementary_mixing])
def test_fits_leave_less_than_their_start(fit):
    space = small_space(points=30)[0]
    start = np.eye(6, 2)
    found = fit(space, start, 50)

    def left(mixing):
        if fit is fit_mixing:
            return _misfit(space, mixing)[0]
        return np.square(deflate(space, mixing).rest).sum() / 2

    assert left(found) < 0.95 * left(start)
    for seed in range(30):
        other = found + 0.02 * np.random.default_rng(seed).standard_normal(found.shape)
        assert left(other) > left(found)


def test_cameras_of_smooth_bodies_are_found_up_to_a_turn():
    rng = np.random.default_rng(0)
    rotation = turning(120)
    waves = np.stack([np.ones(120), 0.4 * np.sin(np.linspace(0, 9, 120))], axis=1)
    basis = rng.standard_normal((2, 20, 3))
    shape = np.tensordot(waves, basis - basis.mean(axis=1, keepdims=True), axes=1)
    found = trajectory_cameras(rows_of(rotation, shape), 2)
    steps = found[1:] @ found[:-1].swapaxes(1, 2)
    expected = rotation[1:] @ rotation[:-1].swapaxes(1, 2)
    mirror = np.diag([1.0, 1.0, -1.0])
    errors = [np.abs(steps - other).max() for other in (expected, mirror @ expected @ mirror)]
    assert min(errors) < 1e-3


def differences(value, at, step=1e-6):
    """Return central differences of a function of a matrix, one an entry."""
    directions = np.eye(at.size).reshape(at.size, *at.shape)
    return [(value(at + step * d) - value(at - step * d)) / (2 * step) for d in directions]
