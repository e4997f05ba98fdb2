"""Random coefficient spaces, and numerical derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from liftbench.cameras import random_rotations
from liftbench.types import Floats
from liftbench_plugins.classical.shapes.coefficient_space import CoefficientSpace, coefficient_space
from liftbench_plugins.classical.shapes.dct import dct_basis


@dataclass(frozen=True, eq=False)
class RandomSpace:
    """A coefficient space with its cameras (F, 3, 3) and W (2F, P)."""

    space: CoefficientSpace
    rotation: Floats
    rows: Floats


def random_space(frames: int = 24, points: int = 11, size: int = 6) -> RandomSpace:
    """Return the space of a random W before random cameras."""
    rng = np.random.default_rng(0)
    rotation = random_rotations(rng, frames)
    rows = rng.standard_normal((2 * frames, points))
    return RandomSpace(coefficient_space(rows, rotation, dct_basis(frames, size)), rotation, rows)


def orthonormal_mixing(size: int, count: int) -> Floats:
    """Return random orthonormal columns (size, count)."""
    return np.linalg.qr(np.random.default_rng(1).standard_normal((size, count)))[0]


def central_differences(
    function: Callable[[Floats], float], at: Floats, step: float = 1e-6
) -> list[float]:
    """Return the derivatives of a function of a matrix, one per entry."""
    directions = np.eye(at.size).reshape(at.size, *at.shape)
    return [(function(at + step * d) - function(at - step * d)) / (2 * step) for d in directions]
