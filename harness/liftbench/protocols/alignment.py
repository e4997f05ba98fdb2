"""Batched Procrustes steps between predicted and true points.

All take points (F, P, 3) and weights (F, P) that are 1 for a point that counts and 0 otherwise.
"""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats


def weighted_mean(points: Floats, weights: Floats) -> Floats:
    """Return the mean (F, 1, 3) of the points that count."""
    weight = weights[..., None]
    mean: Floats = (points * weight).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
    return mean


def subtract_weighted_mean(points: Floats, weights: Floats) -> Floats:
    """Return the points minus the mean of the points that count."""
    return points - weighted_mean(points, weights)


def norms(points: Floats, weights: Floats) -> Floats:
    """Return the Frobenius norm (F,) over the points that count."""
    length: Floats = np.sqrt((np.einsum("fpc,fpc->fp", points, points) * weights).sum(axis=1))
    return length


def orthogonal_alignment(
    predicted: Floats, truth: Floats, weights: Floats, *, reflection: bool
) -> Floats:
    """Return the orthogonal matrices Q (F, 3, 3) that minimise the norm of `predicted @ Q - truth`.

    Both must be centred. Without `reflection` every Q is a rotation (Kabsch).
    """
    left, _, right = np.linalg.svd((predicted * weights[..., None]).swapaxes(1, 2) @ truth)
    if not reflection:
        left[..., -1] *= np.sign(np.linalg.det(left @ right))[:, None]
    turn: Floats = left @ right
    return turn
