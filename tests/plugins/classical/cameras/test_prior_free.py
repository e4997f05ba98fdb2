import numpy as np
import pytest

from liftbench.cameras import random_rotations, subtract_mean
from liftbench_plugins.classical.bmm_revisited import smooth_cameras
from liftbench_plugins.classical.cameras.cameras import nearest_rotations, with_common_signs
from liftbench_plugins.classical.cameras.prior_free import (
    camera_factor,
    prior_free_motion,
    prior_free_rank,
    rank_three_factor,
)
from liftbench_plugins.classical.cameras.rotation_smoothing import smooth_rotations
from liftbench_plugins.classical.tracks import Tracks, matrix_of


def deforming(frames=80, points=25, rank=2, seed=0):
    """Return W (2F, P) and the cameras of shapes of low rank with a mean."""
    rng = np.random.default_rng(seed)
    weights = np.concatenate([np.ones((frames, 1)), rng.normal(0, 0.4, (frames, rank - 1))], axis=1)
    shape = np.tensordot(weights, subtract_mean(rng.standard_normal((rank, points, 3))), axes=1)
    rotation = random_rotations(rng, frames)
    image = shape @ rotation[:, :2].swapaxes(1, 2)
    return matrix_of(image), rotation, image


def relative(rotation):
    """Return what turns each camera into the first, free of a common turn of the body."""
    return rotation @ rotation[0].T


def test_cameras_are_found_up_to_signs_a_turn_and_a_mirror():
    rows, rotation, image = deforming()
    found = with_common_signs(nearest_rotations(prior_free_motion(rows, 2)), image)
    mirror = np.diag([1.0, 1.0, -1.0])
    flip = np.diag([-1.0, -1.0, 1.0])
    gaps = [
        np.abs(relative(sign @ found) - relative(side @ rotation @ side)).max()
        for sign in (np.eye(3), flip)
        for side in (np.eye(3), mirror)
    ]
    assert min(gaps) < 1e-3


def test_the_camera_factor_spans_w():
    rows = deforming()[0]
    cameras, values = camera_factor(rows, 2)
    flat = cameras.reshape(len(rows), 6)
    np.testing.assert_allclose(flat.T @ flat, len(rows) * np.eye(6), atol=1e-9)
    np.testing.assert_allclose(flat @ (flat.T @ rows) / len(rows), rows, atol=1e-9)
    assert (np.diff(values) <= 0).all()


def test_the_factor_of_a_gram_matrix_of_rank_three():
    factor = np.random.default_rng(0).standard_normal((7, 3))
    gram = factor @ factor.T
    found = rank_three_factor(gram)
    np.testing.assert_allclose(found @ found.T, gram, atol=1e-10)


@pytest.mark.parametrize(("frames", "expected"), [(100, 8), (60, 6), (30, 4)])
def test_k_is_no_more_than_the_frames_determine(frames, expected):
    """2F equations for the 3K(3K+1)/2 - (2K^2 - K) other unknowns."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((2 * frames, 30)) @ rng.standard_normal((30, 50))
    tracks = Tracks(rows, np.ones((frames, 50), dtype=bool), 1.0)
    found = prior_free_rank(None, tracks)
    assert found == expected
    assert 3 * found * (3 * found + 1) / 2 - (2 * found**2 - found) <= 2 * frames
    more = found + 1
    assert 3 * more * (3 * more + 1) / 2 - (2 * more**2 - more) > 2 * frames
    assert prior_free_rank(9, tracks) == 9


def test_smoothing_solves_its_least_squares():
    """The same by a dense solution, and sure cameras stay."""
    rng = np.random.default_rng(0)
    rotation = nearest_rotations(rng.normal(0, 0.2, (30, 2, 3)) + np.eye(3)[:2])
    uncertainty = rng.uniform(0.1, 1, 30)
    bends = np.diff(np.eye(30), 2, axis=0)
    typical = np.median(np.linalg.norm(np.diff(rotation, 2, axis=0), axis=(1, 2)))
    trust = (typical**2 + 1e-12) / (uncertainty**2 + 1e-12)
    dense = np.linalg.solve(
        np.diag(trust) + bends.T @ bends, trust[:, None] * rotation.reshape(30, 9)
    )
    expected = nearest_rotations(dense.reshape(30, 3, 3)[:, :2])
    np.testing.assert_allclose(smooth_rotations(rotation, uncertainty), expected, atol=1e-9)
    np.testing.assert_allclose(smooth_rotations(rotation, np.zeros(30)), rotation, atol=1e-6)
    np.testing.assert_array_equal(smooth_rotations(rotation[:2], uncertainty[:2]), rotation[:2])


def test_smooth_cameras_of_exact_rows_are_the_rows():
    angles = np.linspace(0, 2, 60)
    rotation = np.stack(
        [
            np.stack([np.cos(angles), 0 * angles, np.sin(angles)], axis=1),
            np.stack([0 * angles, 1 + 0 * angles, 0 * angles], axis=1),
        ],
        axis=1,
    )
    scales = np.random.default_rng(0).uniform(0.5, 2, (60, 1, 1))
    signs = np.random.default_rng(1).choice([-1, 1], (60, 1, 1))
    found = smooth_cameras(scales * signs * rotation)
    sign = np.sign((found[0, :2] * rotation[0]).sum())
    np.testing.assert_allclose(found[:, :2], sign * rotation, atol=1e-4)
