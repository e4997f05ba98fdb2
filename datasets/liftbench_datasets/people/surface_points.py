"""79 named points on the skin of a body, and the lines that draw it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from liftbench.types import Skeleton
from liftbench_datasets.people.surface import vertex

LEFT, FRONT, RIGHT, BACK = 0, 4, 8, 12
OUTER, INNER = LEFT, RIGHT  # of the left limbs

Place = tuple[str, int, int]  # tube, ring and side

# Points in the middle of the body.
_MIDDLE: Mapping[str, Place] = {
    "crown": ("trunk", 16, FRONT),
    "head_back": ("trunk", 14, BACK),
    "nose": ("trunk", 13, FRONT),
    "chin": ("trunk", 12, FRONT),
    "throat": ("trunk", 10, FRONT),
    "nape": ("trunk", 10, BACK),
    "breastbone": ("trunk", 7, FRONT),
    "upper_back": ("trunk", 7, BACK),
    "navel": ("trunk", 4, FRONT),
    "lower_back": ("trunk", 4, BACK),
    "groin": ("trunk", 0, FRONT),
}
# Points on its left side.
_LEFT: Mapping[str, Place] = {
    "ear": ("trunk", 14, LEFT),
    "armpit": ("trunk", 6, LEFT),
    "breast": ("trunk", 7, 2),
    "shoulder_blade": ("trunk", 8, 14),
    "waist": ("trunk", 5, LEFT),
    "hip": ("lleg", 2, OUTER),
    "hip_front": ("trunk", 3, 2),
    "buttock": ("trunk", 2, 14),
    "shoulder": ("larm", 2, OUTER),
    "shoulder_front": ("larm", 2, FRONT),
    "shoulder_back": ("larm", 2, BACK),
    "upper_arm_outer": ("larm", 4, OUTER),
    "upper_arm_inner": ("larm", 4, INNER),
    "elbow_outer": ("larm", 5, OUTER),
    "elbow_inner": ("larm", 5, INNER),
    "elbow_front": ("larm", 5, FRONT),
    "elbow_back": ("larm", 5, BACK),
    "forearm_outer": ("larm", 7, OUTER),
    "forearm_inner": ("larm", 7, INNER),
    "fingertips": ("larm", 13, OUTER),
    "thigh_outer": ("lleg", 3, OUTER),
    "thigh_inner": ("lleg", 3, INNER),
    "thigh_front": ("lleg", 3, FRONT),
    "thigh_back": ("lleg", 3, BACK),
    "knee_outer": ("lleg", 5, OUTER),
    "knee_inner": ("lleg", 5, INNER),
    "knee_front": ("lleg", 5, FRONT),
    "knee_back": ("lleg", 5, BACK),
    "shin": ("lleg", 7, FRONT),
    "calf": ("lleg", 7, BACK),
    "ankle_outer": ("lleg", 9, OUTER),
    "ankle_inner": ("lleg", 9, INNER),
    "heel": ("lfoot", 0, OUTER),
    "toes": ("lfoot", 7, OUTER),
}
# Lines between points of the middle and of one side.
_LINES = (
    "crown nose chin throat breastbone navel groin lower_back upper_back nape head_back crown",
    "nose ear head_back",
    "breastbone breast shoulder_front shoulder shoulder_back shoulder_blade upper_back",
    "breast armpit waist hip",
    "shoulder upper_arm_outer elbow_outer forearm_outer fingertips",
    "armpit upper_arm_inner elbow_inner forearm_inner fingertips",
    "shoulder_front elbow_front",
    "shoulder_back elbow_back",
    "elbow_outer elbow_front elbow_inner elbow_back elbow_outer",
    "navel hip_front thigh_front knee_front shin",
    "lower_back buttock thigh_back knee_back calf heel toes",
    "hip thigh_outer knee_outer ankle_outer toes",
    "groin thigh_inner knee_inner ankle_inner heel",
    "knee_outer knee_front knee_inner knee_back knee_outer",
)


def _mirror(place: Place) -> Place:
    tube, ring, side = place
    return (tube.replace("l", "r", 1) if tube[0] == "l" else tube), ring, (8 - side) % 16


def _places() -> Mapping[str, Place]:
    left = {f"left_{name}": place for name, place in _LEFT.items()}
    right = {f"right_{name}": _mirror(place) for name, place in _LEFT.items()}
    return {**_MIDDLE, **left, **right}


def _skeleton() -> Skeleton:
    names = tuple(_places())
    edges: dict[tuple[int, int], None] = {}  # an ordered set
    for side in ("left_", "right_"):
        for line in _LINES:
            ends = [names.index(n if n in _MIDDLE else side + n) for n in line.split()]
            edges |= dict.fromkeys(pairwise(ends))
    pairs = [(names.index(f"left_{n}"), names.index(f"right_{n}")) for n in _LEFT]
    return Skeleton(names, tuple(edges), tuple(pairs), names.index("navel"))


SKELETON = _skeleton()
VERTICES = np.array([vertex(*place) for place in _places().values()])
