"""Parts that a dataset may lack, where a test needs them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tests.conftest import not_none

from liftbench.types import Bools, Dataset, GroundTruth, Meshes


def truth_of(data: Dataset) -> GroundTruth:
    """Return the truth of a dataset."""
    return not_none(data.truth)


def mask_of(data: Dataset) -> Bools:
    """Return which true points count, (F, P)."""
    return not_none(truth_of(data).mask)


def meshes_of(data: Dataset) -> Meshes:
    """Return the true meshes of a dataset."""
    return not_none(truth_of(data).meshes)


def mesh_numbers_of(data: Dataset) -> NDArray[np.int64]:
    """Return which of the true meshes each frame shows, (F,)."""
    return not_none(truth_of(data).mesh)
