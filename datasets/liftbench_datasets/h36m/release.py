"""Reader of the poses of Human3.6M: the official .cdf files or VideoPose3D's .npz of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sized
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liftbench.arrays import Arrays
from liftbench.errors import DataMissingError, UserError, unknown_name
from liftbench.files import checksum
from liftbench_datasets.h36m.cameras import CAMERAS
from liftbench_datasets.h36m.skeleton import ACTIONS, KEPT, RELEASED, SUBJECTS
from liftbench_datasets.reading.array_pickle import read_object_npz
from liftbench_datasets.reading.cdf_file import read_cdf
from liftbench_datasets.reading.one_line_errors import one_line_errors

_NPZ = "data_3d_h36m.npz"
_CDF_FOLDER = "MyPoseFeatures/D3_Positions"
FOLDERS = ("h36m", "human3.6m", "")
# Other names of two actions in the files of some subjects.
_SAME_ACTION = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}

_KNOWN_SUBJECTS = tuple(subject for subjects in SUBJECTS.values() for subject in subjects)
# Detected points may lie outside the image of 1000 x 1002 pixels, but not far.
_PIXELS = (-1000.0, 2000.0)


class Take(NamedTuple):
    """A recording: the file `Directions` is take 0 of its action, `Directions 1` take 1."""

    subject: str
    action: str
    number: int

    def __str__(self) -> str:
        return f"{self.subject} {self.action}" + (f" {self.number}" if self.number else "")


# The video of the first camera is damaged. The official number of takes leaves this one out.
DAMAGED = Take("S11", "Directions", 0)
OFFICIAL_TAKES = 209


def pose_files(root: Path) -> list[Path]:
    """Return the files that hold the poses: one .npz file, or all .cdf files.

    Raises:
        DataMissingError: there are none.
    """
    for folder in (root / name for name in FOLDERS):
        if (folder / _NPZ).is_file():
            return [folder / _NPZ]
        subjects = (folder / subject / _CDF_FOLDER for subject in _KNOWN_SUBJECTS)
        if found := [path for subject in subjects for path in sorted(subject.glob("[!_]*.cdf"))]:
            return found
    raise DataMissingError(
        f"h36m: no poses, looked for {root / FOLDERS[0] / _NPZ} and "
        f"{root / FOLDERS[0] / 'S1' / _CDF_FOLDER}/*.cdf; see 'liftbench data info h36m'"
    )


def detection_file(root: Path, name: str) -> Path:
    """Return the file of detected points with this name.

    Raises:
        DataMissingError: it is not there.
    """
    paths = [root / folder / f"data_2d_h36m_{name}.npz" for folder in FOLDERS]
    for path in paths:
        if path.is_file():
            return path
    raise DataMissingError(f"h36m: no {paths[0]}; see 'liftbench data info h36m'")


def files_checksum(files: list[Path]) -> str:
    """Return the SHA-256 over files and the subjects in their paths."""
    subjects = " ".join(path.parents[2].name for path in files if path.suffix == ".cdf")
    return hashlib.sha256(f"{checksum(files)} {subjects}".encode()).hexdigest()


def read_poses(files: list[Path]) -> Arrays:
    """Return the takes and their poses.

    Returns:
        `positions` (N, 17, 3) of all takes' frames in mm in the world's frame, and the `subject`,
        `action`, `number` and `frames` (their number) of each take.

    Raises:
        UserError: a file is damaged, or holds a subject or an action that is not in the release.
    """
    read = _read_npz(files[0]) if files[0].suffix == ".npz" else list(_read_cdfs(files))
    takes = dict(sorted(read, key=lambda pair: _order(pair[0])))
    if not takes:
        raise UserError(f"{files[0]}: expected poses, got none")
    if len(takes) != len(read):
        names = [take for take, _ in read]
        twice = next(take for take in takes if names.count(take) > 1)
        raise UserError(f"{files[0]}: expected each take once, got {twice} under two names")
    return {
        "positions": np.concatenate(list(takes.values())),
        "subject": np.array([take.subject for take in takes]),
        "action": np.array([take.action for take in takes]),
        "number": np.array([take.number for take in takes]),
        "frames": np.array([len(points) for points in takes.values()]),
    }


def take_frames(poses: Arrays) -> dict[Take, slice]:
    """Return the slice of each take in the `positions` that `read_poses` returned."""
    columns = (poses[name].tolist() for name in ("subject", "action", "number"))
    takes = [Take(*row) for row in zip(*columns, strict=True)]
    stops = np.cumsum(poses["frames"]).tolist()
    return {
        take: slice(start, stop)
        for take, start, stop in zip(takes, [0, *stops[:-1]], stops, strict=True)
    }


def read_detections(path: Path, poses: Arrays) -> Arrays:
    """Return the points that were detected in the images.

    Returns:
        `pixels` (4, N, 17, 2) of each camera for the frames of `poses`; NaN for takes that the
        file lacks.

    Raises:
        DataMissingError: the file is not there.
        UserError: it is damaged, or a take has too few frames.
    """
    expected = f"positions_2d[subject][action][camera] of (frames, {len(KEPT)}, 2) pixels"
    pixels = np.full((len(CAMERAS), *poses["positions"].shape[:2], 2), np.nan, dtype=np.float32)
    places = take_frames(poses)
    stored = read_object_npz(path, expected)
    with one_line_errors(path, expected):
        for take, views in _entries(stored["positions_2d"]):
            if take in places:
                part = pixels[:, places[take]]
                part[:] = [_view(take, view, part.shape[1]) for view in _require_four(take, views)]
    return {"pixels": pixels}


def _order(take: Take) -> tuple[int, int, int]:
    return _KNOWN_SUBJECTS.index(take.subject), ACTIONS.index(take.action), take.number


def _read_npz(path: Path) -> list[tuple[Take, NDArray[np.float32]]]:
    expected = f"positions_3d[subject][action] of (frames, {RELEASED}, 3) metres"
    stored = read_object_npz(path, expected)
    with one_line_errors(path, expected):
        return [
            (t, 1000 * _keep_points(t, points)) for t, points in _entries(stored["positions_3d"])
        ]


def _read_cdfs(files: list[Path]) -> Iterator[tuple[Take, NDArray[np.float32]]]:
    for path in files:
        with one_line_errors(path, f"a variable 'Pose' of (1, frames, {3 * RELEASED}) mm"):
            take = _take(path.parents[2].name, path.stem)
            pose = read_cdf(path, "Pose")
            if pose.ndim not in (2, 3) or pose.shape[-1] != 3 * RELEASED:
                raise ValueError(f"shape {pose.shape}")
            yield take, _keep_points(take, pose.reshape(-1, RELEASED, 3))


def _entries(stored: Any) -> Iterator[tuple[Take, Any]]:  # noqa: ANN401 what a pickle holds
    """Yield each take of a dict of dicts with its entry."""
    for subject, actions in stored.items():
        for name, entry in actions.items():
            yield _take(subject, name), entry


def _take(subject: str, name: str) -> Take:
    if subject not in _KNOWN_SUBJECTS:
        raise ValueError(unknown_name("subject", str(subject), _KNOWN_SUBJECTS))
    action, _, number = str(name).partition(" ")
    action = _SAME_ACTION.get(action, action)
    if action not in ACTIONS or not re.fullmatch(r"[0-9]?", number):
        raise ValueError(unknown_name(f"action of {subject}", str(name), ACTIONS))
    return Take(subject, action, int(number or 0))


def _keep_points(take: Take, points: object) -> NDArray[np.float32]:
    """Select the 17 points that are used, (F, 17, 3), from the release's (F, 32, 3)."""
    return _numbers(take, _require_shape(take, points, (RELEASED, 3))[:, KEPT])


