"""Orthographic cameras of many frames: rotations from their first two rows, and their signs."""

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


def smooth_signs(rotation: Floats) -> Floats:
    """Return signs (F,), 1 or -1, that keep each camera near the camera before.

    A factorisation finds the first two rows of a camera up to a common sign. The third row is their
    cross product and does not depend on it.

    Args:
        rotation: (F, 3, 3), in the order of time.
    """
    step = rotation[1:] @ rotation[:-1].swapaxes(1, 2)
    # The trace of a rotation falls with its angle. A step stays the same if both signs change.
    turned = np.einsum("fii,i->f", step, np.diag(_FLIP)) > np.einsum("fii->f", step)
    odd = np.concatenate([[0], np.cumsum(turned)]) % 2
    return np.where(odd == 1, -1.0, 1.0)


def with_smooth_signs(rotation: Floats) -> Floats:
    """Return the rotations (F, 3, 3) whose first two rows have the signs of `smooth_signs`."""
    signed = rotation.copy()
    signed[:, :2] *= smooth_signs(rotation)[:, None, None]
    return signed


def with_common_signs(rotation: Floats, image: Floats) -> Floats:
    """Return the rotations whose first two rows have the signs with which the bodies agree.

    The signs are `common_signs` of pinv(R) W, which need no order of frames. The first camera keeps
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

    With one row per frame that holds all its coordinates, they are the signs of the first left
    singular vector: the weights of the bodies' common part.
    """
    rows = seen.reshape(*seen.shape[:-2], -1)
    common = np.linalg.eigh(rows.swapaxes(-1, -2) @ rows)[1][..., -1:]
    return np.where((rows @ common)[..., 0] < 0, -1.0, 1.0)
