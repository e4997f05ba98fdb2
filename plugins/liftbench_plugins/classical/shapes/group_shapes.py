"""Depths of many groups of points at once, the input of the consensus."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.cameras import common_signs, nearest_rotations
from liftbench_plugins.classical.cameras.group_cameras import group_cameras
from liftbench_plugins.classical.shapes.nuclear_norm import least_norm
from liftbench_plugins.classical.tracks import NO_VALUE

_TOLERANCE = 1e-7
# The scale of a frame is at least this share of the mean scale of its group.
_SMALLEST = 1e-3


def group_depths(image: Floats) -> Floats:
    """Return the depths (G, F, P) of groups of points; the sign of each group is arbitrary.

    The steps are: cameras of each group, signs with which its frames agree, and shapes of least
    nuclear norm about their mean that have the given images (Lee, Cho, Oh, Consensus of non-rigid
    reconstructions, CVPR 2016).

    Args:
        image: (G, F, P, 2), centred.

    Raises:
        ValueError: all points of a group coincide in a frame.
    """
    length = np.linalg.norm(image, axis=(2, 3), keepdims=True)
    if (flat := (length <= NO_VALUE * length.max()).any(axis=(0, 2, 3))).any():
        raise ValueError(
            f"frame {int(flat.argmax())} has {image.shape[2]} points at one place, which determine "
            "no camera"
        )
    motion = group_cameras(image / length)
    rotation = nearest_rotations(motion.reshape(-1, 2, 3)).reshape(*motion.shape[:2], 3, 3)
    scale = np.einsum("gfac,gfac->gf", motion, rotation[:, :, :2]) / 2
    scale = np.maximum(scale / scale.mean(axis=1, keepdims=True), _SMALLEST)[..., None, None]
    upright = image / (length * scale)
    seen = upright @ rotation[:, :, :2]
    sign = common_signs(seen)[..., None, None]
    depth = least_norm_depths(seen * sign, rotation[:, :, 2])
    scaled: Floats = depth * (length * scale)[..., 0]
    return scaled


def least_norm_depths(seen: Floats, axis: Floats) -> Floats:
    """Return the depths (G, F, P) for which shapes have the least nuclear norm about their mean.

    Args:
        seen: images in the body's frame, (G, F, P, 3).
        axis: direction of depth in the body's frame, (G, F, 3), orthogonal to `seen`.
    """
    stack = (*seen.shape[:2], -1)
    along = axis[..., None, :]

    def nearest(rows: Floats) -> Floats:
        depth = np.einsum("gfpc,gfc->gfp", rows.reshape(seen.shape), axis)
        lifted: Floats = (seen + depth[..., None] * along).reshape(stack)
        return lifted

    shape = least_norm(nearest, _shrink_about_mean, np.zeros_like(seen).reshape(stack), _TOLERANCE)
    depths: Floats = np.einsum("gfpc,gfc->gfp", shape.reshape(seen.shape), axis)
    return depths


def _shrink_about_mean(rows: Floats, threshold: Floats) -> Floats:
    """Return matrices (G, F, n) with smaller singular values of the rows minus their mean.

    Eigenvectors of the small (n, n) products give the singular values.

    Args:
        rows: (G, F, n).
        threshold: by how much a singular value shrinks, (G, 1, 1).
    """
    mean = rows.mean(axis=1, keepdims=True)
    offset = rows - mean
    squares, vectors = np.linalg.eigh(offset.swapaxes(1, 2) @ offset)
    values = np.sqrt(np.maximum(squares, np.finfo(float).tiny))[:, None]
    kept = np.maximum(1 - threshold / values, 0)
    smaller: Floats = mean + offset @ ((vectors * kept) @ vectors.swapaxes(1, 2))
    return smaller
