"""The built-in datasets."""

from __future__ import annotations

from collections.abc import Sequence

from liftbench import DatasetSpec, hookimpl
from liftbench_datasets.cmu import CMU


@hookimpl
def liftbench_datasets() -> Sequence[DatasetSpec]:
    """Return the built-in datasets."""
    return [CMU]
