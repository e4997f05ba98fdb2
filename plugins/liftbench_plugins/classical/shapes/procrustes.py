"""Generalised Procrustes analysis: shapes free of turn and size, and what then still deforms."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats

_ROUNDS, _TOLERANCE = 100, 1e-10


def aligned(shape: Floats, mean: Floats) -> tuple[Floats, Floats]:
    """Return the sizes s (F,) and rotations T (F, 3, 3) that bring s X T nearest to the mean.

    The size is the one with <s X T, mean> = 1 (Lee, Cho, Choi, Oh, CVPR 2013): of all
    sizes that meet a condition linear in s, it leaves only deformations at right angles to a mean
    of norm 1.

    Args:
        shape: X, (F, n, 3), without translation.
        mean: (n, 3), of norm 1.
    """
    left, values, right = np.linalg.svd(shape.swapaxes(1, 2) @ mean)
    handed = np.where(np.linalg.det(left @ right) < 0, -1.0, 1.0)
    left[:, :, 2] *= handed[:, None]
    overlap = values[:, 0] + values[:, 1] + handed * values[:, 2]
    return 1 / overlap, left @ right


def procrustes_mean(shape: Floats, start: Floats) -> Floats:
    """Return the mean (n, 3) of norm 1 to which shapes (F, n, 3) are aligned, and which they have.

    Shapes are aligned to a mean and the mean taken anew, from `start` on (Gower, Generalized
    Procrustes analysis, 1975).
    """
    mean = start / np.linalg.norm(start)
    for _ in range(_ROUNDS):
        size, turn = aligned(shape, mean)
        before, mean = mean, np.tensordot(size, shape @ turn, axes=1) / len(shape)
        mean = mean / np.linalg.norm(mean)
        if np.linalg.norm(mean - before) <= _TOLERANCE:
            break
    return mean


def deformations(mean: Floats) -> Floats:
    """Return an orthonormal basis (3n, 3n - 4) of changes of a mean (n, 3) in shape alone.

    Changes of size and small rotations of the mean are at right angles to it.
    """
    turned = np.stack([np.cross(axis, mean) for axis in np.eye(3)])
    rigid = np.concatenate([mean[None], turned]).reshape(4, -1)
    basis: Floats = np.linalg.qr(rigid.T, mode="complete")[0][:, 4:]
    return basis
