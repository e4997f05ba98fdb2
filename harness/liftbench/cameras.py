"""Cameras: rotations drawn at random and projections of camera-frame points.

The camera looks along +z; x and y are the image axes.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from liftbench.types import Camera, Floats, Observations


def random_rotations(rng: np.random.Generator, count: int) -> Floats:
    """Return `count` Haar-uniform rotations, (count, 3, 3)."""
    rotations: Floats = Rotation.from_quat(rng.standard_normal((count, 4))).as_matrix()
    return rotations


def subtract_mean(points: Floats) -> Floats:
    """Return (F, P, D) points minus their mean over P."""
    offset: Floats = points - points.mean(axis=1, keepdims=True)
    return offset


def in_place(points_3d: Floats, observations: Observations) -> Floats:
    """Return points moved in x and y to where an orthographic camera sees them.

    Args:
        points_3d: (F, P, 3) in the camera's frame, in the unit of the image.
        observations: of the same frames; the visible points keep their mean.
    """
    shown = observations.visible[..., None]
    apart = np.where(shown, observations.points_2d - points_3d[..., :2], 0)
    offset = apart.sum(axis=1, keepdims=True) / shown.sum(axis=1, keepdims=True)
    moved: Floats = points_3d + np.pad(offset, ((0, 0), (0, 0), (0, 1)))
    return moved


def project(points_3d: Floats, camera: Camera) -> Floats:
    """Project camera-frame points (F, P, 3) to image points (F, P, 2).

    Orthographic drops z. Weak perspective divides a frame by its mean depth, perspective a
    point by its own (unit focal length).

    Raises:
        ValueError: a depth that divides is not positive.
    """
    if camera == "orthographic":
        return points_3d[..., :2]
    depth = points_3d[..., 2:]
    if camera == "weak_perspective":
        depth = depth.mean(axis=1, keepdims=True)
    if (depth <= 0).any():
        raise ValueError(f"{camera} projection needs every depth to be positive")
    image: Floats = points_3d[..., :2] / depth
    return image
