"""Files of a user's own points: `.npz` or `.json`, the same fields in both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.arrays import Arrays
from liftbench.errors import UserError, unknown_name
from liftbench.types import CAMERAS, Bools, Floats
from liftbench_datasets.reading.array_fields import (
    finite_field,
    flag_field,
    integer_field,
    number_field,
    text_field,
)
from liftbench_datasets.reading.array_pickle import read_object_npz
from liftbench_datasets.reading.one_line_errors import one_line_errors

SPLITS = ("train", "val", "test")
FIELDS = (
    "points_2d",
    "visible",
    "points_3d",
    "sequence",
    "camera",
    "names",
    "edges",
    "box",
    "pixel",
    "origin",
    "group",
    "split",
    "unit",
    "images",
)


def read_points(path: Path) -> Arrays:
    """Return the fields of a file, with defaults for the optional fields that it lacks.

    `points_2d` (F, P, 2) is NaN where `visible` (F, P) is false; `points_3d` (F, P, 3) is 0 where
    `mask` (F, P) is false, and both are returned only if the file has 3D points. `sequence`,
    `group` (F,), `camera`, `unit` (), `names` (P,), `edges` (E, 2) are always returned; `box`
    (F, 4), `origin` (F, 2), `pixel`, `split` and `images` (F,) if the file has them.

    Raises:
        DataMissingError: the file is not there.
        UserError: a field is missing, wrong or unknown.
    """
    with one_line_errors(path, "2D points"):
        fields = _json(path) if path.suffix == ".json" else read_object_npz(path, "2D points")
        for name in fields:
            if name not in FIELDS:
                raise UserError(f"{path}: {unknown_name('field', name, FIELDS)}")
        return _check_fields({name: value for name, value in fields.items() if value is not None})


def _json(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict):
        raise TypeError("it is not an object with fields such as points_2d")
    return content


def _check_fields(fields: Mapping[str, Any]) -> Arrays:
    if "points_2d" not in fields:
        raise ValueError("it has no field points_2d of shape (frames, points, 2)")
    points = number_field(fields["points_2d"], "points_2d", (None, None, 2))
    frames, count = points.shape[:2]
    if not points.size:
        raise ValueError(f"points_2d: it has {frames} frames of {count} points")
    visible = _visible(points, fields.get("visible"))
    return {
        "points_2d": np.where(visible[..., None], points, np.nan),
        "visible": visible,
        "sequence": integer_field(fields.get("sequence", [0] * frames), "sequence", (frames,)),
        "group": text_field(fields.get("group", ["all"] * frames), "group", frames),
        "camera": _word(fields.get("camera", CAMERAS[0]), "camera", CAMERAS),
        "unit": _word(fields.get("unit", "file's unit"), "unit"),
        "names": _names(fields.get("names"), count),
        "edges": _edges(fields.get("edges", []), count),
    } | _optional(fields, frames, count)


def _optional(fields: Mapping[str, Any], frames: int, count: int) -> Arrays:
    found: Arrays = {}
    if "points_3d" in fields:
        points = number_field(fields["points_3d"], "points_3d", (frames, count, 3))
        found["mask"] = _truth_mask(points)
        found["points_3d"] = np.where(found["mask"][..., None], points, 0.0)
    if "box" in fields:
        found["box"] = finite_field(fields["box"], "box", (frames, 4))
        if (found["box"][:, 2:] < 0).any():
            raise ValueError("box: expected x, y, width, height, got a negative size")
    if "pixel" in fields:
        found["pixel"] = np.repeat(finite_field([fields["pixel"]], "pixel", (1,)), frames)
        if not (found["pixel"] > 0).all():
            raise ValueError("pixel: expected its size in the unit of points_2d, more than 0")
    if "origin" in fields:
        found["origin"] = finite_field(fields["origin"], "origin", (frames, 2))
        if "pixel" not in fields:
            raise ValueError("origin: it needs the field pixel too")
    if "split" in fields:
        found["split"] = text_field(fields["split"], "split", frames)
        for name in set(found["split"].tolist()):
            _word(name, "split", SPLITS)
    if "images" in fields:
        found["images"] = text_field(fields["images"], "images", frames)
    return found


def _visible(points: Floats, flags: object) -> Bools:
    """Return which points are visible: as the file says, or else those that are not NaN."""
    given = np.asarray(~np.isnan(points).any(axis=2))
    seen = given if flags is None else flag_field(flags, "visible", given.shape)
    bad = seen & ~np.isfinite(points).all(axis=2)
    if bad.any():
        frame, point = np.argwhere(bad)[0]
        raise ValueError(
            f"points_2d: point {point} of frame {frame} is visible but not finite; "
            "hide it in the field visible"
        )
    return seen


def _truth_mask(points: Floats) -> Bools:
    known = np.asarray(np.isfinite(points).all(axis=2))
    if not known.any(axis=1).all():
        frame = int(known.any(axis=1).argmin())
        raise ValueError(f"points_3d: frame {frame} has no finite point; leave such frames out")
    return known


def _word(value: object, name: str, known: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 an array
    text = value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
    word = text_field([text], name, 1)[0]
    if known and word not in known:
        raise ValueError(f"{name}: expected {', '.join(known)}, got '{word}'")
    return np.array(word)


def _names(value: object, count: int) -> Any:  # noqa: ANN401 an array
    if value is None:
        return np.array([f"point_{i}" for i in range(count)])
    names = text_field(value, "names", count)
    if len(set(names.tolist())) != count:
        raise ValueError("names: two points have the same name")
    return names


def _edges(value: object, count: int) -> Any:  # noqa: ANN401 an array
    if isinstance(value, list) and not value:
        return np.zeros((0, 2), dtype=np.int64)
    edges = integer_field(value, "edges", (None, 2))
    if (edges < 0).any() or (edges >= count).any():
        raise ValueError(f"edges: expected indices of points from 0 to {count - 1}")
    return edges
