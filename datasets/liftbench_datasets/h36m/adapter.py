"""Human3.6M: people seen by four calibrated cameras, with detected points as an option."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from liftbench.arrays import Arrays, cache_arrays
from liftbench.errors import DataMissingError, UserError, require_known
from liftbench.plugin.param_checks import require_integers
from liftbench.plugin.specs import DatasetAdapter, DatasetInfo, DatasetSpec, Finding
from liftbench.types import Dataset, Floats
from liftbench_datasets.h36m.cameras import CAMERAS, LENSES, PLACES
from liftbench_datasets.h36m.challenge import H36mChallenge
from liftbench_datasets.h36m.checks import check_detections, check_poses
from liftbench_datasets.h36m.release import (
    DAMAGED,
    OFFICIAL_TAKES,
    Take,
    detection_file,
    files_checksum,
    pose_files,
    read_detections,
    read_poses,
    take_frames,
)
from liftbench_datasets.h36m.skeleton import (
    SPLITS,
    SUBJECTS,
    SUBSETS,
    actions_of,
    sequence_id,
)
from liftbench_datasets.h36m.views import (
    CameraModel,
    View,
    image_views,
    join_views,
    require_camera_model,
)

TRUTH = "truth"
# Raise the numbers when the readers change what they make of a file.
_PARSED = "h36m-1"
_PARSED_DETECTIONS = "h36m-detections-1"


@dataclass(frozen=True)
class H36mParams:
    """Parameters of the poses and views.

    Attributes:
        release: `full`, or `eccv18` for the poses of the ECCV 2018 challenge, which come without
            cameras, actions and sequences.
        camera: `perspective` gives undistorted points on the unit focal plane, `orthographic`
            the points as C3DPO normalises them, in mm (see `h36m.views`).
        cameras: ids of the cameras whose views are used.
        every: keep one frame in this many; sequences have 50 frames per second, C3DPO keeps one
            in 5.
        keypoints: `truth` for projected points, or NAME for the detected points in
            `data_2d_h36m_NAME.npz`, such as `cpn_ft_h36m_dbb`.
    """

    release: Literal["full", "eccv18"] = "full"
    camera: CameraModel = "perspective"
    cameras: tuple[str, ...] = CAMERAS
    every: int = 5
    keypoints: str = TRUTH

    def __post_init__(self) -> None:
        require_camera_model(self.camera)
        require_integers(self, "every")
        if self.every < 1:
            raise ValueError(f"every: expected at least 1, got {self.every}")
        if not self.cameras or set(self.cameras) - set(CAMERAS):
            raise ValueError(f"cameras: expected some of {', '.join(CAMERAS)}, got {self.cameras}")
        if len(set(self.cameras)) != len(self.cameras):
            raise ValueError(f"cameras: expected each camera once, got {self.cameras}")
        if not re.fullmatch(r"\w+", self.keypoints):
            raise ValueError(
                f"keypoints: expected '{TRUTH}' or NAME of a file data_2d_h36m_NAME.npz, "
                f"got {self.keypoints!r}"
            )
        if self.release == "eccv18":
            self._require_poses_alone()

    def _require_poses_alone(self) -> None:
        only = {"camera": "orthographic", "cameras": CAMERAS, "keypoints": TRUTH}
        for name, value in only.items():
            if getattr(self, name) != value:
                raise ValueError(f"{name}: release eccv18 has only poses, expected {value!r}")


class H36m:
    """People in a room, seen by its four cameras; 17 points, the hip is the root.

    S1, S5, S6, S7 and S8 are `train`, S9 and S11 `test`. S11's `Directions` is left out; in the
    orthographic setting only its first camera is left out, as in C3DPO. The group of a frame is
    its action; a sequence is a take seen by one camera. Lengths are mm; a box encloses the points.
    """

    def __init__(self, params: H36mParams) -> None:
        self.params = params

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return `all` and the actions, if the poses are there."""
        try:
            pose_files(root)
        except DataMissingError:
            return ()
        return SUBSETS

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 over the files of the poses and of the detected points."""
        require_known("subset of dataset 'h36m'", subset, SUBSETS)
        return files_checksum([*pose_files(root), *self._detection_files(root)])

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return one split; see `sequence_id` for the numbers of the sequences."""
        require_known("subset of dataset 'h36m'", subset, SUBSETS)
        require_known("split", split, SPLITS)
        poses = _poses(root)
        parts = [
            part
            for part in _parts(poses, self.params, split)
            if part.take.action in actions_of(subset)
        ]
        if not parts:
            raise DataMissingError(f"h36m: no take of '{subset}' in the split '{split}'")
        pixels = self._pixels(root, poses)
        views = [self._view(part, poses["positions"], pixels) for part in parts]
        return join_views(views, self.params.camera, actions_of(subset))

    def note(self, root: Path, subset: str) -> str:
        """Return how many of the takes there are, if some are missing."""
        require_known("subset of dataset 'h36m'", subset, SUBSETS)
        have = len(take_frames(_poses(root)).keys() - {DAMAGED})
        if have == OFFICIAL_TAKES:
            return ""
        return f"{have} of the official {OFFICIAL_TAKES} takes, so not the papers' set"

    def check(self, root: Path) -> list[Finding]:
        """Read all files; return their counts and whether sizes and depths are plausible."""
        try:
            poses = _poses(root)
            pixels = self._pixels(root, poses)
        except UserError as error:
            return [Finding("poses", False, str(error))]
        found = check_poses(poses)
        if pixels is None or not all(finding.ok for finding in found):
            return found
        return [*found, check_detections(poses, pixels)]

    def _detection_files(self, root: Path) -> list[Path]:
        name = self.params.keypoints
        return [] if name == TRUTH else [detection_file(root, name)]

    def _pixels(self, root: Path, poses: Arrays) -> Floats | None:
        """Return the detected points (4, N, 17, 2), or None if the true points are used."""
        files = self._detection_files(root)
        if not files:
            return None
        total = files_checksum([*pose_files(root), *files])
        return cache_arrays(_PARSED_DETECTIONS, total, lambda: read_detections(files[0], poses))[
            "pixels"
        ]

    def _view(self, part: _Part, positions: Floats, pixels: Floats | None) -> View:
        take, name = part.take, CAMERAS[part.camera]
        world = positions[part.frames].astype(np.float64)
        points_3d = PLACES[take.subject][name].views(world)
        found = None if pixels is None else pixels[part.camera, part.frames].astype(np.float64)
        if found is not None and not np.isfinite(found).all():
            raise UserError(f"h36m: no points '{self.params.keypoints}' of {take}")
        try:
            views = image_views(points_3d, LENSES[name], self.params.camera, found)
        except ValueError as error:
            raise UserError(f"h36m: {take} before camera {name}: {error}") from error
        return View(sequence_id(*take, part.camera), take.action, *views)


