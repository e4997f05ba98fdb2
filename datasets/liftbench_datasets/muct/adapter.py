"""MUCT: faces with 76 landmarks marked by hand, seen by five cameras, without 3D truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.arrays import Arrays, cache_arrays
from liftbench.errors import DataMissingError, UserError, require_known
from liftbench.files import checksum
from liftbench.images import Images
from liftbench.plugin.specs import DatasetInfo, DatasetSpec, Finding
from liftbench.types import Dataset, Floats, Observations
from liftbench_datasets.muct.face_landmarks import FACE
from liftbench_datasets.muct.file import CENTRED, IMAGE_SIZE, OPENCV, read_muct

KEY = "muct"
SPLITS = ("all",)
CAMERAS = ("a", "b", "c", "d", "e")
SUBSETS = ("all", *CAMERAS)
FACES = 3755
# Only views of these cameras lack landmarks, those behind the nose or the side of a face. Source:
# the README of the landmarks.
CAMERAS_THAT_MISS = ("b", "c")

_FOLDERS = ("muct/muct-landmarks", "muct", "muct-landmarks", "")
# Raise the number when the reader changes what it makes of a file.
_PARSED = "muct-1"


@dataclass(frozen=True)
class MuctParams:
    """MUCT has no parameters."""


class Muct:
    """Landmarks in pixels of images 480 wide and 640 high, from the upper left corner, y down.

    The views are treated as orthographic, as in PR-RRN (section 5.1). A sequence is a subject,
    whose frames are single photographs. Landmarks at 0,0 are hidden. Mirrored faces of the release
    (`ir...`) are left out, as they add nothing new. Public readers also skip face i434xe-fn as
    corrupted; PR-RRN counts all 3755 faces, so it is kept here. The box encloses the visible
    landmarks.
    """

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = MuctParams(**params)

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return `all` and the five cameras, if the landmarks are there."""
        return SUBSETS if _find(root) else ()

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 over the landmarks."""
        self._faces(root, subset)
        return checksum([_landmarks(root)])

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return the faces of one camera or of all, in the order of the file.

        There is no truth. The images are included if all those of the subset are there.
        """
        require_known("split", split, SPLITS)
        faces = self._faces(root, subset)
        points_2d = np.where(faces["visible"][..., None], faces["points_2d"], np.nan)
        seen = Observations(
            points_2d,
            faces["visible"],
            faces["subject"],
            "orthographic",
            FACE,
            _boxes(points_2d),
            _images(root, faces),
            np.ones(len(points_2d)),
            np.zeros((len(points_2d), 2)),
        )
        return Dataset(seen, None)

    def note(self, root: Path, subset: str) -> str:
        """Return how many of the 3755 faces there are, if some are missing."""
        self._faces(root, subset)
        have = len(self._faces(root, "all")["name"])
        return "" if have == FACES else f"{have} of the official {FACES} faces"

    def check(self, root: Path) -> list[Finding]:
        """Parse the landmarks; return the counts of each camera, and how many images there are."""
        try:
            faces = read_muct(_landmarks(root))
        except UserError as error:
            return [Finding("landmarks", False, str(error))]
        cameras = [_check_camera(faces, camera) for camera in CAMERAS]
        return [_check_faces(faces), *cameras, _check_images(root, faces)]

    def _faces(self, root: Path, subset: str) -> Arrays:
        """Return the parsed faces of a subset."""
        path = _landmarks(root)
        require_known(f"subset of dataset '{KEY}'", subset, SUBSETS)
        # The two files differ in their origin, so the name of the file matters.
        arrays = cache_arrays(_PARSED, checksum([path]), lambda: read_muct(path))
        chosen = np.isin(arrays["camera"], CAMERAS if subset == "all" else [subset])
        if not chosen.any():
            raise DataMissingError(f"{path}: no face of camera {subset}")
        return {name: array[chosen] for name, array in arrays.items()}


def _find(root: Path) -> Path | None:
    """Return the file of landmarks, preferably the one in pixels from the corner, or None."""
    places = (root / folder / name for name in (OPENCV, CENTRED) for folder in _FOLDERS)
    return next((path for path in places if path.is_file()), None)


def _landmarks(root: Path) -> Path:
    path = _find(root)
    if path is None:
        raise DataMissingError(
            f"{KEY}: landmarks not found, looked for {root / _FOLDERS[0] / OPENCV}; "
            f"see 'liftbench data info {KEY}'"
        )
    return path


def _image_files(root: Path, faces: Arrays) -> list[Path]:
    """Return where each face's image should be: in `jpg` beside the landmarks or their folder."""
    folder = _landmarks(root).parent
    beside = folder.parent if folder.name == "muct-landmarks" else folder
    return [beside / "jpg" / f"{name}.jpg" for name in faces["name"]]


def _images(root: Path, faces: Arrays) -> Images | None:
    files = _image_files(root, faces)
    return Images(tuple(map(str, files))) if all(file.is_file() for file in files) else None


def _boxes(points_2d: Floats) -> Floats:
    """Return x, y, width and height of the visible points' boxes, (F, 4)."""
    low = np.nanmin(points_2d, axis=1)
    return np.concatenate([low, np.nanmax(points_2d, axis=1) - low], axis=1)


def _check_faces(faces: Arrays) -> Finding:
    have = len(faces["name"])
    points_2d = faces["points_2d"]
    outside = ((points_2d < 0) | (points_2d > IMAGE_SIZE)).any(axis=2) & faces["visible"]
    odd = faces["name"][outside.any(axis=1)]
    detail = f"{have} of {FACES} faces, {len(set(faces['subject'].tolist()))} subjects"
    if len(odd):
        detail += f"; landmarks outside the image in {len(odd)}, the first {odd[0]}"
    return Finding("faces", have == FACES, detail)


def _check_camera(faces: Arrays, camera: str) -> Finding:
    visible = faces["visible"][faces["camera"] == camera]
    hidden = int((~visible).sum())
    detail = f"{len(visible)} faces, {hidden} landmarks hidden"
    expected = camera in CAMERAS_THAT_MISS or not hidden
    if not expected:
        detail += f"; expected hidden ones only in cameras {' and '.join(CAMERAS_THAT_MISS)}"
    return Finding(f"camera {camera}", expected and len(visible) > 0, detail)


def _check_images(root: Path, faces: Arrays) -> Finding:
    files = _image_files(root, faces)
    have = sum(file.is_file() for file in files)
    detail = f"{have} of {len(files)} in {files[0].parent}"
    return Finding("images", have in (0, len(files)), detail)


MUCT = DatasetSpec(
    key=KEY,
    title="MUCT faces, 76 landmarks, no 3D truth",
    reference="Milborrow, Morkel, Nicolls: The MUCT Landmarked Face Database, Pattern Recognition "
    "Association of South Africa 2010",
    make=Muct,
    params=MuctParams,
    splits=SPLITS,
    info=DatasetInfo(
        download="muct-landmarks-v1.tar.gz, and muct-a-jpg-v1.tar.gz to muct-e-jpg-v1.tar.gz for "
        "images, from github.com/StephenMilborrow/muct",
        licence="free for academic use; images of subjects other than 000, 001, 002, 200, 201, "
        "400, 401 and 402 must not be reproduced, none on web pages (www.milbo.org/muct)",
        layout="DATA_ROOT/muct/muct-landmarks/muct76-opencv.csv (or muct76.csv), or the file in "
        "DATA_ROOT/muct; images in DATA_ROOT/muct/jpg/<name>.jpg if there are any",
        size="3755 faces of 76 landmarks, about 3 MB; images in an archive a camera",
    ),
)
