"""The built-in datasets."""

from __future__ import annotations

from collections.abc import Sequence

from liftbench import DatasetSpec, hookimpl
from liftbench_datasets.c3dpo_json import C3DPO_JSON
from liftbench_datasets.cmu import CMU
from liftbench_datasets.points import POINTS
from liftbench_datasets.synthetic_apollo import SYNTHETIC_APOLLO
from liftbench_datasets.synthetic_body import SYNTHETIC_BODY
from liftbench_datasets.synthetic_up3d import SYNTHETIC_UP3D
from liftbench_datasets.up3d import UP3D


@hookimpl
def liftbench_datasets() -> Sequence[DatasetSpec]:
    """Return the built-in datasets."""
    return [C3DPO_JSON, CMU, POINTS, SYNTHETIC_APOLLO, SYNTHETIC_BODY, SYNTHETIC_UP3D, UP3D]
