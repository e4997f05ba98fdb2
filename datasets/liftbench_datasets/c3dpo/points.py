"""The skeletons of C3DPO's datasets."""

from __future__ import annotations

from liftbench.types import Skeleton
from liftbench_datasets.h36m.skeleton import SKELETON as H36M
from liftbench_datasets.pascal3d.categories import ALL
from liftbench_datasets.pascal3d.categories import skeleton as pascal3d_skeleton


def skeleton_of(name: str, count: int) -> Skeleton:
    """Return the skeleton of a dataset by its name; points of unknown datasets are numbered."""
    known = {"h36m": H36M, "pascal3d": pascal3d_skeleton(ALL)}
    for prefix, skeleton in known.items():
        if name.startswith(prefix) and count == len(skeleton.points):
            return skeleton
    return Skeleton(tuple(f"point_{i}" for i in range(count)))