def _view(take: Take, points: object, frames: int) -> NDArray[np.float32]:
    """Return the first `frames` frames of a view; some videos continue after the poses end."""
    pixels = _numbers(take, _require_shape(take, points, (len(KEPT), 2))[:frames])
    if len(pixels) < frames:
        raise ValueError(f"{take}: {len(pixels)} frames, the poses have {frames}")
    low, high = _PIXELS
    if not ((pixels >= low) & (pixels <= high)).all():
        raise ValueError(f"{take}: points beyond {low:.0f} to {high:.0f} pixels")
    return pixels


def _require_shape(take: Take, points: object, shape: tuple[int, int]) -> NDArray[Any]:
    """Return points as an array, which must have the shape (F, *shape)."""
    array = np.asarray(points)
    if array.dtype.kind != "f" or array.ndim != 3 or array.shape[1:] != shape or not len(array):
        raise ValueError(f"{take}: {array.dtype} of shape {array.shape}")
    return array


def _numbers(take: Take, points: NDArray[Any]) -> NDArray[np.float32]:
    if not np.isfinite(points).all():
        raise ValueError(f"{take}: NaN or infinite values")
    return points.astype(np.float32, copy=False)


def _require_four(take: Take, views: Any) -> Any:  # noqa: ANN401 what a pickle holds
    if not isinstance(views, list | tuple | np.ndarray) or len(views) != len(CAMERAS):
        found = f"{len(views)} cameras" if isinstance(views, Sized) else type(views).__name__
        raise ValueError(f"{take}: {found}, expected {len(CAMERAS)} cameras")
    return views
