from __future__ import annotations

import numpy as np
import pytest
from tests.plugins.classical.bodies import MIRROR, scene_of, turning_cameras

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.trajectory_cameras import _misfit, trajectory_cameras
from liftbench_plugins.classical.tracks import matrix_of


def gap(found: Floats, rotation: Floats) -> float:
    """Return the largest difference of the turns between frames, mirrored if that is better."""
    turns = found @ found[0].T
    expected = rotation @ rotation[0].T
    return float(min(np.abs(turns - x).max() for x in (expected, MIRROR @ expected @ MIRROR)))


def moving_rows(mean: float, frames: int = 120) -> tuple[Floats, Floats]:
    """Return W and the cameras of a body with the given share of a mean shape."""
    rotation = turning_cameras(frames)
    time = np.linspace(0, 9, frames)
    weights = np.stack([mean + 0.4 * np.cos(1.3 * time), 0.4 * np.sin(time)], axis=1)
    scene = scene_of(weights, rotation, 20, np.random.default_rng(0))
    return matrix_of(scene.image), rotation


@pytest.mark.parametrize("mean", [1.0, 0.0])
def test_cameras_are_found_up_to_a_turn_with_and_without_a_mean_shape(mean: float) -> None:
    rows, rotation = moving_rows(mean)
    assert gap(trajectory_cameras(rows, 2), rotation) < 1e-2


def test_a_rigid_body_has_exact_cameras() -> None:
    rotation = turning_cameras(40)
    rows = matrix_of(scene_of(np.ones((40, 1)), rotation, 9, np.random.default_rng(1)).image)
    assert gap(trajectory_cameras(rows, 1), rotation) < 1e-7


def test_the_misfit_is_that_of_orthonormal_rows_with_its_derivatives() -> None:
    rng = np.random.default_rng(0)
    motion, corrective = rng.standard_normal((9, 2, 6)), rng.standard_normal((6, 3))

    def residual(entries: Floats) -> Floats:
        gram = motion @ entries.reshape(6, 3)
        gram = gram @ gram.swapaxes(1, 2)
        rest: Floats = np.concatenate([gram[:, 0, 0] - 1, gram[:, 1, 1] - 1, gram[:, 0, 1]])
        return rest

    value, gradient, matrix = _misfit(motion, corrective)
    at = corrective.ravel()
    rest = residual(at)
    slopes = [(residual(at + 1e-6 * e) - residual(at - 1e-6 * e)) / 2e-6 for e in np.eye(18)]
    jacobian = np.stack(slopes, axis=1)
    assert value == pytest.approx(rest @ rest / 2)
    np.testing.assert_allclose(gradient, jacobian.T @ rest, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(matrix, jacobian.T @ jacobian, rtol=1e-5, atol=1e-5)
