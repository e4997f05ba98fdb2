"""How many basis shapes a fit of coefficients tells apart: as many as keep its condition low."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.csf import fitted_columns, joint_shapes
from liftbench_plugins.classical.shapes.coefficient_space import CoefficientSpace
from liftbench_plugins.classical.tracks import Factors


def grown_factors(
    space: CoefficientSpace, rotation: Floats, asked: int | None, most: int, steps: int
) -> Factors:
    """Return shapes of K basis shapes whose coefficients leave the least of W (as in `solve_csf`).

    Args:
        space: W before cameras, and the functions that coefficients are made of.
        rotation: the cameras, (F, 3, 3).
        asked: K; None takes one more basis shape, from those before, while their joint fit tells
            them apart.
        most: the greatest K of the rule.
        steps: of each fit at most.
    """
    size = space.basis.shape[1]
    if asked is not None:
        mixing = fitted_columns(space, np.eye(size, asked), steps)
    else:
        mixing = _grown(space, min(most, size), steps)
    return Factors(rotation, space.shapes(mixing, joint_shapes(space, mixing)))


def _grown(space: CoefficientSpace, most: int, steps: int) -> Floats:
    """Return X (d, K) of the greatest K up to `most` whose fit tells basis shapes apart."""
    size = space.basis.shape[1]
    found = fitted_columns(space, np.eye(size, 1), steps)
    for count in range(2, most + 1):
        start = np.linalg.qr(np.column_stack([found, np.eye(size)[:, count - 1]]))[0]
        grown = fitted_columns(space, start, steps)
        if not space.tells_apart(grown):
            break
        found = grown
    return found
