"""Readers of the text files of CUB-200-2011."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Bools, Floats
from liftbench_datasets.reading.one_line_errors import one_line_errors

PARTS = (
    *("back", "beak", "belly", "breast", "crown", "forehead", "left eye", "left leg"),
    *("left wing", "nape", "right eye", "right leg", "right wing", "tail", "throat"),
)


def read_parts(path: Path) -> tuple[Floats, Bools]:
    """Read `part_locs.txt`, lines `image part x y visible`.

    Returns:
        Points (N, 15, 2) in pixels from the middle of the first pixel, and which are visible.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged.
    """
    with one_line_errors(path, "lines of an image, a part from 1 to 15, x, y and visibility"):
        rows = _numbers(path, 5)
        rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
        images = len(rows) // len(PARTS)
        _require(rows[:, 0], np.repeat(np.arange(1, images + 1), len(PARTS)), "images")
        _require(rows[:, 1], np.tile(np.arange(1, len(PARTS) + 1), images), "parts")
        if not np.isin(rows[:, 4], (0, 1)).all():
            raise ValueError("visibility is not 0 or 1 everywhere")
    places = rows[:, 2:4].reshape(images, len(PARTS), 2)
    return places - 1, rows[:, 4].reshape(images, len(PARTS)) == 1


def read_boxes(path: Path) -> Floats:
    """Read `bounding_boxes.txt`, lines `image x y width height`.

    Returns:
        (N, 4) in pixels from the middle of the first pixel.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged.
    """
    with one_line_errors(path, "lines of an image, x, y, width and height"):
        rows = _numbers(path, 5)
        _require(rows[:, 0], np.arange(1, len(rows) + 1), "images")
        if not (rows[:, 3:] > 0).all():
            raise ValueError("a box has no size")
    return rows[:, 1:] - [1, 1, 0, 0]


def read_train_flags(path: Path) -> Bools:
    """Read `train_test_split.txt`, lines `image is_train`; return which images are for training.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged.
    """
    with one_line_errors(path, "lines of an image and 0 or 1"):
        rows = _numbers(path, 2)
        _require(rows[:, 0], np.arange(1, len(rows) + 1), "images")
        if not np.isin(rows[:, 1], (0, 1)).all():
            raise ValueError("a flag is not 0 or 1")
    flags: Bools = rows[:, 1] == 1
    return flags


def read_image_names(path: Path) -> NDArray[np.str_]:
    """Read `images.txt`, lines `image path`; return the paths below `images`, (N,).

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged.
    """
    with one_line_errors(path, "lines of an image and its path"):
        rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        if {len(row) for row in rows} != {2}:
            raise ValueError("a line does not hold two words")
        _require(np.array([int(row[0]) for row in rows]), np.arange(1, len(rows) + 1), "images")
        return np.array([row[1] for row in rows])


def read_part_names(path: Path) -> tuple[str, ...]:
    """Read `parts.txt`, lines `part name`; return the names in the order of the file.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is not text.
    """
    with one_line_errors(path, "lines of a part and its name"):
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(line.partition(" ")[2].strip() for line in lines)


def _numbers(path: Path, columns: int) -> Floats:
    rows: Floats = np.loadtxt(path, ndmin=2, dtype=np.float64)
    if rows.shape[1] != columns or not len(rows):
        raise ValueError(f"{len(rows)} lines of {rows.shape[1]} numbers, not of {columns}")
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        raise ValueError(f"line {int(bad.argmax()) + 1} holds a number that is not finite")
    return rows


def _require(found: NDArray[np.generic], expected: NDArray[np.int64], what: str) -> None:
    if not np.array_equal(found, expected):
        raise ValueError(f"the {what} are not numbered from 1, each once")
