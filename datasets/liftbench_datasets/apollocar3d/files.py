"""Where the files of ApolloCar3D lie, and readers of its poses, lists and labels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from liftbench.errors import DataMissingError, UserError
from liftbench.types import Floats
from liftbench_datasets.apollocar3d.cameras import CAMERA_5, CAMERA_6, Pinhole, Poses
from liftbench_datasets.apollocar3d.models import NAMES, model_files
from liftbench_datasets.apollocar3d.skeleton import SKELETON
from liftbench_datasets.reading.array_fields import finite_field
from liftbench_datasets.reading.one_line_errors import one_line_errors

POINTS = len(SKELETON.points)
LABELS = 66  # keypoints in the release's labels; from 58 on they are corners of the licence plates

CAMERAS = {"Camera_5": CAMERA_5, "Camera_6": CAMERA_6}
LISTS = {"train": "train/split/train-list.txt", "test": "train/split/validation-list.txt"}
KEYPOINTS_3D = "keypoints_3d.json"

_BELOW_ROOT = ("apollocar3d", "ApolloCar3D", "3d_car_instance_sample", "")
_POSES = ("train/car_poses", "car_poses", "dataset_api/test_eval_data/det3d_gt")
# Poses apply to axes with x to the left and y up; the models' files have x to the right and y down.
_FILE_AXES = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Files:
    """The files that were found.

    Attributes:
        folder: that holds the dataset.
        poses: one file per image, in the order of their names.
        models: the file of each car_id.
        lists: the list of images of each split that has one.
        keypoints_3d: the user's file of keypoints; None if there is none.
    """

    folder: Path
    poses: tuple[Path, ...]
    models: dict[int, Path]
    lists: dict[str, Path]
    keypoints_3d: Path | None

    @property
    def names(self) -> list[str]:
        """The names of the images, in the order of `poses`."""
        return [path.stem for path in self.poses]

    @property
    def images(self) -> list[Path]:
        """Where the images of the release should lie, in the order of `poses`."""
        return [self.folder / "train" / "images" / f"{name}.jpg" for name in self.names]

    def labels(self, name: str) -> list[Path]:
        """Return the files of an image's labelled keypoints, one per car."""
        return sorted((self.folder / "train" / "keypoints" / name).glob(f"{name}*.txt"))

    def all_labels(self) -> list[Path]:
        """Return the files of all labelled keypoints."""
        return [path for name in self.names for path in self.labels(name)]


def find_files(root: Path) -> Files:
    """Return the files below the data root.

    Raises:
        DataMissingError: no poses or no car models are found.
    """
    for folder in (root / below for below in _BELOW_ROOT):
        if poses := _pose_files(folder):
            models = model_files(folder)
            if not models:
                raise DataMissingError(
                    f"apollocar3d: no car model found, looked for {folder}/car_models_json/"
                    f"{NAMES[0]}.json and the like; see 'liftbench data info apollocar3d'"
                )
            lists = {split: folder / place for split, place in LISTS.items()}
            own = folder / KEYPOINTS_3D
            present = {split: path for split, path in lists.items() if path.is_file()}
            return Files(folder, poses, models, present, own if own.is_file() else None)
    raise DataMissingError(
        f"apollocar3d: no poses found, looked for {root / _BELOW_ROOT[0]}/{_POSES[0]}/*.json; "
        "see 'liftbench data info apollocar3d'"
    )


def camera_of(pose_file: Path) -> Pinhole:
    """Return the camera in the name of a file, such as 180116_053947113_Camera_5.json."""
    for name, camera in CAMERAS.items():
        if pose_file.stem.endswith(name):
            return camera
    raise UserError(f"{pose_file}: expected a name that ends in {' or '.join(CAMERAS)}")


def read_poses(path: Path) -> tuple[NDArray[np.int64], Poses]:
    """Read the car_id (N,) of the cars in an image, and their poses.

    A pose takes points of the model's file to the camera's frame.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged.
    """
    with one_line_errors(path, "a list of cars with 'car_id' and 'pose'"):
        cars = json.loads(path.read_bytes())
        ids = [_car_id(car["car_id"]) for car in cars]
        rows = [finite_field(car["pose"], "pose", (6,)) for car in cars]
    pose = np.array(rows).reshape(-1, 6)
    turns = Rotation.from_euler("xyz", pose[:, :3]).as_matrix() @ _FILE_AXES
    return np.array(ids, dtype=np.int64), Poses(turns.reshape(-1, 3, 3), pose[:, 3:])


def read_list(path: Path) -> set[str]:
    """Read the names of the images of a split, one per line, with or without `.jpg`.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is not text.
    """
    with one_line_errors(path, "the name of an image in each line"):
        lines = path.read_text(encoding="utf-8").split()
        return {Path(line).name.removesuffix(".jpg") for line in lines}


def read_labels(path: Path) -> Floats:
    """Read the labelled keypoints of a car from lines `index x y`, in pixels.

    Returns:
        (58, 2); NaN where a keypoint is not labelled.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged.
    """
    labels = np.full((LABELS, 2), np.nan)
    with one_line_errors(path, f"lines of an index from 0 to {LABELS - 1}, x and y"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            index, *place = line.split()
            if not (index.isascii() and index.isdigit() and int(index) < LABELS):
                raise ValueError(f"line {number}: got index {index[:20]!r}")
            labels[int(index)] = finite_field([float(value) for value in place], "x y", (2,))
    return labels[:POINTS]


def _pose_files(folder: Path) -> tuple[Path, ...]:
    for place in _POSES:
        if found := sorted((folder / place).glob("*.json")):
            return tuple(found)
    return ()


def _car_id(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < len(NAMES):
        raise ValueError(f"'car_id' is not within 0..{len(NAMES) - 1}")
    return value
