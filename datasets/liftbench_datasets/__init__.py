"""The built-in datasets."""

from __future__ import annotations

from collections.abc import Sequence

from liftbench import DatasetSpec, hookimpl
from liftbench_datasets.cmu import CMU
from liftbench_datasets.h36m import H36M
from liftbench_datasets.synthetic_apollo import SYNTHETIC_APOLLO
from liftbench_datasets.synthetic_body import SYNTHETIC_BODY
from liftbench_datasets.synthetic_h36m import SYNTHETIC_H36M


@hookimpl
def liftbench_datasets() -> Sequence[DatasetSpec]:
    """Return the built-in datasets."""
    return [CMU, H36M, SYNTHETIC_APOLLO, SYNTHETIC_BODY, SYNTHETIC_H36M]
