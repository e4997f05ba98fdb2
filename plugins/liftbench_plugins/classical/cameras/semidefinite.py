"""Linear programs over the positive semidefinite matrices in a linear space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.metric_upgrade import symmetric

_ITERATIONS, _TOLERANCE = 1500, 1e-7
# Every 20 iterations the penalty changes by a factor if one residual is 5 times the other.
_BALANCE_EVERY, _IMBALANCE, _FACTOR = 20, 5.0, 2.0


@dataclass(frozen=True, eq=False)
class MatrixSpace:
    """A linear space of symmetric matrices (n, n).

    Attributes:
        basis: (m, n(n+1)/2) orthonormal rows. Each holds the upper triangle of a matrix; entries
            off the diagonal are multiplied by sqrt(2), so that products of rows equal products of
            matrices.
    """

    basis: Floats

    def coordinates(self, matrix: Floats) -> Floats:
        """Return the inner products (m,) of a symmetric matrix with the basis."""
        upper = matrix[np.triu_indices(len(matrix))]
        return self.basis @ (upper * _scale(len(upper)))

    def matrix(self, coordinates: Floats) -> Floats:
        """Return the matrix (n, n) with the given coordinates (m,)."""
        upper = coordinates @ self.basis
        return symmetric(upper / _scale(len(upper)))


def null_space(equations: Floats, dimension: int) -> MatrixSpace:
    """Return the space of matrices that fulfils homogeneous equations best in least squares.

    Args:
        equations: coefficients (any, n(n+1)/2) of the upper triangle of a symmetric matrix.
        dimension: dimension of the space.
    """
    scaled = equations / _scale(equations.shape[1])
    _, vectors = np.linalg.eigh(scaled.T @ scaled)
    return MatrixSpace(vectors[:, :dimension].T)


def least_cost(space: MatrixSpace, cost: Floats, gauge: Floats) -> Floats:
    """Return the positive semidefinite Q of the space with <gauge, Q> = 1 and least <cost, Q>.

    The alternating direction method of multipliers keeps Q in the space and a copy of Q positive
    semidefinite (Boyd et al., Distributed optimization and statistical learning via the alternating
    direction method of multipliers, 2011, sections 3.4.1 and 5.2). The result is the copy.

    Args:
        space: matrices (n, n).
        cost: (n, n), symmetric.
        gauge: (n, n), symmetric, not orthogonal to the space.
    """
    slope, level = space.coordinates(cost), space.coordinates(gauge)
    step = level / (level @ level)
    penalty = np.linalg.norm(slope) / np.linalg.norm(step)
    copy, dual = np.zeros_like(cost), np.zeros_like(cost)
    for iteration in range(1, _ITERATIONS + 1):
        free = space.coordinates(copy - dual) - slope / penalty
        matrix = space.matrix(free - step * (level @ free - 1))
        before, copy = copy, _semidefinite_part(matrix + dual)
        dual += matrix - copy
        primal, change = np.linalg.norm(matrix - copy), np.linalg.norm(copy - before)
        if max(primal, change) <= _TOLERANCE * np.linalg.norm(copy):
            break
        if iteration % _BALANCE_EVERY == 0:
            factor = _balance(float(primal), float(change))
            penalty *= factor
            dual /= factor
    return copy


def _balance(primal: float, change: float) -> float:
    """Return the factor of the penalty that brings the two residuals closer together."""
    if primal > _IMBALANCE * change:
        return _FACTOR
    return 1 / _FACTOR if change > _IMBALANCE * primal else 1.0


def _semidefinite_part(matrix: Floats) -> Floats:
    """Return the positive semidefinite matrix nearest to a symmetric matrix."""
    values, vectors = np.linalg.eigh(matrix)
    part: Floats = (vectors * np.maximum(values, 0)) @ vectors.T
    return part


def _scale(entries: int) -> Floats:
    """Return 1 for the diagonal and sqrt(2) for the other entries of an upper triangle."""
    row, column = np.triu_indices(int(np.sqrt(2 * entries)))
    return np.where(row == column, 1.0, np.sqrt(2.0))
