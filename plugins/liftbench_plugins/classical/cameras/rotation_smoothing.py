"""Smoothing of cameras over time; an uncertain camera is smoothed more."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solveh_banded

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.cameras import nearest_rotations

_FLOOR = 1e-12


def smooth_rotations(rotation: Floats, uncertainty: Floats) -> Floats:
    """Return rotations (F, 3, 3) near the given rotations, with small second differences.

    Minimises sum_f |X_f - R_f|^2/u_f^2 + sum_f |X_{f+1} - 2 X_f + X_{f-1}|^2/b^2, with b the median
    second difference of the given rotations, and takes the nearest rotations: a penalised
    least-squares smoother (Whittaker 1923) of chordal distances.

    Args:
        rotation: (F, 3, 3), with the signs of `smooth_signs`.
        uncertainty: standard error of each rotation as a chordal distance, (F,).
    """
    frames = len(rotation)
    if frames < 3:
        return rotation
    bends = np.linalg.norm(np.diff(rotation, 2, axis=0), axis=(1, 2))
    trust = (np.median(bends) ** 2 + _FLOOR) / (uncertainty**2 + _FLOOR)
    bands = np.zeros((3, frames))
    for first, second in ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2)):
        step = second - first
        bands[2 - step, second : frames - 2 + second] += _BEND[first] * _BEND[second]
    bands[2] += trust
    flat = solveh_banded(bands, trust[:, None] * rotation.reshape(frames, 9))
    return nearest_rotations(flat.reshape(rotation.shape)[:, :2])


_BEND = (1.0, -2.0, 1.0)
