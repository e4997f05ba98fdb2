"""Reader of the JSON files of C3DPO: one entry per frame, with 2D points and often 3D points.

Source of the format: the dataset reader of github.com/facebookresearch/c3dpo_nrsfm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.arrays import Arrays
from liftbench.types import Bools, Floats
from liftbench_datasets.reading.array_fields import (
    finite_field,
    number_field,
    text_field,
)
from liftbench_datasets.reading.json_stream import stream_entries
from liftbench_datasets.reading.one_line_errors import one_line_errors

_TEXTS = ("p3d_info.p3d_class", "h36m_info.action_name", "image_path")


def read_entries(path: Path) -> Arrays:
    """Return the entries of a file as arrays by field, one row per entry.

    All files have `kp_loc` (F, P, 2) and `kp_vis` (F, P). `kp_loc_3d` (F, P, 3), `class_mask` and
    `kp_defined` (F, P), `bbox` (F, 4), `scale` (F,), `p3d_class`, `action_name` and `image_path`
    (F,) are returned if the entries have them. Nested fields go by their last name.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged, or its entries have different fields.
    """
    with (
        one_line_errors(path, "entries in the JSON format of C3DPO"),
        path.open(encoding="utf-8") as stream,
    ):
        rows: list[dict[str, Any]] = []
        for number, entry in enumerate(stream_entries(stream, "data")):
            try:
                rows.append(_row(entry))
                _require_same(rows[0], rows[-1])
            except (TypeError, ValueError) as error:
                raise ValueError(f"entry {number}: {error}") from error
        if not rows:
            raise ValueError("it has no entries")
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _row(entry: object) -> dict[str, Any]:
    """Return the fields of one entry, points before coordinates."""
    if not isinstance(entry, dict):
        raise TypeError("expected an object with kp_loc and kp_vis")
    points = number_field(entry.get("kp_loc"), "kp_loc", (2, None)).T
    row = {"kp_loc": points, "kp_vis": _flags(entry.get("kp_vis"), "kp_vis", len(points))}
    return row | dict(_optional(entry, len(points)))


def _optional(entry: dict[str, Any], count: int) -> Iterator[tuple[str, Any]]:
    """Yield the optional fields that an entry of `count` points has."""
    if (points := entry.get("kp_loc_3d")) is not None:
        yield "kp_loc_3d", number_field(points, "kp_loc_3d", (3, count)).T
    for name in ("class_mask", "kp_defined"):
        if (flags := entry.get(name)) is not None:
            yield name, _flags(flags, name, count)
    if (box := _at(entry, "p3d_info.bbox")) is not None:
        yield "bbox", _box(box)
    if (scale := _at(entry, "h36m_info.scale")) is not None:
        yield "scale", finite_field(scale, "h36m_info.scale", ())
    for place in _TEXTS:
        if (text := _at(entry, place)) is not None:
            yield place.rpartition(".")[2], text_field([text], place, 1)[0]


def _at(entry: Any, place: str) -> Any:  # noqa: ANN401 any JSON value
    for key in place.split("."):
        entry = entry.get(key) if isinstance(entry, dict) else None
    return entry


def _flags(value: object, name: str, count: int) -> Bools:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]  # some files have one row
    flags: Bools = number_field(value, name, (count,)) > 0
    return flags


def _box(value: object) -> Floats:
    box = finite_field(value, "p3d_info.bbox", (4,))
    if (box[2:] < 0).any():
        raise ValueError("p3d_info.bbox: expected x, y, width, height, got a negative size")
    return box


def _require_same(first: dict[str, Any], other: dict[str, Any]) -> None:
    if odd := sorted(first.keys() ^ other.keys()):
        raise ValueError(f"{odd[0]}: expected in all entries or in none")
    if first["kp_loc"].shape != other["kp_loc"].shape:
        have, want = len(other["kp_loc"]), len(first["kp_loc"])
        raise ValueError(f"kp_loc: expected {want} points as in the first entry, got {have}")
