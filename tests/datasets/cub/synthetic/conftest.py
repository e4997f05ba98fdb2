"""Generated birds that several tests look at."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from liftbench.types import Dataset
from liftbench_datasets.cub.adapter import SKELETON
from liftbench_datasets.cub.synthetic.adapter import (
    SyntheticCub,
)

NOWHERE = Path("/nonexistent")


PARTS = SKELETON.points


LEFT, RIGHT = np.array(SKELETON.left_right).T


@cache
def load(split: str = "train", **params: object) -> Dataset:
    return SyntheticCub(**{"frames": 150, **params}).load(NOWHERE, "all", split)


def at(name: str) -> int:
    return PARTS.index(name)
