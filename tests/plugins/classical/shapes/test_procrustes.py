from __future__ import annotations

import numpy as np
import pytest
from tests.plugins.classical.bodies import MIRROR, similar_shapes, unit

from liftbench.cameras import random_rotations
from liftbench_plugins.classical.shapes.procrustes import (
    align,
    deformation_basis,
    procrustes_mean,
)


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_shapes_are_brought_back_by_the_similarity_that_moved_them(spread: float) -> None:
    given = similar_shapes(spread)
    size, turn = align(given.shape, given.mean)
    np.testing.assert_allclose(size, given.size)
    np.testing.assert_allclose(turn, given.turn, atol=1e-9)


def test_mirrored_shapes_are_turned_not_mirrored() -> None:
    given = similar_shapes()
    mean, mirrored = given.mean, given.shape @ MIRROR
    _, turn = align(mirrored, mean)
    np.testing.assert_allclose(np.linalg.det(turn), 1)
    chosen = np.einsum("fpc,fcd,pd->f", mirrored, turn, mean)
    for other in random_rotations(np.random.default_rng(1), 200):
        assert (np.einsum("fpc,cd,pd->f", mirrored, other, mean) <= chosen).all()


def test_aligned_shapes_minus_their_mean_are_deformations() -> None:
    """Any rest is at right angles to the mean's change of size and to its rotations."""
    rng = np.random.default_rng(3)
    mean = unit(rng.standard_normal((6, 3)))
    shape = mean + 0.1 * rng.standard_normal((20, 6, 3))
    size, turn = align(shape, mean)
    rest = (size[:, None, None] * (shape @ turn) - mean).reshape(20, -1)
    basis = deformation_basis(mean)
    assert basis.shape == (18, 14)
    np.testing.assert_allclose(basis.T @ basis, np.eye(14), atol=1e-12)
    np.testing.assert_allclose(rest @ basis @ basis.T, rest, atol=1e-12)


def test_the_mean_is_that_of_the_shapes_aligned_to_it() -> None:
    given = similar_shapes(0.05)
    found = procrustes_mean(given.shape, given.shape[0])
    size, turn = align(given.shape, found)
    mean = np.mean(size[:, None, None] * (given.shape @ turn), axis=0)
    np.testing.assert_allclose(unit(mean), found, atol=1e-8)
    np.testing.assert_allclose(np.linalg.norm(found), 1)
    _, back = align(given.mean[None], found)
    assert np.linalg.norm(given.mean @ back[0] - found) < 0.1
