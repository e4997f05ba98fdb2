"""Bases of smooth trajectories: discrete cosines, and cosines with free ends."""

from __future__ import annotations

import numpy as np
from scipy.fft import idct

from liftbench.types import Floats


def dct_basis(frames: int, count: int) -> Floats:
    """Return the `count` slowest cosines over `frames` frames as orthonormal columns (F, count).

    The first is constant (Akhter et al., Nonrigid structure from motion in trajectory space, NIPS
    2008).

    Raises:
        ValueError: there are not as many.
    """
    if not 1 <= count <= frames:
        raise ValueError(f"expected 1 to {frames} cosines over {frames} frames, got {count}")
    basis: Floats = idct(np.eye(frames, count), axis=0, norm="ortho")
    return basis


def free_ended_basis(frames: int, count: int) -> Floats:
    """Return orthonormal columns (F, count) of a constant, a line, a parabola and slow cosines.

    Cosines have no slope at the first and the last frame; with the other three a trajectory of any
    slopes there is a sum of few.

    Raises:
        ValueError: there are not as many.
    """
    cosines = dct_basis(frames, count)
    time = np.linspace(-1, 1, frames)
    columns = np.stack([np.ones(frames), time, time**2], axis=1)
    basis: Floats = np.linalg.qr(np.concatenate([columns, cosines[:, 1:]], axis=1)[:, :count])[0]
    return basis
