"""The points and actions of Human3.6M."""

from __future__ import annotations

import re

from liftbench.types import Skeleton

# Indices of the 17 of the release's 32 points that all papers use.
KEPT = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
RELEASED = 32

_NAMES = (
    *("Hip", "RHip", "RKnee", "RFoot", "LHip", "LKnee", "LFoot"),
    *("Spine", "Thorax", "Neck/Nose", "Head"),
    *("LShoulder", "LElbow", "LWrist", "RShoulder", "RElbow", "RWrist"),
)
_PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)

SKELETON = Skeleton(
    points=_NAMES,
    edges=tuple((parent, point) for point, parent in enumerate(_PARENTS) if parent >= 0),
    left_right=tuple(
        (_NAMES.index("L" + name[1:]), point)
        for point, name in enumerate(_NAMES)
        if name.startswith("R")
    ),
)

ACTIONS = (
    *("Directions", "Discussion", "Eating", "Greeting", "Phoning", "Photo", "Posing"),
    *("Purchases", "Sitting", "SittingDown", "Smoking", "Waiting", "WalkDog", "Walking"),
    "WalkTogether",
)
TRAIN_SUBJECTS = ("S1", "S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")
SUBJECTS = {"train": TRAIN_SUBJECTS, "test": TEST_SUBJECTS}
SPLITS = tuple(SUBJECTS)
ALL = "all"
# The subset of each action, named as in the published tables, such as `walk_dog`.
ACTION_SUBSETS = {re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower(): name for name in ACTIONS}
SUBSETS = (ALL, *ACTION_SUBSETS)


def actions_of(subset: str) -> tuple[str, ...]:
    """Return the actions in a subset."""
    return ACTIONS if subset == ALL else (ACTION_SUBSETS[subset],)


def sequence_id(subject: str, action: str, take: int, camera: int) -> int:
    """Return the number of a sequence, which does not depend on which files are there.

    Its digits are the subject, the action (two digits, counted from 01), the take and the camera
    (counted from 1): S11, `Discussion 2` seen by the fourth camera is 110224.
    """
    return ((int(subject[1:]) * 100 + ACTIONS.index(action) + 1) * 10 + take) * 10 + camera + 1
