"""Shapes and images of many frames with the least nuclear norm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from liftbench.cameras import subtract_mean
from liftbench.types import Bools, Floats
from liftbench_plugins.classical.tracks import frames_of, matrix_of

# Factor by which the penalty of the splitting grows in each iteration.
_GROWTH = 1.1
_ITERATIONS, _TOLERANCE = 300, 1e-8


def shrink(matrix: Floats, thresholds: Floats | float) -> Floats:
    """Return a matrix whose singular values are reduced by thresholds, but not below zero.

    It is the X of least sum_i t_i s_i(X) + 1/2 ‖X - matrix‖^2. One threshold gives the proximal map
    of the nuclear norm (Cai, Candes, Shen, A singular value thresholding algorithm for matrix
    completion, SIAM J. Optim. 2010); thresholds in rising order give that of a weighted nuclear
    norm (Gu et al., Weighted nuclear norm minimization, CVPR 2014).

    Args:
        matrix: (n, m).
        thresholds: one number, or min(n, m) numbers, the first for the largest singular value.
    """
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    small: Floats = (left * np.maximum(values - thresholds, 0)) @ right
    return small


def nearest_of_rank(shape: Floats, rank: int) -> Floats:
    """Return the nearest shapes (F, P, 3) that are combinations of `rank` basis shapes."""
    left, values, right = np.linalg.svd(stack_coordinates(shape), full_matrices=False)
    near: Floats = (left[:, :rank] * values[:rank]) @ right[:rank]
    return near.reshape(shape.shape)


def stack_coordinates(shape: Floats) -> Floats:
    """Return S# (F, 3P): one row with all coordinates of each shape (F, P, 3)."""
    return shape.reshape(len(shape), -1)


def least_norm_shape(
    image: Floats, visible: Bools, rotation: Floats, weights: Floats | float = 1.0
) -> Floats:
    """Return the shapes (F, P, 3) of least nuclear norm ‖S#‖_* that have the given images.

    R S = W at visible points; if points are hidden, up to one translation per frame. For equal
    weights this is the limit mu -> 0 of mu ‖S#‖_* + 1/2 ‖W - R S‖^2, which Dai, Li and He approach
    (A simple prior-free method for non-rigid structure-from-motion factorization, CVPR 2012).

    Args:
        image: (F, P, 2), centred; used at visible points only.
        visible: which points are visible, (F, P).
        rotation: (F, 3, 3), body to camera.
        weights: one number, or min(F, 3P) numbers in rising order, the first for the largest
            singular value.
    """
    size = image.shape[0], image.shape[1], 3

    def nearest(rows: Floats) -> Floats:
        seen = rows.reshape(size) @ rotation.swapaxes(1, 2)
        seen[..., :2] = _move_to_images(image, visible, seen[..., :2])
        return stack_coordinates(seen @ rotation)

    return least_norm(
        nearest, _weighted_shrink(weights), stack_coordinates(np.zeros(size))
    ).reshape(size)


def complete_images(image: Floats, visible: Bools) -> Floats:
    """Return centred images (F, P, 2) whose hidden points give W the least nuclear norm.

    Visible points stay as they are, up to one translation per frame (Candes, Recht, Exact matrix
    completion via convex optimization, 2009).

    Args:
        image: (F, P, 2); used at visible points only.
        visible: which points are visible, (F, P).

    Raises:
        ValueError: a point is hidden in every frame.
    """
    if visible.all():
        return image
    if not (seen := visible.any(axis=0)).all():
        raise ValueError(f"point {int(seen.argmin())} is hidden in every frame")
    frames, points = visible.shape

    def nearest(rows: Floats) -> Floats:
        return matrix_of(_move_to_images(image, visible, frames_of(rows, 2)))

    return subtract_mean(
        frames_of(least_norm(nearest, _weighted_shrink(1), np.zeros((2 * frames, points))), 2)
    )


def least_norm(
    nearest: Callable[[Floats], Floats],
    proximal: Callable[[Floats, Floats], Floats],
    start: Floats,
    tolerance: float = _TOLERANCE,
) -> Floats:
    """Return the matrix of least norm in an affine set; a batch has one set per matrix.

    The method is the alternating direction method of multipliers with a growing penalty (Lin, Chen,
    Ma, The augmented Lagrange multiplier method for exact recovery of corrupted low-rank matrices,
    2010).

    Args:
        nearest: the projection onto the set.
        proximal: the proximal map of the norm, given matrices (..., n, m) and steps (..., 1, 1).
        start: (..., n, m).
        tolerance: largest difference of the two sides of the splitting, as a share of the result.
    """
    matrix = nearest(start)
    dual = np.zeros_like(matrix)
    step = np.linalg.norm(matrix, 2, axis=(-2, -1), keepdims=True)
    for _ in range(_ITERATIONS):
        low = proximal(matrix + dual, step)
        matrix = nearest(low - dual)
        gap = matrix - low
        dual += gap
        if np.linalg.norm(gap) <= tolerance * np.linalg.norm(matrix):
            break
        step = step / _GROWTH
        dual /= _GROWTH
    return matrix


def _move_to_images(image: Floats, visible: Bools, guess: Floats) -> Floats:
    """Return the images nearest to a guess that show the given points, up to a translation each."""
    if visible.all():
        return image
    shown = visible[..., None]
    place = ((image - guess) * shown).sum(axis=1, keepdims=True) / shown.sum(axis=1, keepdims=True)
    return np.where(shown, image - place, guess)


def _weighted_shrink(weights: Floats | float) -> Callable[[Floats, Floats], Floats]:
    """Return the proximal map of a weighted nuclear norm, as a function of matrix and step."""
    return lambda matrix, step: shrink(matrix, weights * step.ravel())
