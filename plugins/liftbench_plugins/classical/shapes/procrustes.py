"""Generalised Procrustes analysis: shapes aligned to their mean, and the deformations left."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats

_ROUNDS, _TOLERANCE = 100, 1e-10


def align(shape: Floats, mean: Floats) -> tuple[Floats, Floats]:
    """Return the sizes s (F,) and rotations T (F, 3, 3) that align shapes X to the mean.

    T brings X nearest to the direction of the mean; the size fulfils <s X T, mean> = 1 (Lee, Cho,
    Choi, Oh, CVPR 2013). So the remaining deformations are orthogonal to a mean of norm 1.

    Args:
        shape: X, (F, n, 3), free of translation.
        mean: (n, 3), of norm 1.
    """
    left, values, right = np.linalg.svd(shape.swapaxes(1, 2) @ mean)
    handed = np.where(np.linalg.det(left @ right) < 0, -1.0, 1.0)
    left[:, :, 2] *= handed[:, None]
    overlap = values[:, 0] + values[:, 1] + handed * values[:, 2]
    return 1 / overlap, left @ right


def procrustes_mean(shape: Floats, start: Floats) -> Floats:
    """Return the mean (n, 3), of norm 1, of the shapes (F, n, 3) that are aligned to it.

    From `start` on, shapes are aligned to the mean and the mean is computed again (Gower,
    Generalized Procrustes analysis, 1975).
    """
    mean = start / np.linalg.norm(start)
    for _ in range(_ROUNDS):
        size, turn = align(shape, mean)
        before, mean = mean, np.tensordot(size, shape @ turn, axes=1) / len(shape)
        mean = mean / np.linalg.norm(mean)
        if np.linalg.norm(mean - before) <= _TOLERANCE:
            break
    return mean


def deformation_basis(mean: Floats) -> Floats:
    """Return an orthonormal basis (3n, 3n - 4) of the deformations of a mean shape (n, 3).

    Deformations are orthogonal to changes of size and to small rotations of the mean.
    """
    turned = np.stack([np.cross(axis, mean) for axis in np.eye(3)])
    rigid = np.concatenate([mean[None], turned]).reshape(4, -1)
    basis: Floats = np.linalg.qr(rigid.T, mode="complete")[0][:, 4:]
    return basis
