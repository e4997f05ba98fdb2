"""Where cars stand before a camera in traffic.

The road frame has its origin at the camera, x to the right, y down to the road and z along the
road. The camera frame is turned against it about x. Lengths are metres, angles radians.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from liftbench.types import Floats
from liftbench_datasets.apollocar3d.cameras import Poses
from liftbench_datasets.apollocar3d.views import FARTHEST

# Fitted to the release's poses, where cars sink by 0.18 m with each metre of depth: the camera
# looks above the horizon. The spreads stand for slopes and for the springs of the camera's car.
CAMERA_HEIGHT = (1.8, 0.05)
CAMERA_TILT = (0.177, 0.012)

NEAREST = 4.8  # along the road; cars stand up to FARTHEST
LANE_WIDTH = 3.4
LANES = (-3, -2, -1, 0, 1, 2)  # the camera drives in lane 0; traffic keeps to the right
LANE_SHARE = (0.15, 0.2, 0.2, 0.1, 0.2, 0.15)
LAST_ONCOMING = -2
OFF_CENTRE = 0.35
TURNING_SHARE = 0.15
YAW_SPREAD, PITCH_SPREAD, ROLL_SPREAD = 0.05, 0.012, 0.012


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
