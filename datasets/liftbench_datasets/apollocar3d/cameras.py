"""The cameras of ApolloCar3D, and where cars stand before them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Bools, Floats


@dataclass(frozen=True)
class Pinhole:
    """A calibrated camera: focal lengths, principal point and image size in pixels."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: float
    height: float

    @property
    def pixel(self) -> float:
        """Size of a pixel on the unit focal plane, the mean of its width and height."""
        return (1 / self.fx + 1 / self.fy) / 2

    def pixels(self, points_2d: Floats) -> Floats:
        """Return where points (..., 2) of the unit focal plane fall on the image.

        Pixels are counted from the middle of the first one.
        """
        places: Floats = points_2d * [self.fx, self.fy] + [self.cx, self.cy]
        return places

    def holds(self, points_2d: Floats) -> Bools:
        """Return which points (..., 2) of the unit focal plane fall on the image."""
        u, v = np.moveaxis(self.pixels(points_2d), -1, 0)
        inside: Bools = (u >= 0) & (u <= self.width) & (v >= 0) & (v <= self.height)
        return inside


# Source: the intrinsics in the release of ApolloCar3D.
CAMERA_5 = Pinhole(
    fx=2304.54786556982,
    fy=2305.875668062,
    cx=1686.23787612802,
    cy=1354.98486439791,
    width=3384,
    height=2710,
)
CAMERA_6 = Pinhole(
    fx=2300.39065314361,
    fy=2301.31478860597,
    cx=1713.21615190657,
    cy=1342.91100799715,
    width=3384,
    height=2710,
)


@dataclass(frozen=True)
class Poses:
    """Rigid motions from the object frame to the camera frame.

    Attributes:
        rotations: (F, 3, 3).
        translations: (F, 3).
    """

    rotations: Floats
    translations: Floats

    def place(self, points: Floats) -> Floats:
        """Return object points (F, P, 3) in the camera frame."""
        placed: Floats = points @ self.rotations.swapaxes(1, 2) + self.translations[:, None]
        return placed

    def eyes(self) -> Floats:
        """Return the camera's centres in the object frame, (F, 3)."""
        centres: Floats = -np.einsum("fji,fj->fi", self.rotations, self.translations)
        return centres
