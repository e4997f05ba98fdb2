"""Reader of the classical NRSfM sequences, in each of their three forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftbench.arrays import Arrays
from liftbench.cameras import subtract_mean
from liftbench.types import Floats
from liftbench_datasets.reading.array_fields import finite_field, integer_field
from liftbench_datasets.reading.mat_file import read_mat
from liftbench_datasets.reading.number_file import frames_of_rows
from liftbench_datasets.reading.one_line_errors import one_line_errors

# W may differ from the projection of S by this share of its size.
_MISFIT = 1e-6


def read_sequence(path: Path) -> Arrays:
    """Return the points of a file.

    - `points_2d` (F, P, 2);
    - `points_3d` (F, P, 3) in the camera's frame, with the x and y of `points_2d`;
    - `edges` (N, 2), indices of points from 0;
    - `rotation` (F, 3, 3) to the camera's frame, if the file has cameras.

    The forms: `W` (2F, P) and `S` (3F, P), rows frame by frame, with cameras `Rs` (2F, 3) or
    cameras that follow from W and S; `P3_gt` (3F, P), rows all x, all y, all z; `X` (3, P, F). In
    the last two forms the camera sees x and y.

    Raises:
        DataMissingError: the file is not found.
        UserError: it has another form, or W is not the projection of S.
    """
    content = read_mat(path)
    with one_line_errors(path, "a sequence with W and S, or P3_gt, or X"):
        return _sequence(content)


def _sequence(content: dict[str, Any]) -> Arrays:
    if "S" in content:
        return _with_cameras(content)
    if "P3_gt" in content:
        rows = _coordinates(content, "P3_gt", (None, None))
        _require_rows("P3_gt", rows, 3)
        points_3d = rows.reshape(3, -1, rows.shape[1]).transpose(1, 2, 0)
    elif "X" in content:
        points_3d = _coordinates(content, "X", (3, None, None)).transpose(2, 1, 0)
    else:
        raise ValueError(f"it holds {', '.join(sorted(content))[:100] or 'nothing'}")
    edges = np.zeros((0, 2), dtype=np.int64)
    return {"points_2d": points_3d[..., :2], "points_3d": points_3d, "edges": edges}


def _with_cameras(content: dict[str, Any]) -> Arrays:
    shape, image = _coordinates(content, "S", (None, None)), content.get("W")
    if image is None:
        raise ValueError("it holds S but no W")
    _require_rows("S", shape, 3)
    body = frames_of_rows(shape, 3)
    frames, points = body.shape[:2]
    points_2d = frames_of_rows(_coordinates(content, "W", (2 * frames, points)), 2)
    found: Arrays = {"points_2d": points_2d, "edges": _edges(content, points)}
    if "Rs" in content:
        rows = _coordinates(content, "Rs", (2 * frames, 3)).reshape(frames, 2, 3)
        rotation = found["rotation"] = _rotations(rows)
    else:
        rotation = _fit_rotations(body, points_2d)
    points_3d = subtract_mean(body) @ rotation.swapaxes(1, 2)
    misfit = np.abs(points_3d[..., :2] - subtract_mean(points_2d)).max() / np.abs(points_3d).max()
    if not misfit <= _MISFIT:
        raise ValueError(f"W is not the projection of S: they differ by {misfit:.1e} of its extent")
    points_3d[..., :2] = points_2d
    return {**found, "points_3d": points_3d}


def _coordinates(content: dict[str, Any], name: str, shape: tuple[int | None, ...]) -> Floats:
    if name not in content:
        raise ValueError(f"it holds no {name}")
    array = finite_field(np.asarray(content[name]), name, shape)
    if not array.size:
        raise ValueError(f"{name}: expected numbers, got none")
    return array


def _require_rows(name: str, rows: Floats, coordinates: int) -> None:
    if len(rows) % coordinates:
        raise ValueError(f"{name}: expected {coordinates} rows a frame, got {len(rows)} rows")


def _rotations(rows: Floats) -> Floats:
    """Return the rotations (F, 3, 3) with these first two rows (F, 2, 3)."""
    gram = rows @ rows.swapaxes(1, 2)
    if np.abs(gram - np.eye(2)).max() > _MISFIT:
        raise ValueError("Rs: expected two rows of a rotation a frame")
    return np.concatenate([rows, np.cross(rows[:, :1], rows[:, 1:])], axis=1)


def _fit_rotations(body: Floats, image: Floats) -> Floats:
    """Return the rotations (F, 3, 3) that bring the points of each frame nearest to its image."""
    still, seen = subtract_mean(body), subtract_mean(image)
    affine = seen.swapaxes(1, 2) @ np.linalg.pinv(still.swapaxes(1, 2))
    left, _, right = np.linalg.svd(affine, full_matrices=False)
    return _rotations(left @ right)


def _edges(content: dict[str, Any], points: int) -> NDArray[np.int64]:
    """Return the edges (N, 2), which the file counts from 1."""
    if "list" not in content:
        return np.zeros((0, 2), dtype=np.int64)
    edges = integer_field(np.atleast_2d(content["list"]), "list", (None, 2)) - 1
    if edges.size and not (edges.min() >= 0 and edges.max() < points):
        raise ValueError(f"list: expected pairs of 1 to {points}")
    return edges
