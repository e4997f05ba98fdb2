"""Least squares by damped Gauss-Newton steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from liftbench.types import Floats

Quadratic = tuple[float, Floats, Floats]
"""Value, gradient (n,) and Gauss-Newton matrix (n, n) of a function at a point x (n,)."""

_FIRST, _LEAST, _MOST = 1e-4, 1e-12, 1e10
_REJECTED, _ACCEPTED = 10.0, 0.01


def damped_gauss_newton(
    model: Callable[[Floats], Quadratic],
    start: Floats,
    *,
    steps: int,
    tolerance: float,
    retract: Callable[[Floats], Floats] = np.asarray,
) -> Floats:
    """Return the x (n,) of a local minimum near `start`.

    Each step adds a multiple of the mean diagonal to the matrix. The multiple is 1e-4 at first; it
    grows by 10 after a step that does not lower the value and falls to a hundredth after a step
    that does (Gotardo and Martinez, Computing smooth time-trajectories for camera and deformable
    shape in structure from motion with occlusion, TPAMI 2011).

    Args:
        model: half a sum of squares, with its approximation by a quadratic.
        start: (n,).
        steps: limit on the steps that are tried.
        tolerance: the search ends when a step lowers the value by less than this share.
        retract: moves the end of a step back to where x must be, without changing the value.
    """
    x, damping = start, _FIRST
    value, gradient, matrix = model(x)
    for _ in range(steps):
        try:
            step = _damped_step(gradient, matrix, damping)
        except LinAlgError:
            step = np.full_like(x, np.nan)
        moved = retract(x + step) if np.isfinite(step).all() else x
        ahead = model(moved)
        gain = value - ahead[0]
        if gain > 0:
            x, (value, gradient, matrix) = moved, ahead
            damping = max(damping * _ACCEPTED, _LEAST)
            if gain <= tolerance * (value + gain):
                break
        else:
            damping *= _REJECTED
            if damping > _MOST:
                break
    return x


def _damped_step(gradient: Floats, matrix: Floats, damping: float) -> Floats:
    """Return the step (n,) to the minimum of the quadratic whose matrix is damped."""
    size = len(gradient)
    damped = matrix + damping * np.trace(matrix) / size * np.eye(size)
    step: Floats = cho_solve(cho_factor(damped), -gradient)
    return step
