"""A fit of coefficients that adds basis shapes while it stays well conditioned."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.csf import fit_mixing, joint_shapes
from liftbench_plugins.classical.shapes.coefficient_space import CoefficientSpace
from liftbench_plugins.classical.tracks import Factors


def grow_factors(
    space: CoefficientSpace, rotation: Floats, asked: int | None, most: int, steps: int
) -> Factors:
    """Return cameras, and shapes whose K basis shapes explain W best, as in `solve_csf`.

    Args:
        space: W, and the trajectories that coefficients are combinations of.
        rotation: the cameras, (F, 3, 3).
        asked: K; None: add basis shapes one by one while their joint fit is well conditioned.
        most: largest K if `asked` is None.
        steps: limit on the steps of each fit.
    """
    size = space.basis.shape[1]
    if asked is not None:
        mixing = fit_mixing(space, np.eye(size, asked), steps)
    else:
        mixing = _grow_mixing(space, min(most, size), steps)
    return Factors(rotation, space.shapes(mixing, joint_shapes(space, mixing)))


def _grow_mixing(space: CoefficientSpace, most: int, steps: int) -> Floats:
    """Return X (d, K) of the largest K up to `most` whose fit is well conditioned."""
    size = space.basis.shape[1]
    found = fit_mixing(space, np.eye(size, 1), steps)
    for count in range(2, most + 1):
        start = np.linalg.qr(np.column_stack([found, np.eye(size)[:, count - 1]]))[0]
        grown = fit_mixing(space, start, steps)
        if not space.is_well_conditioned(grown):
            break
        found = grown
    return found
