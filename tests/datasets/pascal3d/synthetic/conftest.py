"""Generated rigid objects that several tests look at."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from liftbench.seeds import named_rng
from liftbench.types import Dataset
from liftbench_datasets.pascal3d.synthetic.adapter import SyntheticPascal3d
from liftbench_datasets.pascal3d.synthetic.bodies import Bodies, draw_bodies
from liftbench_datasets.pascal3d.synthetic.views import SKETCHES

NOWHERE = Path("/nonexistent")


@cache
def load(subset: str = "all", split: str = "train", **params: object) -> Dataset:
    return SyntheticPascal3d(**params).load(NOWHERE, subset, split)


@cache
def bodies(category: str) -> Bodies:
    return draw_bodies(named_rng("test bodies", category), SKETCHES[category], 200, category)
