"""The annotated objects of PASCAL3D+ images: boxes, viewpoints and visible keypoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftbench.arrays import Arrays, cache_arrays
from liftbench.files import checksum
from liftbench.types import Bools, Floats
from liftbench_datasets.adapting.frame_arrays import FrameArrays
from liftbench_datasets.pascal3d.categories import POINTS
from liftbench_datasets.pascal3d.geometry import Viewpoints
from liftbench_datasets.pascal3d.release import Part, Release, Source
from liftbench_datasets.reading.mat_file import read_mat
from liftbench_datasets.reading.one_line_errors import one_line_errors

VISIBLE = 1  # status of an anchor; 2 to 5 are kinds of hidden points, 0 was never set
_VIEWPOINT = tuple(field.name for field in fields(Viewpoints))
_FLAGS = ("truncated", "occluded", "difficult")
_GREATEST = 1e6  # bound of every number in an annotation


@dataclass(frozen=True)
class Objects(FrameArrays):
    """N objects of one category.

    Attributes:
        image: (N,) names of the images, such as `car_pascal/2008_000028`.
        number: (N,) number of the object in its image, from 1.
        box: (N, 4) x, y, width, height, pixels.
        model: (N,) number of the CAD model, from 1; 0 if none was chosen.
        viewpoint: (N, 8) the fields of `Viewpoints`; NaN where the annotation has no number.
        whole: (N,) neither truncated nor occluded nor difficult.
        seen: (N, P) keypoints annotated as visible.
    """

    image: NDArray[np.str_]
    number: NDArray[np.int64]
    box: Floats
    model: NDArray[np.int64]
    viewpoint: Floats
    whole: Bools
    seen: Bools

    def viewpoints(self) -> Viewpoints:
        """Return the viewpoints; incomplete ones hold NaN."""
        return Viewpoints(*self.viewpoint.T)


def load_objects(release: Release, category: str, source: Source, part: Part) -> Objects:
    """Return the objects in the images of a list, from the cache if they are there.

    Raises:
        DataMissingError: the list is not found.
        UserError: the list or an annotation is damaged.
    """
    files = release.annotations(category, source, part)
    return Objects(
        **cache_arrays(
            f"pascal3d-{category}-{source}-1",
            checksum(files.values()),
            lambda: read_objects(files, category),
        )
    )


def read_objects(files: Mapping[str, Path], category: str) -> Arrays:
    """Return the fields of `Objects` of a category, read from annotation files.

    Args:
        files: the annotation file of each image.
        category: objects of other categories in the images are left out.

    Raises:
        DataMissingError: a file is not found.
        UserError: a file is damaged.
    """
    rows = [(image, *row) for image, path in files.items() for row in _read_image(path, category)]
    points, views = len(POINTS[category]), len(_VIEWPOINT)
    kinds = (str, np.int64, np.float64, np.int64, np.float64, np.bool_, np.bool_)
    tails = ((), (), (4,), (), (views,), (), (points,))
    lists = list(zip(*rows, strict=True)) or [()] * len(kinds)
    return {
        field.name: np.array(values, dtype=kind).reshape(len(rows), *tail)
        for field, values, kind, tail in zip(fields(Objects), lists, kinds, tails, strict=True)
    }


def _read_image(path: Path, category: str) -> list[tuple[Any, ...]]:
    record = read_mat(path, "record")["record"]
    with one_line_errors(path, "the objects of a PASCAL3D+ image"):
        objects = enumerate(_split_objects(record["objects"]), start=1)
        return [(i, *_row(item, category)) for i, item in objects if item["class"] == category]


def _split_objects(objects: Any) -> list[dict[str, Any]]:  # noqa: ANN401 whatever the file holds
    """Return one dict per object; the file's reader gives several objects as a dict of lists."""
    if not isinstance(objects, dict):
        if np.size(objects) == 0:
            return []
        raise ValueError("'objects' is not a struct")
    if isinstance(objects["class"], str):
        return [objects]
    names, values = tuple(objects), objects.values()
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def _row(item: dict[str, Any], category: str) -> tuple[Any, ...]:
    """Return the fields of an object after `image` and `number`."""
    x1, y1, x2, y2 = _numbers(item["bbox"], "bbox", 4)
    viewpoint = item["viewpoint"] if isinstance(item["viewpoint"], dict) else {}
    return (
        (x1, y1, x2 - x1, y2 - y1),
        _model(item.get("cad_index", ())),
        [_number(viewpoint.get(name, ()), name) for name in _VIEWPOINT],
        not any(_number(item[name], name) > 0 for name in _FLAGS),
        _visible_flags(item["anchors"], category),
    )


def _visible_flags(anchors: Any, category: str) -> list[bool]:  # noqa: ANN401 whatever the file holds
    """Return which keypoints are visible; none of an object without anchors."""
    if not isinstance(anchors, dict):
        return [False] * len(POINTS[category])
    return [_number(anchors[name]["status"], name) == VISIBLE for name in POINTS[category]]


def _model(value: Any) -> int:  # noqa: ANN401 whatever the file holds
    number = _number(value, "cad_index")
    if np.isnan(number):
        return 0
    if number != int(number) or number < 1:
        raise ValueError(f"cad_index: expected a whole number from 1, got {number:g}")
    return int(number)


def _number(value: Any, label: str) -> float:  # noqa: ANN401 whatever the file holds
    """Return a number, or NaN for an empty value."""
    return float("nan") if np.size(value) == 0 else float(_numbers(value, label, 1)[0])


def _numbers(value: Any, label: str, count: int) -> Sequence[float]:  # noqa: ANN401
    array = np.asarray(value)
    if array.size != count or array.dtype.kind not in "fiub":
        raise ValueError(
            f"{label}: expected {count} numbers, got {array.dtype} of shape {array.shape}"
        )
    if not (np.abs(array.astype(np.float64)) <= _GREATEST).all():
        raise ValueError(f"{label}: expected numbers of at most {_GREATEST:g}, got {array}")
    numbers: list[float] = array.astype(np.float64).ravel().tolist()
    return numbers
