"""The body of an adult with 31 points, and the limits of its joints.

The body faces +z, its left is +x, y points up. In the rest pose it stands with hanging arms, and
all angles are zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from liftbench_datasets.geometry.kinematics import KinematicTree

BODY_HEIGHT = 1.75

# Joint, parent, and bone in the rest pose in metres. Of limbs, only the left one is listed.
_TRUNK = (
    ("lowerback", "root", (0.0, 0.150, 0.0)),
    ("upperback", "lowerback", (0.0, 0.160, 0.0)),
    ("thorax", "upperback", (0.0, 0.170, 0.0)),
    ("lowerneck", "thorax", (0.0, 0.075, 0.010)),
    ("upperneck", "lowerneck", (0.0, 0.080, 0.015)),
    ("head", "upperneck", (0.0, 0.125, 0.005)),
)
_LEG = (
    ("hipjoint", "root", (0.090, -0.070, 0.0)),
    ("femur", "hipjoint", (0.0, -0.430, 0.0)),
    ("tibia", "femur", (0.0, -0.410, 0.0)),
    ("foot", "tibia", (0.015, -0.060, 0.135)),
    ("toes", "foot", (0.005, -0.010, 0.065)),
)
_ARM = (
    ("clavicle", "thorax", (0.180, -0.060, -0.010)),
    ("humerus", "clavicle", (0.0, -0.300, 0.0)),
    ("radius", "humerus", (0.0, -0.230, 0.0)),
    ("wrist", "radius", (0.0, -0.030, 0.0)),
    ("hand", "wrist", (0.0, -0.075, 0.0)),
    ("fingers", "hand", (0.0, -0.085, 0.0)),
    ("thumb", "wrist", (0.0, -0.060, 0.040)),
)
# Height above the sole of those points of a foot that can carry the body, metres.
SOLE = {"tibia": 0.080, "foot": 0.020, "toes": 0.010}


def _body() -> KinematicTree:
    bones = {"root": ("", (0.0, 0.0, 0.0))}
    for side, mirror in (("l", 1.0), ("r", -1.0)):
        bones |= _side_bones(_LEG, side, mirror)
    bones |= {name: (parent, bone) for name, parent, bone in _TRUNK}
    for side, mirror in (("l", 1.0), ("r", -1.0)):
        bones |= _side_bones(_ARM, side, mirror)
    names = tuple(bones)
    return KinematicTree(
        names=names,
        parent=(-1, *(names.index(parent) for parent, _ in list(bones.values())[1:])),
        bone=np.array([bone for _, bone in bones.values()]),
        axis=np.broadcast_to(np.eye(3), (len(names), 3, 3)),
    )


_Bones = tuple[tuple[str, str, tuple[float, float, float]], ...]


def _side_bones(
    bones: _Bones, side: str, mirror: float
) -> dict[str, tuple[str, tuple[float, float, float]]]:
    middle = {"root", "thorax"}
    return {
        side + name: (parent if parent in middle else side + parent, (mirror * x, y, z))
        for name, parent, (x, y, z) in bones
    }


BODY = _body()

# --- limits of the joints -----------------------------------------------------------------

Kind = Literal["flex", "twist", "bend"]
AXIS = {"flex": 0, "twist": 1, "bend": 2}


@dataclass(frozen=True)
class Dof:
    """One degree of freedom of a joint, in degrees.

    Attributes:
        joint: name of the joint whose bone turns.
        kind: `flex` about x, `twist` about y (along limbs and spine), `bend` about z.
        sign: sign of the anatomical angle about that axis.
        low: lower anatomical limit.
        high: upper anatomical limit.
        unrest: size of a slow random drift, so that no two repetitions are equal.
    """

    joint: str
    kind: Kind
    sign: int
    low: float
    high: float
    unrest: float

    @property
    def name(self) -> str:
        """The joint and the kind, such as `lfemur.flex`."""
        return f"{self.joint}.{self.kind}"


# Positive: the trunk bows forward, turns and leans to the left.
_TRUNK_LIMITS = (
    Dof("root", "flex", +1, -15, 45, 1.5),
    Dof("root", "twist", +1, -30, 30, 2.0),
    Dof("root", "bend", -1, -12, 12, 1.0),
    Dof("lowerback", "flex", +1, -10, 30, 2.0),
    Dof("lowerback", "twist", +1, -12, 12, 2.0),
    Dof("lowerback", "bend", -1, -12, 12, 1.5),
    Dof("upperback", "flex", +1, -8, 25, 2.0),
    Dof("upperback", "twist", +1, -15, 15, 2.0),
    Dof("upperback", "bend", -1, -10, 10, 1.5),
    Dof("thorax", "flex", +1, -8, 20, 1.5),
    Dof("thorax", "twist", +1, -15, 15, 2.0),
    Dof("thorax", "bend", -1, -10, 10, 1.5),
    Dof("lowerneck", "flex", +1, -25, 25, 3.0),
    Dof("lowerneck", "twist", +1, -30, 30, 5.0),
    Dof("lowerneck", "bend", -1, -18, 18, 2.0),
    Dof("upperneck", "flex", +1, -25, 25, 3.0),
    Dof("upperneck", "twist", +1, -35, 35, 5.0),
    Dof("upperneck", "bend", -1, -18, 18, 2.0),
    Dof("head", "flex", +1, -15, 20, 2.0),
    Dof("head", "twist", +1, -15, 15, 2.0),
    Dof("head", "bend", -1, -10, 10, 1.0),
)
# The left side. Positive: flexion, outward rotation, abduction. For the foot `flex` lifts the
# toes; for the clavicle `twist` draws the shoulder forward and `bend` lifts it; for the wrist
# `twist` turns the palm forward.
_SIDE_LIMITS = (
    Dof("femur", "flex", -1, -20, 125, 1.5),
    Dof("femur", "twist", +1, -35, 45, 1.5),
    Dof("femur", "bend", +1, -20, 45, 1.0),
    Dof("tibia", "flex", +1, 0, 145, 1.5),
    Dof("foot", "flex", -1, -45, 28, 1.0),
    Dof("foot", "twist", +1, -12, 15, 1.0),
    Dof("toes", "flex", -1, -25, 60, 1.0),
    Dof("clavicle", "twist", -1, -12, 22, 1.5),
    Dof("clavicle", "bend", +1, -5, 30, 1.5),
    Dof("humerus", "flex", -1, -50, 170, 5.0),
    Dof("humerus", "twist", +1, -70, 90, 6.0),
    Dof("humerus", "bend", +1, -15, 150, 4.0),
    Dof("radius", "flex", -1, 0, 145, 5.0),
    Dof("wrist", "twist", +1, -80, 80, 8.0),
    Dof("hand", "flex", -1, -60, 70, 6.0),
    Dof("hand", "bend", +1, -20, 30, 3.0),
    Dof("fingers", "flex", -1, -10, 90, 6.0),
    Dof("thumb", "flex", -1, -10, 50, 4.0),
    Dof("thumb", "bend", +1, -20, 40, 3.0),
)


def _on_side(dof: Dof, side: str) -> Dof:
    # A mirror across the body keeps turns about x and reverses those about y and z.
    sign = -dof.sign if side == "r" and dof.kind != "flex" else dof.sign
    return Dof(side + dof.joint, dof.kind, sign, dof.low, dof.high, dof.unrest)


DOFS = (
    *_TRUNK_LIMITS,
    *(_on_side(dof, side) for side in ("l", "r") for dof in _SIDE_LIMITS),
)
COLUMN = {dof.name: column for column, dof in enumerate(DOFS)}
LOW = np.array([dof.low for dof in DOFS], dtype=np.float64)
HIGH = np.array([dof.high for dof in DOFS], dtype=np.float64)
UNREST = np.array([dof.unrest for dof in DOFS])
# Limbs swap sides and keep their angles; the trunk keeps its place and turns the other way.
_OTHER_SIDE = {f"{a}{dof.name}": f"{b}{dof.name}" for a, b in ("lr", "rl") for dof in _SIDE_LIMITS}
MIRROR = [COLUMN[_OTHER_SIDE.get(dof.name, dof.name)] for dof in DOFS]
MIRROR_SIGN = np.array([1 if d.name in _OTHER_SIDE or d.kind == "flex" else -1 for d in DOFS])
