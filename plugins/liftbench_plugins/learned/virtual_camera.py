"""A virtual camera at the place of the real one that looks straight at the object.

Turning a perspective camera about its centre moves image points in a way that needs no depth. Far
from its axis the real camera sees an object obliquely: the image is that of a sheared shape, and it
changes with the place. The virtual camera sees the object in the middle of its image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from liftbench import Observations, Reconstruction
from liftbench.types import Floats


@dataclass(frozen=True)
class VirtualCamera:
    """The virtual camera of F frames.

    Attributes:
        rotation: (F, 3, 3) from the real camera's frame to the virtual one's, the smallest rotation
            that brings the mean ray of the visible points to the axis.
        stretch: (F,) the distance of the object's centre over its depth in the real camera's frame.
    """

    rotation: Floats
    stretch: Floats

    def view(self, observations: Observations) -> Observations:
        """Return the points as the virtual camera sees them, without a map to the image."""
        points = np.where(observations.visible[..., None], observations.points_2d, np.nan)
        turned = _rays(points) @ self.rotation.swapaxes(1, 2)
        flat = turned[..., :2] / turned[..., 2:]
        return replace(observations, points_2d=flat, box=None, pixel=None, origin=None)

    def back(self, reconstruction: Reconstruction) -> Reconstruction:
        """Return a reconstruction in the virtual camera's frame as one in the real one's."""
        rotation = reconstruction.rotation
        return replace(
            reconstruction,
            points_3d=reconstruction.points_3d @ self.rotation,
            rotation=None if rotation is None else self.rotation.swapaxes(1, 2) @ rotation,
        )


def facing(observations: Observations) -> VirtualCamera:
    """Return the virtual camera that looks at the mean of the visible points."""
    shown = observations.visible[..., None]
    points = np.where(shown, observations.points_2d, 0)
    mean = _rays(points.sum(axis=1) / shown.sum(axis=1))
    stretch = np.linalg.norm(mean, axis=1)
    x, y, z = (mean / stretch[:, None]).T
    shared = -x * y / (1 + z)
    rows = [[1 - x**2 / (1 + z), shared, -x], [shared, 1 - y**2 / (1 + z), -y], [x, y, z]]
    return VirtualCamera(np.moveaxis(np.array(rows), -1, 0), stretch)


def _rays(points: Floats) -> Floats:
    """Return (u, v, 1) of points (..., 2) on the unit focal plane."""
    return np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)
