"""Cameras of many groups of points at once; each group has its own cameras."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Floats

# The cameras of a group are made of as many singular vectors as hold this share of its energy.
_ENERGY = 1 - 1e-5
# The number of iterations for n columns is this number divided by n.
_EFFORT, _TOLERANCE = 3000, 1e-12
# A cost below this counts as zero.
_NO_COST = 1e-15


def group_cameras(image: Floats) -> Floats:
    """Return the scaled first two rows (G, F, 2, 3) of the cameras of each group.

    The corrective of each group has rank 3; its Gram matrix Q has unit trace and fulfils the
    equations of orthonormality best. It is found first for three singular vectors of W, where it
    minimises a convex function, and then for six and more until they hold almost all of W (Lee,
    Cho, Oh, Consensus of non-rigid reconstructions, CVPR 2016, after Gotardo, Martinez, Non-rigid
    structure from motion with complementary rank-3 spaces, CVPR 2011).

    Args:
        image: (G, F, P, 2), each frame centred and of unit norm.
    """
    groups, frames, points, _ = image.shape
    rows = image.swapaxes(2, 3).reshape(groups, 2 * frames, points)
    left, values, _ = np.linalg.svd(rows, full_matrices=False)
    motion = left.reshape(groups, frames, 2, -1) * np.sqrt(frames)
    needed = _columns(values[:, : points - 1])
    corrective: Floats = np.tile(np.eye(3) / np.sqrt(3), (groups, 1, 1))
    going = np.ones(groups, dtype=np.bool_)
    found = np.zeros((groups, points - 1, 3))
    for count in range(3, points + 2, 3):
        size = min(count, points - 1)
        corrective = np.pad(corrective, ((0, 0), (0, size - corrective.shape[1]), (0, 0)))
        corrective[going], cost = least_departure(motion[going, :, :, :size], corrective[going])
        found[going, :size] = corrective[going]
        going[going] = (cost > _NO_COST) & (needed[going] > size)
        if not going.any():
            break
    cameras: Floats = motion[..., : points - 1] @ found[:, None]
    return cameras


def _columns(values: Floats) -> NDArray[np.intp]:
    """Return how many of the largest singular values (G, n) hold the required energy, (G,)."""
    energy = np.square(values).cumsum(axis=1)
    needed: NDArray[np.intp] = (energy < _ENERGY * energy[:, -1:]).sum(axis=1) + 1
    return needed


def least_departure(motion: Floats, start: Floats) -> tuple[Floats, Floats]:
    """Return the correctives (G, n, 3) of unit norm and least cost, and their cost (G,).

    The cost is the sum of squares of r1 Q r1' - r2 Q r2' and 2 r1 Q r2' for Q = G G'. Projected
    gradients lower it, with a momentum that restarts when the cost grows (Beck, Teboulle, SIAM J.
    Imaging Sciences 2009; O'Donoghue, Candes, 2015).

    Args:
        motion: camera rows before the corrective, (G, F, 2, n).
        start: first correctives, (G, n, 3).
    """
    normal = _normal(motion)
    groups, size = len(normal), motion.shape[3]
    step = 1 / np.linalg.eigvalsh(normal)[:, -1, None]
    gram = (start @ start.swapaxes(1, 2)).reshape(groups, -1)
    ahead, pace = gram, np.ones((groups, 1))
    cost = _cost(normal, gram)
    factor = start
    for _ in range(_EFFORT // size):
        slope = (normal @ ahead[..., None])[..., 0]
        factor = _nearest_factor((ahead - step * slope).reshape(groups, size, size))
        moved = (factor @ factor.swapaxes(1, 2)).reshape(groups, -1)
        left = _cost(normal, moved)
        faster = np.where((left > cost)[:, None], 1.0, (1 + np.sqrt(1 + 4 * pace**2)) / 2)
        ahead = moved + np.where(faster > 1, (pace - 1) / faster, 0.0) * (moved - gram)
        change = np.abs(moved - gram).max(axis=1)
        gram, cost, pace = moved, left, faster
        if (change <= _TOLERANCE).all():
            break
    return factor, cost


def _normal(motion: Floats) -> Floats:
    """Return A' A (G, n^2, n^2) of the equations A vec(Q) = 0, divided by the number of frames."""
    first, second = motion[:, :, 0], motion[:, :, 1]
    lengths = _products(first, first) - _products(second, second)
    slants = _products(first, second) + _products(second, first)
    rows = np.concatenate([lengths, slants], axis=1)
    normal: Floats = rows.swapaxes(1, 2) @ rows / motion.shape[1]
    return normal


def _products(a: Floats, b: Floats) -> Floats:
    """Return all products (G, F, n^2) of the entries of rows (G, F, n)."""
    products: Floats = a[..., :, None] * b[..., None, :]
    return products.reshape(*a.shape[:2], -1)


def _cost(normal: Floats, gram: Floats) -> Floats:
    """Return the cost (G,) of Gram matrices (G, n^2) under the matrices of `_normal`."""
    cost: Floats = np.einsum("gi,gij,gj->g", gram, normal, gram, optimize=True)
    return cost


def _nearest_factor(matrix: Floats) -> Floats:
    """Return the factor (G, n, 3) of the nearest Gram matrix of rank 3 and unit trace.

    Args:
        matrix: symmetric, (G, n, n).
    """
    values, vectors = np.linalg.eigh(matrix)
    top = values[:, :-4:-1]
    surplus = (top.cumsum(axis=1) - 1) / np.arange(1, top.shape[1] + 1)
    kept = (top > surplus).sum(axis=1, keepdims=True)
    shares = np.maximum(top - np.take_along_axis(surplus, kept - 1, axis=1), 0)
    factor: Floats = vectors[:, :, :-4:-1] * np.sqrt(shares)[:, None]
    return factor
