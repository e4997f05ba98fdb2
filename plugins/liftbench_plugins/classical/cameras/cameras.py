"""Orthographic cameras of many frames: from their two rows, and their signs over time."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats

# Negates the two rows of a camera; its third row, their cross product, stays.
_FLIP = np.diag([-1.0, -1.0, 1.0])


def nearest_rotations(rows: Floats) -> Floats:
    """Return the rotations (F, 3, 3) whose first two rows are nearest to `rows` (F, 2, 3)."""
    left, _, right = np.linalg.svd(rows, full_matrices=False)
    first = left @ right
    third = np.cross(first[:, :1], first[:, 1:])
    return np.concatenate([first, third], axis=1)


def chained_signs(rotation: Floats) -> Floats:
    """Return signs (F,), 1 or -1, that make each camera the nearer one of two to the one before.

    A factorisation tells the two rows of a camera up to a sign; `rotation` (F, 3, 3) has the
    third row, on which it has no influence. Frames must be in the order of time.
    """
    step = rotation[1:] @ rotation[:-1].swapaxes(1, 2)
    # The trace of a rotation falls with its angle. Negating both neighbours changes nothing.
    turned = np.einsum("fii,i->f", step, np.diag(_FLIP)) > np.einsum("fii->f", step)
    odd = np.concatenate([[0], np.cumsum(turned)]) % 2
    return np.where(odd == 1, -1.0, 1.0)


def chained(rotation: Floats) -> Floats:
    """Return the rotations with the signs of `chained_signs` in their first two rows."""
    signed = rotation.copy()
    signed[:, :2] *= chained_signs(rotation)[:, None, None]
    return signed


def agreeing(rotation: Floats, image: Floats) -> Floats:
    """Return the rotations with signs in their first two rows that make the seen bodies agree.

    The signs are `common_signs` of pinv(R) W, which need no order of time. The first camera keeps
    its sign.

    Args:
        rotation: (F, 3, 3), body to camera.
        image: (F, P, 2), centred.
    """
    signs = common_signs(image @ rotation[:, :2])
    signed = rotation.copy()
    signed[:, :2] *= (signs * signs[0])[:, None, None]
    return signed


def common_signs(seen: Floats) -> Floats:
    """Return signs (..., F), 1 or -1, with which bodies (..., F, P, 3) agree.

    They are those of the first singular vector of a row for all coordinates of a frame, the bodies'
    common part.
    """
    rows = seen.reshape(*seen.shape[:-2], -1)
    common = np.linalg.eigh(rows.swapaxes(-1, -2) @ rows)[1][..., -1:]
    return np.where((rows @ common)[..., 0] < 0, -1.0, 1.0)
