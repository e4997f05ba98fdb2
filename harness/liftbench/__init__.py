"""liftbench: a benchmark for lifting 2D points to 3D without 3D supervision."""

from liftbench.corruption import CorruptionParams, CorruptionSpec
from liftbench.hooks import hookimpl
from liftbench.images import Images
from liftbench.specs import (
    Capabilities,
    DatasetInfo,
    DatasetSpec,
    Finding,
    Method,
    MethodSpec,
    RunContext,
)
from liftbench.types import (
    Dataset,
    GroundTruth,
    Observations,
    Reconstruction,
    Skeleton,
)

__all__ = [
    "Capabilities",
    "CorruptionParams",
    "CorruptionSpec",
    "Dataset",
    "DatasetInfo",
    "DatasetSpec",
    "Finding",
    "GroundTruth",
    "Images",
    "Method",
    "MethodSpec",
    "Observations",
    "Reconstruction",
    "RunContext",
    "Skeleton",
    "hookimpl",
]