class _Part(NamedTuple):
    """Frames of a take seen by one camera; cameras are numbered from 0."""

    take: Take
    camera: int
    frames: slice


def _poses(root: Path) -> Arrays:
    files = pose_files(root)
    return cache_arrays(_PARSED, files_checksum(files), lambda: read_poses(files))


def _parts(poses: Arrays, params: H36mParams, split: str) -> list[_Part]:
    """Return the takes and cameras of a split that the parameters select."""
    cameras = [CAMERAS.index(name) for name in params.cameras]
    parts = [
        _Part(take, camera, slice(frames.start, frames.stop, params.every))
        for take, frames in take_frames(poses).items()
        for camera in cameras
        if take.subject in SUBJECTS[split]
        if take != DAMAGED or (params.camera == "orthographic" and camera != 0)
    ]
    if not parts:
        raise DataMissingError(f"h36m: no take of {', '.join(SUBJECTS[split])}")
    return parts


def make_h36m(**params: Any) -> DatasetAdapter:  # noqa: ANN401 the dataclass has the types
    """Return the adapter of the release that the parameters name."""
    checked = H36mParams(**params)
    return H36mChallenge(checked.every) if checked.release == "eccv18" else H36m(checked)


H36M = DatasetSpec(
    key="h36m",
    title="Human3.6M",
    reference="Ionescu et al., Human3.6M, TPAMI 2014",
    make=make_h36m,
    params=H36mParams,
    splits=SPLITS,
    info=DatasetInfo(
        download="vision.imar.ro/human3.6m, after registration: for each subject 'Poses D3 "
        "Positions', or the ECCV 2018 challenge's open part; detected points "
        "(data_2d_h36m_cpn_ft_h36m_dbb.npz) from dl.fbaipublicfiles.com/video-pose-3d",
        licence="free for academic use alone, under the agreement signed at registration; not to "
        "be redistributed",
        layout="DATA_ROOT/h36m/S1/MyPoseFeatures/D3_Positions/<Action>.cdf and so on for S5, S6, "
        "S7, S8, S9, S11, or DATA_ROOT/h36m/data_3d_h36m.npz as VideoPose3D converts them, which "
        "is read first; DATA_ROOT/h36m/data_2d_h36m_<NAME>.npz for keypoints NAME; for release "
        "eccv18 DATA_ROOT/h36m/ECCV18_Challenge/{Train,Val}/{POSE,IMG}",
        size="about 200 MB of poses, 527 599 frames of 7 subjects; challenge 35 832 training poses",
    ),
    partial={"poses of the challenge": {"release": "eccv18", "camera": "orthographic"}},
)
