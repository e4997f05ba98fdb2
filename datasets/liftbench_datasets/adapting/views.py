"""Views of a moving body: one rotation per frame, and a camera at a distance in body heights."""

from __future__ import annotations

import math
from dataclasses import dataclass

from liftbench.cameras import subtract_mean
from liftbench.plugin.param_checks import require_one_of
from liftbench.types import CAMERAS, Camera, Floats


@dataclass(frozen=True)
class ViewParams:
    """Parameters of the camera.

    Attributes:
        camera: the camera model that makes the 2D points.
        distance: the distance from the camera to the middle of the body in body heights; the
            orthographic camera ignores it.
    """

    camera: Camera = "orthographic"
    distance: float = 4.0

    def __post_init__(self) -> None:
        require_one_of("camera", self.camera, CAMERAS)
        if isinstance(self.distance, str) or not 1 <= self.distance < math.inf:
            raise ValueError(
                f"distance: expected a finite number of at least 1 body height, "
                f"got {self.distance!r}"
            )


def camera_views(positions: Floats, rotations: Floats, params: ViewParams, height: float) -> Floats:
    """Return (F, P, 3) positions in the camera's frame.

    Args:
        positions: (F, P, 3) in the world's frame; each frame is centred at the mean of its points.
        rotations: (F, 3, 3) from the world's frame to the camera's.
        params: the camera model and its distance.
        height: the height of the body, in the unit of the positions.
    """
    views: Floats = subtract_mean(positions) @ rotations.swapaxes(1, 2)
    if params.camera != "orthographic":
        views[..., 2] += params.distance * height
    return views
