"""The keypoints of the CAD models of a PASCAL3D+ category."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from liftbench.arrays import cache_arrays
from liftbench.errors import DataMissingError
from liftbench.files import checksum
from liftbench.types import Bools, Floats
from liftbench_datasets.pascal3d.categories import POINTS
from liftbench_datasets.pascal3d.release import SEE
from liftbench_datasets.reading.mat_file import read_mat
from liftbench_datasets.reading.one_line_errors import one_line_errors

LEAST_POINTS = 3  # fewer do not fix a pose
FARTHEST = 10.0  # models measure about 1


def cad_models(path: Path, category: str) -> Floats:
    """Return the result of `read_cad`, from the cache if it is there."""
    if not path.is_file():
        raise DataMissingError(f"{path}: not found, expected the CAD models of '{category}'; {SEE}")
    return cache_arrays(
        "pascal3d-cad-1", checksum([path]), lambda: {"models": read_cad(path, category)}
    )["models"]


def read_cad(path: Path, category: str) -> Floats:
    """Return the keypoints of the K models of a category, (K, P, 3); NaN where a model lacks one.

    The box of a model measures about 1 from corner to corner. z is up, the front is at -y.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged or lacks a keypoint of the category.
    """
    content = read_mat(path, category)[category]
    with one_line_errors(path, f"the CAD models of '{category}'"):
        columns = [_column(content, name) for name in POINTS[category]]
        counts = {len(column) for column in columns}
        if len(counts) != 1:
            raise ValueError(f"keypoints of {sorted(counts)} models, expected one number")
        models = np.array(columns).swapaxes(0, 1)
        for number, model in enumerate(models, start=1):
            if len(np.unique(model[keypoint_mask(model)], axis=0)) < LEAST_POINTS:
                raise ValueError(
                    f"model {number} has fewer than {LEAST_POINTS} places of keypoints"
                )
        return models


def keypoint_mask(models: Floats) -> Bools:
    """Return which keypoints (..., P) the models (..., P, 3) have."""
    known: Bools = np.all(np.isfinite(models), axis=-1)
    return known


def _column(content: Any, name: str) -> list[Floats]:  # noqa: ANN401 whatever the file holds
    if not isinstance(content, dict) or name not in content:
        raise ValueError(f"no keypoint '{name}'")
    value = content[name]
    if not isinstance(value, list):  # the only model
        value = [value]
    if not value:
        raise ValueError("no model")
    return [_point(item, f"{name} of model {i}") for i, item in enumerate(value, start=1)]


def _point(value: Any, label: str) -> Floats:  # noqa: ANN401 whatever the file holds
    array = np.asarray(value)
    if array.size == 0:
        return np.full(3, np.nan)
    if array.size != 3 or array.dtype.kind not in "fiu":
        raise ValueError(f"{label}: expected 3 numbers, got {array.dtype} of shape {array.shape}")
    if not (np.abs(array) <= FARTHEST).all():
        raise ValueError(f"{label}: expected numbers of at most {FARTHEST:g}, got {array}")
    return array.astype(np.float64).ravel()
