"""Cameras: random rotations, and projections of points in the camera's frame.

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
    """Return points (F, P, D) minus the mean of each frame."""
    offset: Floats = points - points.mean(axis=1, keepdims=True)
    return offset


def in_place(points_3d: Floats, observations: Observations) -> Floats:
    """Move points in x and y so that the visible points have their observed mean.

    Args:
        points_3d: (F, P, 3) in the camera's frame, in the unit of the image.
        observations: what an orthographic camera sees of the same frames.
    """
    shown = observations.visible[..., None]
    apart = np.where(shown, observations.points_2d - points_3d[..., :2], 0)
    offset = apart.sum(axis=1, keepdims=True) / shown.sum(axis=1, keepdims=True)
    moved: Floats = points_3d + np.pad(offset, ((0, 0), (0, 0), (0, 1)))
    return moved


def project(points_3d: Floats, camera: Camera) -> Floats:
    """Project camera-frame points (F, P, 3) to image points (F, P, 2).

    An orthographic camera drops z. Weak perspective divides x and y by the mean depth of the frame,
    perspective by the depth of each point (unit focal length).

    Raises:
        ValueError: a depth to divide by is not positive.
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
