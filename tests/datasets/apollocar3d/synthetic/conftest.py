"""Generated cars that several tests look at."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from liftbench.seeds import named_rng
from liftbench.types import Dataset
from liftbench_datasets.apollocar3d.cameras import Poses
from liftbench_datasets.apollocar3d.skeleton import SKELETON
from liftbench_datasets.apollocar3d.synthetic.adapter import (
    SyntheticApollo,
)
from liftbench_datasets.apollocar3d.synthetic.car import Cars, draw_cars
from liftbench_datasets.apollocar3d.synthetic.traffic import draw_poses

NOWHERE = Path("/nonexistent")


LEFT, RIGHT = np.array(SKELETON.left_right).T


@cache
def load(split: str = "train", **params: object) -> Dataset:
    return SyntheticApollo(**params).load(NOWHERE, "all", split)


@cache
def cars() -> Cars:
    return draw_cars(named_rng("test cars"), 300)


@cache
def poses() -> Poses:
    return draw_poses(named_rng("test poses"), np.full(2000, 0.8))


def column(*words: str) -> list[int]:
    """Return the points whose name holds all words."""
    return [i for i, name in enumerate(SKELETON.points) if all(word in name for word in words)]
