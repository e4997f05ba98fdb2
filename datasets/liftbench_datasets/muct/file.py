"""Reader of the landmark files of MUCT, muct76-opencv.csv and muct76.csv."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from liftbench.arrays import Arrays
from liftbench.errors import UserError
from liftbench_datasets.muct.face_landmarks import FACE
from liftbench_datasets.reading.one_line_errors import one_line_errors

# Width and height in pixels; the landmarks of the release lie within them.
IMAGE_SIZE = (480, 640)
COLUMNS = 2 + 2 * len(FACE.points)
OPENCV = "muct76-opencv.csv"
CENTRED = "muct76.csv"

# Subject, lighting, camera, then sex and glasses; images mirrored by the release begin with `ir`.
_NAME = re.compile(r"i(r?)([0-9]{3})[a-z]([a-e])-[a-z]{2}")


@dataclass(frozen=True)
class _Face:
    """A line of the file: name, whether the image is mirrored, subject, camera and 152 numbers."""

    name: str
    mirrored: bool
    subject: int
    camera: str
    values: list[float]


def read_muct(path: Path) -> Arrays:
    """Return the faces of a file, in the order of its lines.

    Mirrored faces of the release and faces without any landmark are left out.

    Args:
        path: the file; its name says whether the origin is the upper left corner with y down
            (`muct76-opencv.csv`) or the middle of the image with y up (`muct76.csv`).

    Returns:
        `name`, `subject` and `camera`, (F,); `points_2d` (F, 76, 2) in pixels from the upper left
        corner, y down; `visible` (F, 76), false where the file has 0,0.

    Raises:
        DataMissingError: the file is not there.
        UserError: a line is damaged.
    """
    with one_line_errors(path, "the landmarks of MUCT"):
        faces = _faces(path)
    given = np.array([face.values for face in faces]).reshape(-1, len(FACE.points), 2)
    visible = (given != 0).any(axis=2)
    points_2d = given
    if path.name == CENTRED:
        width, height = IMAGE_SIZE
        points_2d = given * (1, -1) + (width / 2, height / 2)
    mirrored = np.array([face.mirrored for face in faces], dtype=np.bool_)
    kept = visible.any(axis=1) & ~mirrored
    if not kept.any():
        raise UserError(f"{path}: expected a line for each face after the first, got none")
    return {
        "name": np.array([face.name for face in faces], dtype=np.str_)[kept],
        "subject": np.array([face.subject for face in faces], dtype=np.int64)[kept],
        "camera": np.array([face.camera for face in faces], dtype=np.str_)[kept],
        "points_2d": points_2d[kept],
        "visible": visible[kept],
    }


def _faces(path: Path) -> list[_Face]:
    header, *lines = path.read_text(encoding="ascii").splitlines() or [""]
    if not header.startswith("name,"):
        raise UserError(f"{path}:1: expected the names of the columns, name,tag,x00,y00,...")
    numbered = ((f"{path}:{number}", line) for number, line in enumerate(lines, start=2))
    faces = [_face(place, line) for place, line in numbered if line.strip()]
    names = [face.name for face in faces]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{path}: {twice} has more than one line; keep one")
    return faces


def _face(place: str, line: str) -> _Face:
    name, *fields = line.strip().split(",")
    parts = _NAME.fullmatch(name)
    if parts is None:
        raise UserError(
            f"{place}: expected the name of a face such as i000qa-fn, got {name[:40]!r}"
        )
    if len(fields) + 1 != COLUMNS:
        raise UserError(f"{place}: expected {COLUMNS} columns, got {len(fields) + 1}")
    values = [_number(f"{place}: column {i}", text) for i, text in enumerate(fields[1:], start=3)]
    return _Face(name, bool(parts[1]), int(parts[2]), parts[3], values)


def _number(place: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{place}: expected a finite number, got {text[:40]!r}")
    return value
