"""Where cars stand before a camera in traffic.

The road frame has its origin at the camera, x to the right, y down to the road and z along the
road. The camera frame is turned against it about x. Lengths are metres, angles radians.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from liftbench.types import Bools, Floats
from liftbench_datasets.apollocar3d.synthetic.views import FARTHEST


@dataclass(frozen=True)
class Pinhole:
    """A calibrated camera; all in pixels."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: float
    height: float

    @property
    def pixel(self) -> float:
        """Size of a pixel on the unit focal plane, the mean of both edges'."""
        return (1 / self.fx + 1 / self.fy) / 2

    def pixels(self, points_2d: Floats) -> Floats:
        """Return where points (..., 2) of the unit focal plane fall on the image, in pixels."""
        places: Floats = points_2d * [self.fx, self.fy] + [self.cx, self.cy]
        return places

    def holds(self, points_2d: Floats) -> Bools:
        """Return which points (..., 2) of the unit focal plane fall on the image."""
        u, v = np.moveaxis(self.pixels(points_2d), -1, 0)
        inside: Bools = (u >= 0) & (u <= self.width) & (v >= 0) & (v <= self.height)
        return inside


# Source: the intrinsics that come with ApolloCar3D.
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

# Fitted to the release's poses, where cars sink by 0.18 m with each metre of depth: the camera
# looks above the horizon. The spreads stand for slopes and for the springs of its own car.
CAMERA_HEIGHT = (1.8, 0.05)
CAMERA_TILT = (0.177, 0.012)

NEAREST = 4.8  # along the road; cars stand up to FARTHEST
LANE_WIDTH = 3.4
LANES = (-3, -2, -1, 0, 1, 2)  # 0 is the camera's own; traffic keeps to the right
LANE_SHARE = (0.15, 0.2, 0.2, 0.1, 0.2, 0.15)
LAST_ONCOMING = -2
OFF_CENTRE = 0.35
TURNING_SHARE = 0.15
YAW_SPREAD, PITCH_SPREAD, ROLL_SPREAD = 0.05, 0.012, 0.012


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


def draw_poses(rng: np.random.Generator, road: Floats) -> Poses:
    """Draw a pose for each car; `road` (F,) is the road's y in its object frame."""
    count = len(road)
    lane = rng.choice(LANES, count, p=LANE_SHARE)
    x = lane * LANE_WIDTH + rng.normal(0, OFF_CENTRE, count)
    y = rng.normal(*CAMERA_HEIGHT, count) - road
    z = rng.uniform(NEAREST, FARTHEST, count)
    tilt = Rotation.from_euler("x", -rng.normal(*CAMERA_TILT, (count, 1)))
    heading = Rotation.from_euler("YXZ", _draw_angles(rng, lane))
    return Poses((tilt * heading).as_matrix(), tilt.apply(np.stack([x, y, z], axis=1)))


def _draw_angles(rng: np.random.Generator, lane: NDArray[np.int64]) -> Floats:
    """Return yaw, pitch and roll, (F, 3)."""
    count = len(lane)
    spread = [YAW_SPREAD, PITCH_SPREAD, ROLL_SPREAD]
    angles = rng.normal(0, spread, (count, 3))
    angles[:, 0] += np.where(lane <= LAST_ONCOMING, np.pi, 0)
    turned = rng.uniform(-np.pi, np.pi, count)
    angles[:, 0] = np.where(rng.random(count) < TURNING_SHARE, turned, angles[:, 0])
    return angles
