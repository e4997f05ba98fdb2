"""Views of a camera path: its 2D points and truth in the frame of a camera fitted to both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from liftbench.arrays import Arrays
from liftbench.errors import UserError
from liftbench.types import Bools, Camera, Floats
from liftbench_datasets.geometry.pose_fit import Pose, fit_orthographic, fit_perspective
from liftbench_datasets.nrsfm_challenge.files import Sources

# True points whose projection is farther from the 2D points than this share of the image's extent
# belong to another frame or another object.
GREATEST_MISFIT = 0.05
_FITS = {"orthographic": fit_orthographic, "perspective": fit_perspective}


@dataclass(frozen=True)
class View:
    """The F frames of a camera path.

    Attributes:
        points_2d: (F, P, 2) on the unit focal plane, or in the unit of the true points; without
            truth as in the file.
        points_3d: (F, P, 3) in the camera's frame, 0 where there is no truth.
        mask: (F, P) points whose truth is known.
        misfit: of the worst frame with truth, see `Pose`; 0 if there is none.
    """

    points_2d: Floats
    points_3d: Floats
    mask: Bools
    misfit: float


def make_views(sources: Sources, arrays: Arrays, camera: Camera) -> dict[str, View]:
    """Return the view of each camera path from the arrays of `read_sources`.

    Raises:
        UserError: see `make_view`; the error names the file of the 2D points.
    """
    truth = {number: arrays[f"truth-{number}"] for number in sources.truth}
    views = {}
    for path, file in sources.tracks.items():
        try:
            views[path] = make_view(arrays[f"tracks-{path}"], truth, camera)
        except UserError as error:
            raise UserError(f"{file}: {error}") from error
    return views


def make_view(tracks: Floats, truth: Mapping[int, Floats], camera: Camera) -> View:
    """Return the view of a camera path.

    Args:
        tracks: (F, P, 2) as in the file, NaN where a point has no place.
        truth: (P, 3) by frame number, NaN where a point was not measured.
        camera: the camera of the 2D points.

    Raises:
        UserError: true points fit no frame, or a perspective camera has no true points to fit to.
    """
    if camera == "perspective" and not truth:
        raise UserError("perspective points need a frame with truth, which gives the focal length")
    points_3d = np.zeros((*tracks.shape[:2], 3))
    mask = np.zeros(tracks.shape[:2], dtype=np.bool_)
    poses = []
    for number, points in truth.items():
        frame, pose = _fit_frame(tracks, number, points, camera)
        mask[frame] = np.isfinite(points).all(axis=1)
        points_3d[frame, mask[frame]] = pose.place(points[mask[frame]])
        poses.append(pose)
    if not poses:
        return View(tracks, points_3d, mask, 0.0)
    nearest = min(poses, key=lambda pose: pose.misfit)
    misfit = max(pose.misfit for pose in poses)
    return View(_to_focal_plane(tracks, nearest.intrinsics), points_3d, mask, misfit)


def _fit_frame(tracks: Floats, number: int, points: Floats, camera: Camera) -> tuple[int, Pose]:
    """Return the frame with this number, counted from 0 or from 1, and the pose of its camera."""
    fits: dict[int, Pose] = {}
    reason = f"there are {len(tracks)} frames"
    for frame in range(max(number - 1, 0), min(number + 1, len(tracks))):
        known = np.isfinite(points).all(axis=1) & np.isfinite(tracks[frame]).all(axis=1)
        try:
            fits[frame] = _FITS[camera](points[known], tracks[frame, known])
        except ValueError as error:
            reason = str(error)
    if not fits:
        raise UserError(f"the true points of frame {number} cannot be fitted: {reason}")
    frame, pose = min(fits.items(), key=lambda fit: fit[1].misfit)
    if not pose.misfit <= GREATEST_MISFIT:
        raise UserError(
            f"the true points of frame {number} fit neither frame {number - 1} nor {number}, "
            f"counted from 0: they miss by {pose.misfit:.0%} of the extent"
        )
    return frame, pose


def _to_focal_plane(tracks: Floats, intrinsics: Floats) -> Floats:
    """Return tracks (F, P, 2) as points on the unit focal plane, without the intrinsics."""
    inverse = np.linalg.inv(intrinsics)
    points: Floats = tracks @ inverse[:2, :2].T + inverse[:2, 2]
    return points
