from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.optimize import linprog

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.metric_upgrade import symmetric
from liftbench_plugins.classical.cameras.semidefinite import MatrixSpace, least_cost, null_space

SIZE = 4
UPPER = np.triu_indices(SIZE)


def span(matrices: Sequence[Floats]) -> MatrixSpace:
    """Return the space that symmetric matrices span."""
    scale = np.where(UPPER[0] == UPPER[1], 1, np.sqrt(2))
    rows = np.stack([matrix[UPPER] * scale for matrix in matrices])
    return MatrixSpace(np.linalg.qr(rows.T)[0].T)


def random_symmetric(rng: np.random.Generator) -> Floats:
    matrix = rng.standard_normal((SIZE, SIZE))
    return matrix + matrix.T


def test_products_of_coordinates_are_those_of_matrices() -> None:
    rng = np.random.default_rng(0)
    space = span([random_symmetric(rng) for _ in range(5)])
    a, b = rng.standard_normal((2, 5))
    product = (space.matrix(a) * space.matrix(b)).sum()
    assert product == pytest.approx(a @ b)
    np.testing.assert_allclose(space.coordinates(space.matrix(a)), a)


def test_the_null_space_meets_the_equations() -> None:
    rng = np.random.default_rng(1)
    equations = rng.standard_normal((30, 7)) @ rng.standard_normal((7, 10))
    space = null_space(equations, 3)
    for coordinates in np.eye(3):
        matrix = space.matrix(coordinates)
        np.testing.assert_allclose(equations @ matrix[UPPER], 0, atol=1e-9)


def test_over_diagonal_matrices_it_is_a_linear_program() -> None:
    rng = np.random.default_rng(2)
    parts = rng.uniform(0.1, 1, (3, SIZE)) * rng.choice([-1, 1], (3, SIZE), p=[0.3, 0.7])
    cost, gauge = rng.uniform(1, 2, (2, SIZE))
    found = least_cost(span([np.diag(part) for part in parts]), np.diag(cost), np.diag(gauge))
    expected = linprog(
        parts @ cost,
        A_ub=-parts.T,
        b_ub=np.zeros(SIZE),
        A_eq=(parts @ gauge)[None],
        b_eq=[1],
        bounds=(None, None),
    )
    assert expected.success
    assert (found * np.diag(cost)).sum() == pytest.approx(expected.fun, rel=1e-4)
    np.testing.assert_allclose(found, np.diag(expected.x @ parts), atol=1e-4)


def test_over_all_matrices_the_least_trace_is_one_eigenvector() -> None:
    """min <C, Q> with tr Q = 1 is the smallest eigenvalue of C."""
    cost = random_symmetric(np.random.default_rng(3))
    basis = [symmetric(upper) for upper in np.eye(10)]
    found = least_cost(span(basis), cost, np.eye(SIZE))
    values, vectors = np.linalg.eigh(cost)
    assert (found * cost).sum() == pytest.approx(values[0], rel=1e-5)
    np.testing.assert_allclose(found, np.outer(vectors[:, 0], vectors[:, 0]), atol=1e-4)
