"""Least squares by damped Gauss-Newton steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from liftbench.types import Floats

# Value, gradient (n,) and Gauss-Newton matrix (n, n) at x (n,).
Quadratic = tuple[float, Floats, Floats]

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
    """Return an x (n,) near `start` of a least value.

    The matrix gets a multiple of its mean diagonal, 1e-4 at first, 10 times as much after a step
    that is no gain and a hundredth after one that is (Gotardo and Martinez, Computing smooth
    time-trajectories for camera and deformable shape in structure from motion with occlusion,
    TPAMI 2011).

    Args:
        model: half a sum of squares and its approximation by a quadratic.
        start: (n,).
        steps: how many are tried at most.
        tolerance: a gain below this share of the value is the last.
        retract: brings what a step leads to back to where x must be, at the same value.
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
    size = len(gradient)
    damped = matrix + damping * np.trace(matrix) / size * np.eye(size)
    step: Floats = cho_solve(cho_factor(damped), -gradient)
    return step
