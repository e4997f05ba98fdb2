"""The ECCV 2018 challenge's part of Human3.6M: one .csv file per pose, and its image."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from liftbench.arrays import Arrays, cache_arrays
from liftbench.cameras import project
from liftbench.errors import DataMissingError, UserError, require_known
from liftbench.files import checksum
from liftbench.images import Images
from liftbench.plugin.specs import Finding
from liftbench.types import Dataset, Floats, GroundTruth, Observations
from liftbench_datasets.geometry.boxes import point_boxes
from liftbench_datasets.h36m.release import FOLDERS
from liftbench_datasets.h36m.skeleton import ALL, SKELETON
from liftbench_datasets.reading.one_line_errors import one_line_errors

# The challenge's Test has no poses, so methods are tested on its Val.
_PARTS = {"train": "Train", "test": "Val"}
_FOLDER = "ECCV18_Challenge"
OFFICIAL_FRAMES = {"train": 35_832}
COVERED = 0.75  # of an image's shorter side by the longer side of the points' box: an assumption
_AT_ZERO = 1e-3  # mm

# Raise the number when the reader changes what it makes of a file.
_PARSED = "h36m-challenge-1"


class H36mChallenge:
    """Poses relative to the hip in the camera's frame, in mm, without cameras and actions.

    `train` is the challenge's Train, `test` its Val. The 2D points are orthographic projections of
    the poses, as the files lack the points of the images. Every frame is a sequence, whose id is
    the number of its file; all frames are one group.

    Where the points lie in an image is an assumption: the images are crops about the person, so
    the box of the points has its middle in the middle of the image, and its longer side covers
    three quarters of the image's shorter one.
    """

    def __init__(self, every: int) -> None:
        self.every = every

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return `all`, if there are training poses."""
        try:
            _require_files(root, "train")
        except DataMissingError:
            return ()
        return (ALL,)

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 over the files of the splits that are there."""
        require_known("subset of dataset 'h36m'", subset, (ALL,))
        return checksum([path for split in _splits(root) for path in _require_files(root, split)])

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return one split, with its images if they are there."""
        require_known("subset of dataset 'h36m'", subset, (ALL,))
        require_known("split", split, _PARTS)
        files = _require_files(root, split)
        arrays = cache_arrays(_PARSED, checksum(files), lambda: _read_poses(files))
        points_3d, number = (arrays[name][:: self.every] for name in ("points_3d", "number"))
        points_2d = project(points_3d, "orthographic")
        visible = np.ones(points_2d.shape[:2], dtype=np.bool_)
        images, boxes = _images(files[:: self.every]), point_boxes(points_2d)
        return Dataset(
            Observations(
                points_2d,
                visible,
                number,
                "orthographic",
                SKELETON,
                boxes,
                images,
                *_assumed_map(images, boxes),
            ),
            GroundTruth(points_3d, "mm", np.full(len(number), "all"), number),
        )

    def note(self, root: Path, subset: str) -> str:
        """Return how the 2D points and the number of poses differ from the papers'."""
        require_known("subset of dataset 'h36m'", subset, (ALL,))
        have, official = len(_require_files(root, "train")), OFFICIAL_FRAMES["train"]
        lacks = "" if have == official else f"; {have} of the official {official} training poses"
        return (
            "2D points are orthographic projections of the 3D points, not the images'; their place "
            f"in the images is assumed: centred, over three quarters of the shorter side{lacks}"
        )

    def check(self, root: Path) -> list[Finding]:
        """Parse every file and return the counts of each split."""
        return [_check(root, split) for split in _PARTS]


def _splits(root: Path) -> list[str]:
    """Return the splits that have files; `train` must have some.

    Raises:
        DataMissingError: `train` has no files.
    """
    _require_files(root, "train")
    return [split for split in _PARTS if _find_files(root, split)]


def _find_files(root: Path, split: str) -> list[Path]:
    for folder in (root / name / _FOLDER / _PARTS[split] / "POSE" for name in FOLDERS):
        if found := sorted(folder.glob("*.csv"), key=_number):
            return found
    return []


def _require_files(root: Path, split: str) -> list[Path]:
    """Return the files of a split in the order of their numbers.

    Raises:
        DataMissingError: there are none.
        UserError: the name of a file is not a number.
    """
    if found := _find_files(root, split):
        return found
    wanted = root / FOLDERS[0] / _FOLDER / _PARTS[split] / "POSE" / "00001.csv"
    raise DataMissingError(f"h36m: no {wanted}; see 'liftbench data info h36m'")


def _images(files: list[Path]) -> Images | None:
    folder = files[0].parent.with_name("IMG")
    if not folder.is_dir():
        return None
    return Images(tuple(str(folder / f"{path.stem}.jpg") for path in files))


def _assumed_map(images: Images | None, boxes: Floats) -> tuple[Floats | None, Floats | None]:
    """Return `pixel` (F,) and `origin` (F, 2) as assumed; None if an image is not there."""
    if images is None or images.missing():
        return None, None
    sizes = images.sizes()
    longer = np.maximum(boxes[:, 2:].max(axis=1), _AT_ZERO)
    pixel = longer / (COVERED * sizes.min(axis=1))
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    return pixel, sizes / 2 - middle / pixel[:, None]


def _check(root: Path, split: str) -> Finding:
    try:
        files = _require_files(root, split)
        frames = len(_read_poses(files)["number"])
    except UserError as error:
        return Finding(_PARTS[split], False, str(error))
    official = OFFICIAL_FRAMES.get(split, frames)
    images = "images" if _images(files) else "no images"
    detail = f"{frames} poses, {images}"
    partial = f"; {frames} of the official {official}" if frames != official else ""
    return Finding(_PARTS[split], True, detail + partial)


def _read_poses(files: list[Path]) -> Arrays:
    return {
        "points_3d": np.array([_pose(path) for path in files]),
        "number": np.array([_number(path) for path in files]),
    }


def _pose(path: Path) -> Floats:
    shape = (len(SKELETON.points), 3)
    with one_line_errors(path, f"{shape[0]} lines of x,y,z in mm, the hip first and at 0"):
        lines = path.read_text(encoding="ascii").split()
        if len(lines) != shape[0]:
            raise ValueError(f"{len(lines)} lines")
        pose = np.array([_point(number, line) for number, line in enumerate(lines, start=1)])
        if (np.abs(pose[SKELETON.root]) > _AT_ZERO).any():
            raise ValueError(f"line 1: '{lines[0][:60]}'")
    return pose


def _point(number: int, line: str) -> list[float]:
    try:
        point = [float(word) for word in line.split(",")]
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error
    if len(point) != 3 or not np.isfinite(point).all():
        raise ValueError(f"line {number}: '{line[:60]}'")
    return point


def _number(path: Path) -> int:
    if not path.stem.isdecimal():
        raise UserError(f"{path}: expected a name such as 00001.csv; rename or remove the file")
    return int(path.stem)
