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
        ValueError: `count` is not between 1 and the number of frames.
    """
    if not 1 <= count <= frames:
        raise ValueError(f"expected 1 to {frames} cosines over {frames} frames, got {count}")
    basis: Floats = idct(np.eye(frames, count), axis=0, norm="ortho")
    return basis


def free_ended_basis(frames: int, count: int) -> Floats:
    """Return an orthonormal basis (F, count) of a constant, a line, a parabola and slow cosines.

    Cosines have slope zero at the first and the last frame. With the line and the parabola, few
    columns represent a trajectory with any slope at its ends.

    Raises:
        ValueError: `count` is not between 1 and the number of frames.
    """
    cosines = dct_basis(frames, count)
    time = np.linspace(-1, 1, frames)
    columns = np.stack([np.ones(frames), time, time**2], axis=1)
    basis: Floats = np.linalg.qr(np.concatenate([columns, cosines[:, 1:]], axis=1)[:, :count])[0]
    return basis
