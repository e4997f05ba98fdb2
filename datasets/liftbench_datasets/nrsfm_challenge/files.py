"""The files of an object of the NRSfM Challenge, and their readers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from liftbench.arrays import Arrays
from liftbench.errors import DataMissingError, UserError
from liftbench.types import Bools, Floats
from liftbench_datasets.reading.number_file import (
    find_numbers,
    frames_of_rows,
    read_numbers,
    read_tracks,
)

# The release's names of the cameras.
FOLDERS = {"orthographic": "orthogonal", "perspective": "perspective"}

_BELOW_ROOT = ("nrsfm_challenge", "NRSfM_challenge", "")
_TRUTH = re.compile(r"gt_frame_([0-9]{1,9})")


@dataclass(frozen=True)
class Sources:
    """The files of one object under one camera.

    Attributes:
        tracks: file of the 2D points by camera path.
        visibility: file by camera path; empty if hidden points are not requested.
        truth: file of the true points by the number in its name.
    """

    tracks: dict[str, Path]
    visibility: dict[str, Path]
    truth: dict[int, Path]

    @property
    def files(self) -> list[Path]:
        """All files, in a fixed order."""
        return [*self.tracks.values(), *self.visibility.values(), *self.truth.values()]


def object_folder(root: Path, name: str) -> Path | None:
    """Return the folder of an object, in which `sequence` lies, or None."""
    nested = (f"{name}/{name}", name)
    folders = (root / below / inner for below in _BELOW_ROOT for inner in nested)
    return next((folder for folder in folders if (folder / "sequence").is_dir()), None)


def find_sources(
    folder: Path, camera: str, paths: Sequence[str], *, with_visibility: bool
) -> Sources:
    """Return the files of an object for the camera paths whose 2D points are found.

    Raises:
        DataMissingError: a camera path lacks visibility, which is requested.
    """
    tracks = {}
    for path in paths:
        if file := find_numbers(folder / "sequence" / FOLDERS[camera] / path):
            tracks[path] = file
    wanted = tracks if with_visibility else {}
    seen = {
        path: _visibility_file(folder / "visibility" / FOLDERS[camera] / path) for path in wanted
    }
    return Sources(tracks, seen, _truth_files(folder))


def read_sources(sources: Sources) -> Arrays:
    """Return `tracks-PATH` (F, P, 2), `visible-PATH` (F, P) and `truth-N` (P, 3).

    Points that are NaN in the tracks are not visible. Unmeasured true coordinates are NaN.

    Raises:
        UserError: a file is damaged, or its shape is not that of the others.
    """
    arrays: Arrays = {}
    for path, file in sources.tracks.items():
        arrays[f"tracks-{path}"] = tracks = read_tracks(file)
        visible: Bools = np.all(np.isfinite(tracks), axis=2)
        if path in sources.visibility:
            visible &= _read_visibility(sources.visibility[path], visible.shape)
        arrays[f"visible-{path}"] = visible
    for number, file in sources.truth.items():
        arrays[f"truth-{number}"] = _read_truth(file)
    _require_equal_points(sources, arrays)
    return arrays


def _visibility_file(place: Path) -> Path:
    file = find_numbers(place)
    if file is None:
        raise DataMissingError(
            f"nrsfm_challenge: visibility not found, looked for {place}.txt; "
            "see 'liftbench data info nrsfm_challenge'"
        )
    return file


def _truth_files(folder: Path) -> dict[int, Path]:
    names = {file.stem for file in folder.iterdir() if _TRUTH.fullmatch(file.stem)}
    found = {int(name.rpartition("_")[2]): find_numbers(folder / name) for name in sorted(names)}
    return {number: file for number, file in sorted(found.items()) if file is not None}


def _read_visibility(file: Path, shape: tuple[int, ...]) -> Bools:
    """Return which points are visible, (F, P), from one row per frame or from two, for x and y."""
    rows = read_numbers(file, "visibility", "visible", "M")
    frames, points = shape
    if rows.shape == (2 * frames, points):
        rows = frames_of_rows(rows, 2).min(axis=2)
    if rows.shape != shape:
        raise UserError(
            f"{file}: expected {frames} or {2 * frames} rows of {points} numbers, as the 2D "
            f"points have, got an array of shape {rows.shape}"
        )
    return rows > 0


def _read_truth(file: Path) -> Floats:
    """Return points (P, 3) from three rows or three columns."""
    rows = read_numbers(file, "S", "truth", "Q")
    if rows.ndim != 2 or 3 not in rows.shape:
        raise UserError(f"{file}: expected three rows x, y and z, got an array of {rows.shape}")
    return rows.T if len(rows) == 3 else rows


def _require_equal_points(sources: Sources, arrays: Arrays) -> None:
    counts = {file: arrays[f"tracks-{path}"].shape[1] for path, file in sources.tracks.items()}
    counts |= {file: len(arrays[f"truth-{n}"]) for n, file in sources.truth.items()}
    (first, expected), *others = counts.items()
    for file, points in others:
        if points != expected:
            raise UserError(f"{file}: expected {expected} points as in {first}, got {points}")
