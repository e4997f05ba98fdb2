"""Keypoints that a detector found in PASCAL3D+ images, read from a user's JSON file.

    {"detections": [{"image": "car_pascal/2008_000028", "object": 1,
                     "points": {"left_front_wheel": [102.5, 230.0], ...}}, ...]}

`image` is an annotation file below `Annotations` without its ending. `object` is the number of the
object in that file, from 1, counting objects of all categories. Points are x, y in pixels of the
image, by their names in the category; points that were not detected are null or left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.errors import UserError
from liftbench.types import Floats
from liftbench_datasets.pascal3d.categories import POINTS
from liftbench_datasets.pascal3d.objects import Objects
from liftbench_datasets.reading.one_line_errors import one_line_errors

_GREATEST = 1e6  # pixels


def read_detections(path: Path, category: str, objects: Objects) -> Floats:
    """Return the detected points of N objects, (N, P, 2) pixels; NaN for undetected points.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged or lacks an object.
    """
    with one_line_errors(
        path, "detected keypoints of PASCAL3D+, see 'liftbench data info pascal3d'"
    ):
        entries = json.loads(path.read_bytes())["detections"]
        found = dict(
            _entry(entry, category, at)
            for at, entry in enumerate(entries)
            if _is_of(entry, category)
        )
    keys = list(zip(objects.image.tolist(), objects.number.tolist(), strict=True))
    lacking = [key for key in keys if key not in found]
    if lacking:
        image, number = lacking[0]
        raise UserError(
            f"{path}: {len(lacking)} of {len(keys)} '{category}' objects are not there, first "
            f"object {number} of {image}; add them, with no points where none was detected"
        )
    shape = (len(keys), len(POINTS[category]), 2)
    return np.array([found[key] for key in keys], dtype=np.float64).reshape(shape)


def _is_of(entry: Any, category: str) -> bool:  # noqa: ANN401 whatever the file holds
    return str(entry["image"]).startswith(f"{category}_")


def _entry(entry: Any, category: str, at: int) -> tuple[tuple[str, int], list[list[float]]]:  # noqa: ANN401
    label, points = f"detections[{at}]", entry["points"]
    unknown = sorted(set(points) - set(POINTS[category]))
    if unknown:
        raise ValueError(f"{label}: '{category}' has no point '{unknown[0]}'")
    rows = [_point(points.get(name), f"{label}: {name}") for name in POINTS[category]]
    return (str(entry["image"]), int(entry["object"])), rows


def _point(value: Any, label: str) -> list[float]:  # noqa: ANN401 whatever the file holds
    if value is None:
        return [np.nan, np.nan]
    x, y = map(float, value) if len(value) == 2 else (np.nan, np.nan)
    if not (abs(x) <= _GREATEST and abs(y) <= _GREATEST):
        raise ValueError(f"{label}: expected x, y in pixels or null, got {str(value)[:80]}")
    return [x, y]
