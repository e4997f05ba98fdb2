"""Cameras of a deforming body whose points move along smooth trajectories."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.cameras import (
    nearest_rotations,
    with_common_signs,
    with_smooth_signs,
)
from liftbench_plugins.classical.cameras.metric_upgrade import metric_upgrade, refine_corrective
from liftbench_plugins.classical.gauss_newton import Quadratic, damped_gauss_newton
from liftbench_plugins.classical.shapes.seen_trajectories import clearest_cameras
from liftbench_plugins.classical.tracks import frames_of

_STEPS, _TOLERANCE = 200, 1e-10


def trajectory_cameras(rows: Floats, rank: int) -> Floats:
    """Return the rotations (F, 3, 3) of the cameras by the metric upgrade in trajectory space.

    W = M B has rank 3K. The three columns of the corrective that belong to the constant trajectory
    make every camera of M orthonormal with one scale. They are found for K = 1 first and extended
    to K = `rank` step by step (Akhter, Sheikh, Khan, Kanade, Trajectory space, TPAMI 2011; Gotardo
    and Martinez, TPAMI 2011). If the body has no mean shape, no trajectory is constant: each frame
    then has its own scale and sign, and the sign follows from small steps between cameras or from
    the common part of the bodies. Of these three results, the cameras for which smooth trajectories
    explain W best are returned.

    Args:
        rows: W, (2F, P), centred, without hidden points.
        rank: K; W must support it, see `shape_rank`.
    """
    left, values, _ = np.linalg.svd(rows, full_matrices=False)
    motion = (left * np.sqrt(values)).reshape(len(rows) // 2, 2, -1)
    corrective = metric_upgrade(motion[:, :, :3])
    for size in range(3, 3 * rank + 1, 3):
        start = np.pad(corrective, ((0, size - len(corrective)), (0, 0)))
        corrective = _orthonormal_corrective(motion[:, :, :size], start)
    motion = motion[:, :, : 3 * rank]
    scaled = nearest_rotations(motion @ refine_corrective(motion, corrective))
    return clearest_cameras(
        (
            nearest_rotations(motion @ corrective),
            with_smooth_signs(scaled),
            with_common_signs(scaled, frames_of(rows, 2)),
        ),
        rows,
    )


def _orthonormal_corrective(motion: Floats, start: Floats) -> Floats:
    """Return the corrective (n, 3) near `start` that makes the cameras (F, 2, n) orthonormal."""

    def model(entries: Floats) -> Quadratic:
        return _misfit(motion, entries.reshape(start.shape))

    found = damped_gauss_newton(model, start.ravel(), steps=_STEPS, tolerance=_TOLERANCE)
    return found.reshape(start.shape)


def _misfit(motion: Floats, corrective: Floats) -> Quadratic:
    """Return half the sum of squares of |r1|^2 - 1, |r2|^2 - 1 and r1 r2' as a quadratic."""
    rows = motion @ corrective
    first, second = rows[:, 0], rows[:, 1]
    lengths = np.einsum("fac,fac->af", rows, rows) - 1
    slant = np.einsum("fc,fc->f", first, second)
    residual = np.concatenate([*lengths, slant])
    one, two = motion[:, 0, :, None], motion[:, 1, :, None]
    parts = (
        2 * one * first[:, None],
        2 * two * second[:, None],
        one * second[:, None] + two * first[:, None],
    )
    jacobian = np.concatenate(parts).reshape(len(residual), -1)
    return float(residual @ residual) / 2, jacobian.T @ residual, jacobian.T @ jacobian
