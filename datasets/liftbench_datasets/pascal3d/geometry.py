"""Cameras of PASCAL3D+: viewpoints on a sphere around a model, and projections from them.

The frames are those of `geometry.viewpoints`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Bools, Floats
from liftbench_datasets.adapting.frame_arrays import FrameArrays
from liftbench_datasets.geometry.viewpoints import viewpoint_rotations


@dataclass(frozen=True)
class Viewpoints(FrameArrays):
    """F viewpoints in the terms of the release's annotations; each field is (F,).

    Attributes:
        azimuth: degrees, 0 before the front.
        elevation: degrees above the horizon.
        theta: turn in the image, degrees.
        distance: from the camera to the model's origin, in the model's unit.
        focal: focal length.
        viewport: pixels that a unit length covers at unit focal length and distance.
        px: x of the model's origin in the image, pixels.
        py: its y.
    """

    azimuth: Floats
    elevation: Floats
    theta: Floats
    distance: Floats
    focal: Floats
    viewport: Floats
    px: Floats
    py: Floats

    def principal(self) -> Floats:
        """Return px and py, (F, 2)."""
        return np.stack([self.px, self.py], axis=1)


def camera_points(points: Floats, views: Viewpoints) -> Floats:
    """Return model points (F, P, 3) in the camera frame, in the model's unit."""
    turns = viewpoint_rotations(views.azimuth, views.elevation, views.theta)
    seen: Floats = points @ turns.swapaxes(1, 2)
    seen[..., 2] += views.distance[:, None]
    return seen


def perspective(seen: Floats, views: Viewpoints) -> Floats:
    """Return the pixels (F, P, 2) of points (F, P, 3) in the camera frame.

    Depths must be positive.
    """
    zoom = (views.viewport * views.focal)[:, None, None]
    pixels: Floats = zoom * seen[..., :2] / seen[..., 2:] + views.principal()[:, None]
    return pixels


def orthographic_set(seen: Floats, views: Viewpoints, defined: Bools) -> Floats:
    """Return 3D points (F, P, 3) in pixels whose orthographic views fit the perspective ones.

    The points are scaled until the larger side of their box is that of their perspective
    projection, and moved until both have the same mean; the mean depth is zero. Undefined points
    become zero. Source: the construction of C3DPO's PASCAL3D+.

    Args:
        seen: (F, P, 3) in the camera frame, in the model's unit, of positive depths.
        views: F viewpoints.
        defined: (F, P) which points exist; at least two of a frame differ in x or y.
    """
    pixels = perspective(np.where(defined[..., None], seen, 1.0), views)
    scale = _extent(pixels, defined) / _extent(seen[..., :2], defined)
    flat = seen - _mean(seen, defined)[:, None]
    points = scale[:, None, None] * flat
    points[..., :2] += _mean(pixels, defined)[:, None]
    return np.where(defined[..., None], points, 0.0)


def _extent(points: Floats, defined: Bools) -> Floats:
    """Return the larger side (F,) of the defined points' box."""
    shown = defined[..., None]
    high = np.where(shown, points, -np.inf).max(axis=1)
    low = np.where(shown, points, np.inf).min(axis=1)
    sides: Floats = (high - low).max(axis=1)
    return sides


def _mean(points: Floats, defined: Bools) -> Floats:
    total = np.where(defined[..., None], points, 0.0).sum(axis=1)
    mean: Floats = total / defined.sum(axis=1)[:, None]
    return mean
