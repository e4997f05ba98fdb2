"""The surfaces of the CAD models of a PASCAL3D+ category."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftbench.arrays import Arrays, cache_arrays
from liftbench.files import checksum
from liftbench.types import Floats, Mesh, Meshes
from liftbench_datasets.geometry.lazy_meshes import LazyMeshes
from liftbench_datasets.pascal3d.cad import FARTHEST
from liftbench_datasets.reading.array_fields import finite_field
from liftbench_datasets.reading.mat_file import read_mat
from liftbench_datasets.reading.one_line_errors import one_line_errors


def cad_meshes(path: Path, category: str, count: int) -> Meshes:
    """Return the surfaces of a category's models; the file is read when one is first used.

    They are in the frame and unit of their keypoints, see `read_cad`.

    Args:
        path: `CAD/<category>.mat`.
        category: its name.
        count: number of its models.
    """

    @cache
    def surfaces() -> tuple[Mesh, ...]:
        arrays = cache_arrays(
            "pascal3d-surfaces-1", checksum([path]), lambda: read_surfaces(path, category, count)
        )
        ends = (np.cumsum(arrays[name]) for name in ("vertex_counts", "face_counts"))
        parts = (
            np.split(arrays[name], end[:-1])
            for name, end in zip(("vertices", "faces"), ends, strict=True)
        )
        return tuple(Mesh(*pair) for pair in zip(*parts, strict=True))

    return LazyMeshes(count, lambda index: surfaces()[index])


def read_surfaces(path: Path, category: str, count: int) -> Arrays:
    """Return the surfaces of a category's models, joined into arrays.

    Returns:
        `vertices` (V, 3) and `faces` (T, 3) of all models one after another, faces as indices
        of their model's vertices from 0; `vertex_counts` (K,) and `face_counts` (K,) of each.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged or has another number of models.
    """
    content = read_mat(path, category)[category]
    with one_line_errors(path, f"'vertices' and 'faces' of the CAD models of '{category}'"):
        vertices, faces = (_column(content, name, count) for name in ("vertices", "faces"))
        places = [_places(item, i) for i, item in enumerate(vertices, start=1)]
        corners = [
            _corners(item, len(own), i)
            for i, (item, own) in enumerate(zip(faces, places, strict=True), start=1)
        ]
    return {
        "vertices": np.concatenate(places),
        "faces": np.concatenate(corners),
        "vertex_counts": np.array([len(own) for own in places]),
        "face_counts": np.array([len(own) for own in corners]),
    }


def _column(content: Any, name: str, count: int) -> list[Any]:  # noqa: ANN401 as the file has it
    values = content[name]
    column = values if isinstance(values, list) else [values]  # the only model
    if len(column) != count:
        raise ValueError(f"{len(column)} '{name}' of {count} models")
    return column


def _places(value: Any, number: int) -> Floats:  # noqa: ANN401 as the file has it
    places = _rows(value, f"vertices of model {number}")
    if not (np.abs(places) <= FARTHEST).all():
        raise ValueError(f"vertices of model {number}: expected numbers of at most {FARTHEST:g}")
    return places


def _corners(value: Any, vertices: int, number: int) -> NDArray[np.int64]:  # noqa: ANN401
    corners = _rows(value, f"faces of model {number}")
    if not np.isin(corners, np.arange(1, vertices + 1)).all():
        raise ValueError(f"faces of model {number}: expected vertices from 1 to {vertices}")
    return corners.astype(np.int64) - 1


def _rows(value: Any, name: str) -> Floats:  # noqa: ANN401 as the file has it
    return finite_field(np.atleast_2d(value), name, (None, 3))  # a single row is stored as a vector
