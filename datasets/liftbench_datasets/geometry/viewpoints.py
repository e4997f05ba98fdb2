"""The rotation of a camera that looks at a model from a viewpoint around it.

Model frame: z up, the front at -y. Camera frame: x to the right, y down, z away from the camera.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from liftbench.types import Floats

# Rotation gives axes with y up and z towards the camera; the camera frame is half a turn away.
_HALF_TURN = np.array([1.0, -1.0, -1.0])


def viewpoint_rotations(azimuth: Floats, elevation: Floats, theta: Floats) -> Floats:
    """Return the rotations from the model frame to the camera frame, (F, 3, 3).

    The convention is that of the viewpoints of PASCAL3D+.

    Args:
        azimuth: (F,) degrees, 0 before the front, 90 before the side at +x.
        elevation: (F,) degrees above the horizon.
        theta: (F,) turn of the image counter-clockwise, degrees.
    """
    angles = np.stack([-azimuth, elevation - 90, theta], axis=1)
    turns: Floats = Rotation.from_euler("zxz", angles, degrees=True).as_matrix()
    return _HALF_TURN[:, None] * turns
