from __future__ import annotations

import numpy as np
import pytest

from liftbench.cameras import random_rotations
from liftbench.types import Floats
from liftbench_plugins.classical.cameras.metric_upgrade import (
    _departure_derivatives,
    _departures,
    metric_upgrade,
    orthonormality,
    quadratic_terms,
    refine_corrective,
    symmetric,
)


def grams(cameras: Floats) -> Floats:
    return cameras @ cameras.swapaxes(1, 2)


def test_metric_upgrade_undoes_an_affine_change_of_cameras() -> None:
    rng = np.random.default_rng(0)
    cameras = random_rotations(rng, 30)[:, :2]
    change = rng.standard_normal((3, 3))
    upgraded = cameras @ change @ metric_upgrade(cameras @ change)
    gram = grams(upgraded)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(2), gram.shape), atol=1e-9)


@pytest.mark.parametrize("size", [1, 3, 6])
def test_quadratic_terms_are_those_of_a_product(size: int) -> None:
    rng = np.random.default_rng(size)
    a, b = rng.standard_normal((2, 8, size))
    upper = rng.standard_normal(size * (size + 1) // 2)
    matrix = symmetric(upper)
    np.testing.assert_array_equal(matrix, matrix.T)
    expected = [x @ matrix @ y for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(quadratic_terms(a, b) @ upper, expected)


def motion(rank: int, frames: int = 60, seed: int = 0) -> tuple[Floats, Floats]:
    """Return camera rows (F, 2, 3K) of K scaled copies of each camera, mixed; and the mixing."""
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((frames, 1, rank)) + 0.3
    cameras = np.concatenate(
        [weights[:, :, [k]] * random_rotations(rng, frames)[:, :2] for k in range(rank)], axis=2
    )
    return cameras, rng.standard_normal((3 * rank, 3 * rank))


def test_equations_hold_for_the_block_of_a_mixed_motion() -> None:
    cameras, mixing = motion(2)
    corrective = np.linalg.inv(mixing)[:, :3]
    gram = corrective @ corrective.T
    equations = orthonormality(cameras @ mixing)
    assert equations.shape == (120, 21)
    np.testing.assert_allclose(equations @ gram[np.triu_indices(6)], 0, atol=1e-9)
    assert np.abs(equations @ np.eye(6)[np.triu_indices(6)]).max() > 0.1


def test_refinement_finds_the_corrective_from_nearby() -> None:
    cameras, mixing = motion(2)
    exact = np.linalg.inv(mixing)[:, :3]
    start = exact + 0.02 * np.abs(exact).max() * np.random.default_rng(4).standard_normal((6, 3))
    found = refine_corrective(cameras @ mixing, start)
    gram = grams(cameras @ mixing @ found)
    length = gram[:, 0, 0]
    np.testing.assert_allclose(gram[:, 1, 1] / length, 1, atol=1e-3)
    np.testing.assert_allclose(gram[:, 0, 1] / length, 0, atol=1e-3)


def test_derivatives_are_those_of_the_departures() -> None:
    cameras, mixing = motion(2, frames=9)
    given, start = cameras @ mixing, np.random.default_rng(4).standard_normal((6, 3))
    found = _departure_derivatives(given, start)
    assert found.shape == (18, 18)
    step = 1e-6
    for entry, direction in enumerate(np.eye(18).reshape(18, 6, 3)):
        ahead, behind = (_departures(given, start + sign * step * direction) for sign in (1, -1))
        np.testing.assert_allclose(
            found[:, entry], (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-6
        )
