"""The points of C3DPO's data sets: their names, and edges where they are those of a body."""

from __future__ import annotations

from collections.abc import Mapping

from liftbench.types import Skeleton

# Keypoints of each category in the order of the file. Source: C3DPO's dataset configuration.
PASCAL_KEYPOINTS: Mapping[str, int] = {
    "aeroplane": 8,
    "car": 12,
    "tvmonitor": 8,
    "sofa": 10,
    "motorbike": 10,
    "diningtable": 12,
    "chair": 10,
    "bus": 12,
    "bottle": 7,
    "boat": 7,
    "bicycle": 11,
    "train": 17,
}

# Each joint and the one it hangs on.
_H36M_JOINTS = {
    "hip": "",
    "right_hip": "hip",
    "right_knee": "right_hip",
    "right_foot": "right_knee",
    "left_hip": "hip",
    "left_knee": "left_hip",
    "left_foot": "left_knee",
    "spine": "hip",
    "thorax": "spine",
    "neck": "thorax",
    "head": "neck",
    "left_shoulder": "thorax",
    "left_elbow": "left_shoulder",
    "left_wrist": "left_elbow",
    "right_shoulder": "thorax",
    "right_elbow": "right_shoulder",
    "right_wrist": "right_elbow",
}


def skeleton_of(name: str, count: int) -> Skeleton:
    """Return the skeleton of a data set by its name; points without a known name are numbered."""
    if name.startswith("h36m") and count == len(_H36M_JOINTS):
        return _h36m()
    if name.startswith("pascal3d") and count == sum(PASCAL_KEYPOINTS.values()):
        return Skeleton(tuple(f"{c}_{i}" for c, n in PASCAL_KEYPOINTS.items() for i in range(n)))
    return numbered(count)


def numbered(count: int) -> Skeleton:
    """Return `count` points without edges, named by their numbers."""
    return Skeleton(tuple(f"point_{i}" for i in range(count)))


def _h36m() -> Skeleton:
    names = tuple(_H36M_JOINTS)
    edges = [(names.index(parent), i) for i, parent in enumerate(_H36M_JOINTS.values()) if parent]
    pairs = [
        (i, names.index("right" + name[4:]))
        for i, name in enumerate(names)
        if name.startswith("left")
    ]
    return Skeleton(names, tuple(edges), tuple(pairs))
