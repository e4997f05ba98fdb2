"""Reader of arrays of numbers from text, MATLAB and NumPy files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftbench.errors import UserError
from liftbench.types import Floats
from liftbench_datasets.reading.array_fields import GREATEST
from liftbench_datasets.reading.array_pickle import read_object_npz
from liftbench_datasets.reading.mat_file import read_mat
from liftbench_datasets.reading.one_line_errors import one_line_errors

SUFFIXES = (".txt", ".mat", ".npz")


def find_numbers(stem: Path) -> Path | None:
    """Return the first file that has this path and one of `SUFFIXES`, or None."""
    files = (stem.parent / f"{stem.name}{suffix}" for suffix in SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def read_numbers(path: Path, *names: str) -> Floats:
    """Return an array of 2 or 3 axes from a file; it may contain NaN.

    Args:
        path: a text file with one row of a matrix per line, columns separated by blanks, tabs or
            commas; or a `.mat` or `.npz` file.
        names: possible names of the array in a `.mat` or `.npz` file; the first one found is read.

    Raises:
        DataMissingError: the file is not there.
        UserError: the file holds no such array.
    """
    expected = "a matrix of numbers"
    if path.suffix == ".txt":
        with one_line_errors(path, expected):
            return _to_numbers(_read_text(path))
    content = read_mat(path) if path.suffix == ".mat" else read_object_npz(path, expected)
    with one_line_errors(path, f"an array called {' or '.join(names)}"):
        found = next((content[name] for name in names if name in content), None)
        if found is None:
            raise ValueError(f"it holds {', '.join(sorted(content))[:100] or 'nothing'}")
        return _to_numbers(np.asarray(found))


def read_tracks(path: Path) -> Floats:
    """Return tracks (F, P, 2) from the array `W`, stored as such or as (2F, P), two rows per frame.

    If one coordinate of a point is NaN, both become NaN.

    Raises:
        DataMissingError: the file is not there.
        UserError: the file holds no such array.
    """
    array = read_numbers(path, "W", "tracks")
    if array.ndim == 2 and len(array) % 2 == 0:
        array = frames_of_rows(array, 2)
    if array.ndim != 3 or array.shape[2] != 2:
        raise UserError(
            f"{path}: expected two rows per frame or (frames, points, 2), "
            f"got an array of shape {array.shape}"
        )
    return np.where(np.isnan(array).any(axis=2, keepdims=True), np.nan, array)


def frames_of_rows(rows: Floats, coordinates: int) -> Floats:
    """Return (F, P, coordinates) from a matrix (coordinates * F, P) with rows ordered by frame."""
    frames: Floats = rows.reshape(-1, coordinates, rows.shape[1]).swapaxes(1, 2)
    return frames


def _read_text(path: Path) -> Floats:
    text = path.read_text(encoding="ascii").replace(",", " ")
    rows = [line for line in text.splitlines() if line.partition("#")[0].strip()]
    if not rows:
        raise ValueError("the file is empty")
    return np.loadtxt(rows, dtype=np.float64, ndmin=2)


def _to_numbers(array: NDArray[Any]) -> Floats:
    if array.dtype.kind not in "biuf":
        raise ValueError(f"got values of type {array.dtype}")
    if array.ndim not in (2, 3) or not array.size:
        raise ValueError(f"got an array of shape {array.shape}")
    numbers = array.astype(np.float64)
    if (np.abs(numbers) > GREATEST).any():
        raise ValueError(f"got numbers greater than {GREATEST:g}")
    return numbers
