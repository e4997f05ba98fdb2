"""liftbench: a benchmark for lifting 2D points to 3D without 3D supervision."""

from liftbench.corruption import CorruptionParams, CorruptionSpec
from liftbench.images import Images
from liftbench.plugin.hooks import hookimpl
from liftbench.plugin.specs import (
    Capabilities,
    Conformance,
    DatasetInfo,
    DatasetSpec,
    Finding,
    Method,
    MethodSpec,
    NoParams,
    RunContext,
    Teacher,
    TeacherRef,
)
from liftbench.plugin.subset_files import SubsetFiles
from liftbench.plugin.timing import time_part
from liftbench.types import (
    Dataset,
    GroundTruth,
    Mesh,
    Observations,
    Reconstruction,
    Skeleton,
    Template,
)

__all__ = [
    "Capabilities",
    "Conformance",
    "CorruptionParams",
    "CorruptionSpec",
    "Dataset",
    "DatasetInfo",
    "DatasetSpec",
    "Finding",
    "GroundTruth",
    "Images",
    "Mesh",
    "Method",
    "MethodSpec",
    "NoParams",
    "Observations",
    "Reconstruction",
    "RunContext",
    "Skeleton",
    "SubsetFiles",
    "Teacher",
    "TeacherRef",
    "Template",
    "hookimpl",
    "time_part",
]
