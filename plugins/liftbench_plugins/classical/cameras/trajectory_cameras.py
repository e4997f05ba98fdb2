"""Cameras of a deforming body whose points move along smooth trajectories."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.cameras import agreeing, chained, nearest_rotations
from liftbench_plugins.classical.cameras.metric_upgrade import metric_upgrade, refined_corrective
from liftbench_plugins.classical.gauss_newton import Quadratic, damped_gauss_newton
from liftbench_plugins.classical.shapes.seen_trajectories import clearest_cameras
from liftbench_plugins.classical.tracks import frames_of

_STEPS, _TOLERANCE = 200, 1e-10


def trajectory_cameras(rows: Floats, rank: int) -> Floats:
    """Return the rotations (F, 3, 3) of the cameras by the metric upgrade in trajectory space.

    W = M B of rank 3K; the three columns of the corrective that belong to the constant trajectory
    make every camera of M orthonormal with one scale. They are found for K = 1 and grow to K =
    `rank`, each from the one before (Akhter, Sheikh, Khan, Kanade, Trajectory space, TPAMI 2011;
    Gotardo and Martinez, TPAMI 2011). Where the body has no mean shape, so
    that no trajectory is constant, the scale must be left to each frame, and its sign, which small
    turns or the common part of bodies then tell. Of the three ways that counts by whose cameras
    smooth trajectories explain W best.

    Args:
        rows: W, (2F, P) without hidden entries, centred.
        rank: K; W must bear it, see `shape_rank`.
    """
    left, values, _ = np.linalg.svd(rows, full_matrices=False)
    motion = (left * np.sqrt(values)).reshape(len(rows) // 2, 2, -1)
    corrective = metric_upgrade(motion[:, :, :3])
    for size in range(3, 3 * rank + 1, 3):
        start = np.pad(corrective, ((0, size - len(corrective)), (0, 0)))
        corrective = _orthonormal(motion[:, :, :size], start)
    motion = motion[:, :, : 3 * rank]
    scaled = nearest_rotations(motion @ refined_corrective(motion, corrective))
    return clearest_cameras(
        (
            nearest_rotations(motion @ corrective),
            chained(scaled),
            agreeing(scaled, frames_of(rows, 2)),
        ),
        rows,
    )


def _orthonormal(motion: Floats, start: Floats) -> Floats:
    """Return the corrective (n, 3) near `start` that makes `motion` (F, 2, n) orthonormal."""

    def model(entries: Floats) -> Quadratic:
        return _misfit(motion, entries.reshape(start.shape))

    found = damped_gauss_newton(model, start.ravel(), steps=_STEPS, tolerance=_TOLERANCE)
    return found.reshape(start.shape)


def _misfit(motion: Floats, corrective: Floats) -> Quadratic:
    """Return half the sum of squares of |r1| - 1, |r2| - 1 (squared lengths) and r1 r2'."""
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
