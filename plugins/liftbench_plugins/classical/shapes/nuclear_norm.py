"""Shapes of many frames that together have the least nuclear norm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from liftbench.cameras import centred
from liftbench.types import Bools, Floats
from liftbench_plugins.classical.tracks import frames_of, matrix_of

# By how much the penalty of the splitting grows in an iteration.
_GROWTH = 1.1
_ITERATIONS, _TOLERANCE = 300, 1e-8


def shrunk(matrix: Floats, thresholds: Floats | float) -> Floats:
    """Return a matrix with its singular values less some thresholds, or zero.

    It is the X of least sum_i t_i s_i(X) + 1/2 ‖X - matrix‖^2: of one threshold the proximal map
    of the nuclear norm (Cai, Candes, Shen, A singular value thresholding algorithm for matrix
    completion, SIAM J. Optim. 2010), of thresholds that nowhere fall that of a
    weighted nuclear norm (Gu et al., Weighted nuclear norm minimization, CVPR 2014).

    Args:
        matrix: (n, m).
        thresholds: one, or min(n, m) from that of the largest singular value on.
    """
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    small: Floats = (left * np.maximum(values - thresholds, 0)) @ right
    return small


def of_rank(shape: Floats, rank: int) -> Floats:
    """Return the nearest shapes (F, P, 3) to some that are combinations of `rank` basis shapes."""
    left, values, right = np.linalg.svd(stacked(shape), full_matrices=False)
    near: Floats = (left[:, :rank] * values[:rank]) @ right[:rank]
    return near.reshape(shape.shape)


def stacked(shape: Floats) -> Floats:
    """Return S#, (F, 3P): a row for all coordinates of a frame's shape (F, P, 3)."""
    return shape.reshape(len(shape), -1)


def least_norm_shape(
    image: Floats, visible: Bools, rotation: Floats, weights: Floats | float = 1.0
) -> Floats:
    """Return the shapes (F, P, 3) of least nuclear norm ‖S#‖_* whose images are the given ones.

    R S = W at visible points, each frame up to a translation where points are hidden. For equal
    weights it is what Dai, Li and He approach by letting mu of mu ‖S#‖_* + 1/2 ‖W - R S‖^2 go to
    zero (A simple prior-free method for non-rigid structure-from-motion factorization, CVPR 2012).

    Args:
        image: (F, P, 2), centred; read where visible.
        visible: (F, P).
        rotation: (F, 3, 3), body to camera.
        weights: of the singular values from the largest on: one, or min(F, 3P) that do not fall.
    """
    size = image.shape[0], image.shape[1], 3

    def nearest(rows: Floats) -> Floats:
        seen = rows.reshape(size) @ rotation.swapaxes(1, 2)
        seen[..., :2] = _shown_as(image, visible, seen[..., :2])
        return stacked(seen @ rotation)

    return least_norm(nearest, _shrink(weights), stacked(np.zeros(size))).reshape(size)


def completed(image: Floats, visible: Bools) -> Floats:
    """Return centred images (F, P, 2) without hidden points, W of the least nuclear norm.

    They are the given ones at visible points, each frame up to a translation (Candes, Recht, Exact
    matrix completion via convex optimization, 2009).

    Args:
        image: (F, P, 2); read where visible.
        visible: (F, P).

    Raises:
        ValueError: a point is hidden in every frame.
    """
    if visible.all():
        return image
    if not (seen := visible.any(axis=0)).all():
        raise ValueError(f"point {int(seen.argmin())} is hidden in every frame")
    frames, points = visible.shape

    def nearest(rows: Floats) -> Floats:
        return matrix_of(_shown_as(image, visible, frames_of(rows, 2)))

    return centred(frames_of(least_norm(nearest, _shrink(1), np.zeros((2 * frames, points))), 2))


def least_norm(
    nearest: Callable[[Floats], Floats],
    shrink: Callable[[Floats, Floats], Floats],
    start: Floats,
    tolerance: float = _TOLERANCE,
) -> Floats:
    """Return the matrix of least norm in an affine set, or many in a set each.

    The alternating direction method of multipliers with a growing penalty (Lin, Chen, Ma, The
    augmented Lagrange multiplier method for exact recovery of corrupted low-rank matrices, 2010).

    Args:
        nearest: the projection onto the set.
        shrink: the proximal map of the norm, given matrices (..., n, m) and steps (..., 1, 1).
        start: (..., n, m).
        tolerance: the share of the result by which the two sides of the splitting may differ.
    """
    matrix = nearest(start)
    dual = np.zeros_like(matrix)
    step = np.linalg.norm(matrix, 2, axis=(-2, -1), keepdims=True)
    for _ in range(_ITERATIONS):
        low = shrink(matrix + dual, step)
        matrix = nearest(low - dual)
        gap = matrix - low
        dual += gap
        if np.linalg.norm(gap) <= tolerance * np.linalg.norm(matrix):
            break
        step = step / _GROWTH
        dual /= _GROWTH
    return matrix


def _shown_as(image: Floats, visible: Bools, guess: Floats) -> Floats:
    """Return the nearest images to a guess that are those given, up to a translation a frame."""
    if visible.all():
        return image
    shown = visible[..., None]
    place = ((image - guess) * shown).sum(axis=1, keepdims=True) / shown.sum(axis=1, keepdims=True)
    return np.where(shown, image - place, guess)


def _shrink(weights: Floats | float) -> Callable[[Floats, Floats], Floats]:
    """Return the proximal map of a weighted nuclear norm, given a matrix and the step."""
    return lambda matrix, step: shrunk(matrix, weights * step.ravel())
