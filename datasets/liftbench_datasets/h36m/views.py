"""2D points of Human3.6M under a camera model, and the 3D truth that belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np

from liftbench.cameras import project
from liftbench.plugin.param_checks import require_one_of
from liftbench.types import Dataset, Floats, GroundTruth, Observations
from liftbench_datasets.geometry.boxes import point_boxes
from liftbench_datasets.h36m.cameras import Lens
from liftbench_datasets.h36m.skeleton import ACTIONS, SKELETON

CameraModel = Literal["perspective", "orthographic"]


def require_camera_model(camera: str) -> None:
    """Raise ValueError unless this dataset has the camera model."""
    require_one_of("camera", camera, get_args(CameraModel))


def image_views(
    points_3d: Floats, lens: Lens, camera: CameraModel, detected: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return 2D points (F, 17, 2), true 3D points (F, 17, 3) and pixel sizes (F,) of a model.

    Pixel sizes are in the unit of the 2D points.

    `perspective` points are undistorted and lie on the unit focal plane; the 3D points are not
    changed. `orthographic` is what C3DPO makes of perspective images: the pixels minus the hip's,
    with one scale per frame, and the 3D points minus the hip.

    Args:
        points_3d: (F, 17, 3) in the camera's frame, mm.
        lens: the lens of the camera.
        camera: the camera model.
        detected: (F, 17, 2) detected pixels, which replace the projected points.

    Raises:
        ValueError: a point is not in front of the camera, or all points of a frame coincide.
    """
    plane = project(points_3d, "perspective")
    if camera == "perspective":
        flat = plane if detected is None else lens.plane(detected)
        return flat, points_3d, np.full(len(points_3d), (1 / lens.focal).mean())
    return _hip_centred(points_3d, lens.pixels(plane) if detected is None else detected)


class View(NamedTuple):
    """The frames of a sequence: its number, its action and what `image_views` returned."""

    sequence: int
    action: str
    points_2d: Floats
    points_3d: Floats
    pixel: Floats


def join_views(
    views: Sequence[View], camera: CameraModel, groups: tuple[str, ...] = ACTIONS
) -> Dataset:
    """Return the views as one split, with the boxes of their points.

    Args:
        views: the views of all sequences.
        camera: the camera model that made their 2D points.
        groups: the actions over which means are taken.
    """
    points_2d = np.concatenate([view.points_2d for view in views])
    points_3d = np.concatenate([view.points_3d for view in views])
    lengths = [len(view.points_2d) for view in views]
    sequence = np.repeat(np.array([view.sequence for view in views]), lengths)
    action = np.repeat([view.action for view in views], lengths)
    visible = np.ones(points_2d.shape[:2], dtype=np.bool_)
    boxes = point_boxes(points_2d)
    pixel = np.concatenate([view.pixel for view in views])
    return Dataset(
        Observations(points_2d, visible, sequence, camera, SKELETON, boxes, pixel=pixel),
        GroundTruth(points_3d, "mm", action, sequence, groups=groups),
    )


def _hip_centred(points_3d: Floats, pixels: Floats) -> tuple[Floats, Floats, Floats]:
    """Return pixels scaled to mm and 3D points, both minus the hip, and the pixel sizes (F,) in mm.

    C3DPO divides both by their mean distance to the hip along x and y, and multiplies errors by
    that of the 3D points. Here the 2D points get the scale of the 3D points instead, so that
    errors are in mm; dividing a frame by its mean distance restores C3DPO's input.
    """
    centred_3d, centred_2d = (
        points - points[:, SKELETON.root, None] for points in (points_3d, pixels)
    )
    extent = _mean_distance(centred_2d)
    if not (extent > 0).all():
        raise ValueError("all points of a frame coincide")
    scale = _mean_distance(centred_3d[..., :2]) / extent
    return centred_2d * scale[:, None, None], centred_3d, scale


def _mean_distance(centred: Floats) -> Floats:
    """Return the (F,) mean distance of the 16 other points to the hip at the origin."""
    others = np.delete(centred, SKELETON.root, axis=1)
    distance: Floats = np.linalg.norm(others, axis=2).mean(axis=1)
    return distance
