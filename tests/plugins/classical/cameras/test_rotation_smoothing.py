from __future__ import annotations

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.cameras import nearest_rotations
from liftbench_plugins.classical.cameras.rotation_smoothing import smooth_rotations


def noisy_rotations(frames: int = 30) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(0)
    rotation = nearest_rotations(rng.normal(0, 0.2, (frames, 2, 3)) + np.eye(3)[:2])
    return rotation, rng.uniform(0.1, 1, frames)


def test_smoothing_solves_its_least_squares() -> None:
    rotation, uncertainty = noisy_rotations()
    bends = np.diff(np.eye(30), 2, axis=0)
    typical = np.median(np.linalg.norm(np.diff(rotation, 2, axis=0), axis=(1, 2)))
    trust = (typical**2 + 1e-12) / (uncertainty**2 + 1e-12)
    dense = np.linalg.solve(
        np.diag(trust) + bends.T @ bends, trust[:, None] * rotation.reshape(30, 9)
    )
    expected = nearest_rotations(dense.reshape(30, 3, 3)[:, :2])
    np.testing.assert_allclose(smooth_rotations(rotation, uncertainty), expected, atol=1e-9)


def test_certain_rotations_stay() -> None:
    rotation, _ = noisy_rotations()
    np.testing.assert_allclose(smooth_rotations(rotation, np.zeros(30)), rotation, atol=1e-6)


def test_still_cameras_stay_however_uncertain() -> None:
    still = np.broadcast_to(np.eye(3), (9, 3, 3))
    np.testing.assert_allclose(smooth_rotations(still, np.ones(9)), still, atol=1e-6)


def test_two_frames_have_nothing_to_smooth_and_three_have() -> None:
    rotation, uncertainty = noisy_rotations()
    two = smooth_rotations(rotation[:2], uncertainty[:2])
    np.testing.assert_array_equal(two, rotation[:2])
    assert np.abs(smooth_rotations(rotation[:3], uncertainty[:3]) - rotation[:3]).max() > 1e-3
