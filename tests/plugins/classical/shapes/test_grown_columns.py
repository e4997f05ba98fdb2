from __future__ import annotations

import numpy as np
import pytest
from tests.plugins.classical.bodies import moving_scene

from liftbench.types import Floats
from liftbench_plugins.classical.csf import fit_mixing
from liftbench_plugins.classical.shapes.coefficient_space import CoefficientSpace, coefficient_space
from liftbench_plugins.classical.shapes.dct import dct_basis
from liftbench_plugins.classical.shapes.grown_columns import grow_factors
from liftbench_plugins.classical.tracks import matrix_of

SCENE = moving_scene(3, 60, 15)
IMAGE = SCENE.image - SCENE.image.mean(axis=1, keepdims=True)


def space(size: int = 8) -> CoefficientSpace:
    return coefficient_space(matrix_of(IMAGE), SCENE.rotation, dct_basis(60, size))


def rank_of(shape: Floats) -> int:
    values = np.linalg.svd(shape.reshape(len(shape), -1), compute_uv=False)
    return int((values > 1e-9 * values[0]).sum())


@pytest.mark.parametrize("k", [1, 2, 4])
def test_a_given_k_is_the_rank(k: int) -> None:
    found = grow_factors(space(), SCENE.rotation, k, 10, 50)
    assert rank_of(found.shape) == k
    np.testing.assert_array_equal(found.rotation, SCENE.rotation)


@pytest.mark.parametrize(("most", "size"), [(1, 8), (2, 8), (10, 2)])
def test_k_grows_to_the_largest_allowed_one_and_to_the_size_of_the_basis(
    most: int, size: int
) -> None:
    found = grow_factors(space(size), SCENE.rotation, None, most, 50)
    assert rank_of(found.shape) == min(most, size)


def test_k_grows_while_the_fit_is_well_conditioned() -> None:
    grown = rank_of(grow_factors(space(), SCENE.rotation, None, 8, 50).shape)
    made = space()
    mixing = fit_mixing(made, np.eye(8, 1), 50)
    expected = 1
    while expected < 8:
        start = np.linalg.qr(np.column_stack([mixing, np.eye(8)[:, expected]]))[0]
        mixing = fit_mixing(made, start, 50)
        if not made.is_well_conditioned(mixing):
            break
        expected += 1
    assert 1 < grown == expected
