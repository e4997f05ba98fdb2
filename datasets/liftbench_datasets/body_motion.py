"""A grown person of 31 points, what its joints allow, and motions made of random habits.

The body faces +z, its left is +x, y points up. In the rest pose it stands with hanging arms and
all angles are zero. A motion is a cycle of joint angles (`ACTIONS`) which is done at a tempo and
with a style of its own, and which is pressed smoothly into the anatomical limits (`DOFS`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from liftbench.types import Floats
from liftbench_datasets.kinematics import KinematicTree, forward_kinematics

FRAMES_PER_SECOND = 60.0
BODY_HEIGHT = 1.75

# --- the body -----------------------------------------------------------------------------

# Joint, parent and bone in the rest pose in metres. Sides: the left one stands here.
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
# Height above the sole of the points of a foot that can bear the body.
_SOLE = {"tibia": 0.080, "foot": 0.020, "toes": 0.010}


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

# --- what the joints allow ----------------------------------------------------------------

Kind = Literal["flex", "twist", "bend"]
_AXIS = {"flex": 0, "twist": 1, "bend": 2}


@dataclass(frozen=True)
class Dof:
    """One degree of freedom of a joint, in degrees.

    Attributes:
        joint: name of the joint whose bone turns.
        kind: `flex` about x, `twist` about y (along limbs and spine), `bend` about z.
        sign: of the anatomical angle about that axis.
        low: anatomical limit.
        high: anatomical limit.
        unrest: size of the slow drift that no two repetitions share.
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
# The left side. Positive: flexion, outward rotation, abduction. Of the foot `flex` lifts the
# toes; of the clavicle `twist` draws the shoulder forward and `bend` lifts it; of the wrist
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
_COLUMN = {dof.name: column for column, dof in enumerate(DOFS)}
_LOW = np.array([dof.low for dof in DOFS], dtype=np.float64)
_HIGH = np.array([dof.high for dof in DOFS], dtype=np.float64)
_UNREST = np.array([dof.unrest for dof in DOFS])
# Limbs swap sides and keep their angles; the trunk keeps its place and turns the other way.
_OTHER_SIDE = {f"{a}{dof.name}": f"{b}{dof.name}" for a, b in ("lr", "rl") for dof in _SIDE_LIMITS}
_MIRROR = [_COLUMN[_OTHER_SIDE.get(dof.name, dof.name)] for dof in DOFS]
_MIRROR_SIGN = np.array([1 if d.name in _OTHER_SIDE or d.kind == "flex" else -1 for d in DOFS])

# --- actions ------------------------------------------------------------------------------

_KNOTS = 8
Curve = tuple[float, ...]


@dataclass(frozen=True)
class Action:
    """A cycle of joint angles.

    Attributes:
        rate: least and greatest cadence, cycles a second.
        curves: degrees at the eighths of a cycle, or one for all, by degree of freedom. A limb
            without a side stands for both.
        lag: share of a cycle by which the right limbs of such a curve follow the left.
        stride: metres of way in a cycle.
        turn: degrees that the body turns to the left in a cycle.
        lift: metres of the feet above the ground, as a curve.
        planted: the feet stay where they are and lie flat.
        style: spread of the amplitudes of a sequence, a share.
    """

    rate: tuple[float, float]
    curves: Mapping[str, Curve]
    lag: float = 0.0
    stride: float = 0.0
    turn: float = 0.0
    lift: Curve = (0.0,)
    planted: bool = False
    style: float = 0.12


# What every action starts from: relaxed arms and hands, feet a little outward.
_RELAXED: dict[str, Curve] = {
    "femur.flex": (4,),
    "femur.twist": (5,),
    "femur.bend": (2,),
    "tibia.flex": (5,),
    "humerus.bend": (9,),
    "humerus.twist": (-8,),
    "humerus.flex": (2,),
    "radius.flex": (18,),
    "wrist.twist": (-10,),
    "hand.flex": (8,),
    "fingers.flex": (25,),
    "thumb.flex": (12,),
    "thumb.bend": (5,),
    "clavicle.bend": (2,),
}

# A gait cycle begins where the left heel meets the ground; hip, knee and ankle follow the usual
# curves of gait analysis. Arms swing against the legs, the shoulders turn against the pelvis.
_WALK = Action(
    rate=(0.75, 1.1),
    stride=1.4,
    lag=0.5,
    curves=_RELAXED
    | {
        "femur.flex": (29, 23, 10, -2, -9, 0, 21, 31),
        "femur.bend": (1, -3, -4, -3, 0, 3, 3, 1),
        "tibia.flex": (6, 18, 12, 7, 13, 44, 60, 24),
        "foot.flex": (1, -4, 5, 10, 4, -17, -4, 2),
        "toes.flex": (4, 0, 0, 5, 26, 14, 0, 4),
        "humerus.flex": (-20, -16, -5, 9, 19, 17, 6, -11),
        "radius.flex": (15, 15, 20, 27, 33, 30, 23, 17),
        "root.flex": (4,),
        "root.twist": (-5, -4, 0, 4, 5, 4, 0, -4),
        "root.bend": (0, -4, -2, 0, 0, 4, 2, 0),
        "lowerback.bend": (0, 3, 1, 0, 0, -3, -1, 0),
        "lowerback.twist": (3, 2, 0, -2, -3, -2, 0, 2),
        "upperback.twist": (4, 3, 0, -3, -4, -3, 0, 3),
        "thorax.twist": (4, 3, 0, -3, -4, -3, 0, 3),
        "thorax.bend": (0, 2, 2, 1, 0, -2, -2, -1),
        "lowerneck.twist": (-5, -4, 0, 4, 5, 4, 0, -4),
        "lowerneck.flex": (3,),
        "upperneck.flex": (-8,),
    },
)
_RUN = Action(
    rate=(1.2, 1.55),
    stride=2.4,
    lag=0.5,
    lift=(0.01, 0, 0, 0.05, 0.01, 0, 0, 0.05),
    curves=_RELAXED
    | {
        "femur.flex": (34, 22, 3, -12, -8, 16, 44, 48),
        "femur.bend": (0, -4, -4, -1, 2, 3, 2, 0),
        "tibia.flex": (17, 40, 26, 19, 58, 98, 88, 40),
        "foot.flex": (7, 19, 6, -22, -18, -8, 2, 6),
        "toes.flex": (5, 0, 14, 22, 5, 0, 0, 4),
        "humerus.flex": (-38, -31, -10, 14, 27, 22, 2, -24),
        "humerus.bend": (14,),
        "humerus.twist": (-18,),
        "radius.flex": (80, 82, 88, 96, 102, 99, 91, 83),
        "fingers.flex": (50,),
        "root.flex": (9,),
        "root.twist": (-7, -5, 0, 5, 7, 5, 0, -5),
        "root.bend": (0, -5, -2, 0, 0, 5, 2, 0),
        "lowerback.flex": (4,),
        "lowerback.bend": (0, 4, 1, 0, 0, -4, -1, 0),
        "lowerback.twist": (4, 3, 0, -3, -4, -3, 0, 3),
        "upperback.twist": (7, 5, 0, -5, -7, -5, 0, 5),
        "thorax.twist": (7, 5, 0, -5, -7, -5, 0, 5),
        "lowerneck.twist": (-9, -7, 0, 7, 9, 7, 0, -7),
        "lowerneck.flex": (6,),
        "upperneck.flex": (-16,),
    },
)
_REACH = Action(
    rate=(0.35, 0.6),
    planted=True,
    style=0.4,
    curves=_RELAXED
    | {
        "lhumerus.flex": (6, 22, 62, 92, 100, 92, 54, 18),
        "lhumerus.bend": (8, 14, 20, 24, 24, 22, 16, 10),
        "lhumerus.twist": (-8, -10, -16, -10, -6, -10, -16, -10),
        "lradius.flex": (20, 55, 74, 36, 14, 26, 62, 34),
        "lwrist.twist": (-10, -12, -20, -40, -45, -40, -20, -12),
        "lhand.flex": (5, 2, -8, -15, -5, 10, 12, 8),
        "lfingers.flex": (25, 20, 8, 4, 30, 55, 50, 35),
        "lclavicle.twist": (0, 2, 8, 14, 16, 13, 6, 1),
        "lclavicle.bend": (2, 4, 9, 13, 14, 12, 7, 3),
        "rhumerus.flex": (2, 0, -6, -12, -14, -12, -6, 0),
        "rhumerus.bend": (9, 10, 13, 17, 18, 16, 12, 10),
        "femur.flex": (6, 8, 15, 24, 26, 24, 15, 8),
        "femur.bend": (6,),
        "tibia.flex": (6, 8, 13, 19, 21, 19, 13, 8),
        "root.flex": (2, 4, 9, 14, 16, 14, 9, 4),
        "root.twist": (0, -2, -5, -8, -9, -8, -5, -2),
        "lowerback.flex": (1, 2, 5, 9, 10, 9, 5, 2),
        "lowerback.twist": (0, -1, -3, -5, -6, -5, -3, -1),
        "upperback.flex": (1, 2, 4, 6, 7, 6, 4, 2),
        "upperback.twist": (0, -2, -5, -8, -9, -8, -5, -2),
        "thorax.twist": (0, -2, -4, -7, -8, -7, -4, -2),
        "lowerneck.twist": (0, 5, 10, 14, 15, 13, 8, 2),
        "upperneck.flex": (0, 2, -2, -6, -8, -6, -2, 0),
    },
)
_SQUAT = Action(
    rate=(0.3, 0.5),
    planted=True,
    curves=_RELAXED
    | {
        "femur.flex": (6, 22, 62, 98, 110, 98, 62, 22),
        "femur.bend": (9, 10, 12, 14, 15, 14, 12, 10),
        "femur.twist": (9, 10, 12, 14, 15, 14, 12, 10),
        "tibia.flex": (6, 26, 64, 98, 110, 98, 64, 26),
        "humerus.flex": (4, 24, 58, 78, 84, 78, 58, 24),
        "humerus.bend": (10,),
        "radius.flex": (15, 18, 16, 12, 10, 12, 16, 18),
        "wrist.twist": (-10, -20, -40, -50, -50, -50, -40, -20),
        "clavicle.twist": (0, 3, 7, 9, 10, 9, 7, 3),
        "root.flex": (2, 7, 16, 23, 25, 23, 16, 7),
        "lowerback.flex": (1, 4, 9, 13, 14, 13, 9, 4),
        "upperback.flex": (0, 1, 2, 3, 3, 3, 2, 1),
        "lowerneck.flex": (4, 0, -8, -14, -15, -14, -8, 0),
        "upperneck.flex": (-4, -6, -10, -13, -14, -13, -10, -6),
    },
)
_WAVE = Action(
    rate=(0.9, 1.5),
    planted=True,
    style=0.15,
    curves=_RELAXED
    | {
        "lhumerus.flex": (18,),
        "lhumerus.bend": (84, 85, 87, 89, 90, 89, 87, 85),
        "lhumerus.twist": (78, 74, 66, 56, 52, 56, 66, 74),
        "lradius.flex": (45, 50, 64, 82, 90, 82, 64, 50),
        "lwrist.twist": (35,),
        "lhand.flex": (-10,),
        "lhand.bend": (-12, -8, 2, 14, 18, 14, 2, -8),
        "lfingers.flex": (6,),
        "lclavicle.bend": (15,),
        "femur.bend": (5,),
        "root.bend": (2, 2, 1, 0, -1, 0, 1, 2),
        "lowerback.bend": (-3, -3, -2, -1, 0, -1, -2, -3),
        "thorax.bend": (-3, -3, -2, -1, 0, -1, -2, -3),
        "lowerneck.bend": (-3,),
        "upperneck.bend": (-3,),
    },
)
_TURN = Action(
    rate=(0.6, 0.85),
    lag=0.5,
    turn=80.0,
    style=0.2,
    curves=_RELAXED
    | {
        "femur.flex": (7, 6, 4, 3, 6, 24, 34, 18),
        "femur.twist": (14, 4, -5, -12, -8, 4, 20, 26),
        "femur.bend": (5, 2, 0, 1, 5, 8, 9, 8),
        "tibia.flex": (7, 9, 7, 6, 15, 46, 54, 26),
        "foot.flex": (0, 3, 3, 2, -8, -14, -4, 0),
        "toes.flex": (0, 0, 0, 2, 14, 4, 0, 0),
        "humerus.flex": (-10, -8, -2, 5, 10, 8, 2, -5),
        "humerus.bend": (14,),
        "radius.flex": (32,),
        "root.bend": (0, -4, -2, 0, 0, 4, 2, 0),
        "lowerback.bend": (0, 3, 2, 0, 0, -3, -2, 0),
        "lowerback.twist": (6, 4, 4, 6, 8, 6, 4, 6),
        "upperback.twist": (8, 5, 5, 8, 11, 8, 5, 8),
        "thorax.twist": (8, 5, 5, 8, 11, 8, 5, 8),
        "lowerneck.twist": (16,),
        "upperneck.twist": (14,),
        "lowerneck.flex": (7,),
        "upperneck.flex": (-6,),
    },
)
ACTIONS = {
    "walk": _WALK,
    "run": _RUN,
    "reach": _REACH,
    "squat": _SQUAT,
    "wave": _WAVE,
    "turn": _TURN,
}

# --- trajectories -------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Motion:
    """One sequence.

    Attributes:
        angles: (F, D) degrees, a column for each of `DOFS`.
        positions: (F, 31, 3) metres, the ground is at y = 0.
    """

    angles: Floats
    positions: Floats


def make_motion(rng: np.random.Generator, action: Action, frames: int) -> Motion:
    """Return `frames` frames of an action in a style drawn from `rng`; all draws come first."""
    style = _draw_style(rng, action)
    seconds = np.arange(frames) / FRAMES_PER_SECOND
    cycles = style.start + style.rate * seconds + 0.02 * style.tempo.at(seconds)[:, 0]
    effort = 1 + 0.08 * style.effort.at(seconds)
    angles = effort * _cycle_angles(action, style, cycles) + style.offset
    angles += _UNREST * style.unrest.at(seconds)
    if action.planted:
        _flatten_feet(angles)
    angles = within_limits(mirrored(angles) if style.mirrored else angles)
    turn = -action.turn if style.mirrored else action.turn
    heading = style.heading + turn * cycles + 12 * style.veer.at(seconds)[:, 0]
    return Motion(angles, _stand(_pose(angles, heading), action, cycles, heading))


def within_limits(angles: Floats) -> Floats:
    """Press (F, D) degrees smoothly into the limits; away from them nothing changes."""
    soft = 0.02 * (_HIGH - _LOW)  # where the bending begins
    above = np.logaddexp(0, (angles - _LOW) / soft) - np.logaddexp(0, (angles - _HIGH) / soft)
    pressed: Floats = np.clip(_LOW + soft * above, _LOW, _HIGH)  # the clip is for rounding alone
    return pressed


def mirrored(angles: Floats) -> Floats:
    """Swap left and right of (F, D) angles."""
    swapped: Floats = angles[:, _MIRROR] * _MIRROR_SIGN
    return swapped


@dataclass(frozen=True, eq=False)
class _Drift:
    """Smooth random curves of unit size: sums of slow sines, a pure function of time.

    Attributes:
        hertz: (3, C) of each sine.
        start: (3, C) phase in radians.
    """

    hertz: Floats
    start: Floats

    def at(self, seconds: Floats) -> Floats:
        """Return (F, C)."""
        phase = 2 * np.pi * self.hertz * seconds[:, None, None] + self.start
        total: Floats = np.sin(phase).sum(axis=1) * np.sqrt(2 / 3)
        return total


def _draw_drift(rng: np.random.Generator, columns: int) -> _Drift:
    return _Drift(rng.uniform(0.08, 0.5, (3, columns)), rng.uniform(0, 2 * np.pi, (3, columns)))


@dataclass(frozen=True, eq=False)
class _Style:
    """The habits of one sequence; `mirrored` swaps the sides of the action's table."""

    mirrored: bool
    rate: float
    start: float
    heading: float
    gain: Floats
    offset: Floats
    tempo: _Drift
    effort: _Drift
    veer: _Drift
    unrest: _Drift


def _draw_style(rng: np.random.Generator, action: Action) -> _Style:
    vigour = np.exp(rng.normal(0, action.style / 2))
    return _Style(
        mirrored=bool(rng.random() < 0.5),
        rate=rng.uniform(*action.rate),
        start=rng.random(),
        heading=rng.uniform(0, 360),
        gain=vigour * np.exp(rng.normal(0, action.style, len(DOFS)) * _FREE)[_COMMON],
        offset=rng.normal(0, 1, len(DOFS)) * _UNREST,
        tempo=_draw_drift(rng, 1),
        effort=_draw_drift(rng, 1),
        veer=_draw_drift(rng, 1),
        unrest=_draw_drift(rng, len(DOFS)),
    )


# Legs bear the body, so that their joints vary less and the right leg does what the left does.
_BEARING = {"root", *(side + joint for side in "lr" for joint in ("femur", "tibia", "foot"))}
_FREE = np.array([0.4 if dof.joint in _BEARING else 1.0 for dof in DOFS])
_COMMON = [_COLUMN[re.sub(r"^r(?=femur|tibia|foot)", "l", dof.name)] for dof in DOFS]


def _cycle_angles(action: Action, style: _Style, cycles: Floats) -> Floats:
    """Return the (F, D) angles of an action after so many cycles (F,)."""
    angles = np.zeros((len(cycles), len(DOFS)))
    for lag, curves in _by_lag(action):
        columns = [_COLUMN[name] for name in curves]
        angles[:, columns] = _periodic(list(curves.values()), cycles - lag)
    return angles * style.gain


def _by_lag(action: Action) -> Iterator[tuple[float, dict[str, Curve]]]:
    """Give the curves of the table by full name; those of a named side come last and win."""
    named = {name: curve for name, curve in action.curves.items() if name in _COLUMN}
    limbs = {name: curve for name, curve in action.curves.items() if name not in _COLUMN}
    yield 0.0, {"l" + name: curve for name, curve in limbs.items()}
    yield action.lag, {"r" + name: curve for name, curve in limbs.items()}
    yield 0.0, named


def _periodic(curves: list[Curve], cycles: Floats) -> Floats:
    """Return (F, C) of C curves given at the eighths of a cycle."""
    knots = np.array([np.resize(curve, _KNOTS) for curve in curves], dtype=np.float64).T
    spline = CubicSpline(
        np.linspace(0, 1, _KNOTS + 1), np.concatenate([knots, knots[:1]]), bc_type="periodic"
    )
    values: Floats = spline(cycles % 1)
    return values


def _flatten_feet(angles: Floats) -> None:
    """Set the ankles of (F, D) angles so that the soles are level under a bent leg."""
    tilt = angles[:, _COLUMN["root.flex"]]
    for side in ("l", "r"):
        hip, knee = (angles[:, _COLUMN[f"{side}{joint}.flex"]] for joint in ("femur", "tibia"))
        angles[:, _COLUMN[f"{side}foot.flex"]] = tilt + knee - hip


def _pose(angles: Floats, heading: Floats) -> Floats:
    """Return the (F, 31, 3) positions of (F, D) angles, with the root at the origin."""
    turns = np.zeros((len(angles), len(BODY.names), 3))
    for dof, column in zip(DOFS, angles.T, strict=True):
        turns[:, BODY.names.index(dof.joint), _AXIS[dof.kind]] = dof.sign * column
    # First about the bone itself, then sideways, then forward, as the limits mean it.
    xzy = turns[..., [0, 2, 1]].reshape(-1, 3)
    rotation = Rotation.from_euler("XZY", xzy, degrees=True).as_matrix()
    rotation = rotation.reshape(*turns.shape, 3)
    # The pelvis tilts about the hips wherever it faces.
    yxz = turns[:, 0, [1, 0, 2]] + heading[:, None] * [1, 0, 0]
    rotation[:, 0] = Rotation.from_euler("YXZ", yxz, degrees=True).as_matrix()
    return forward_kinematics(BODY, rotation, np.zeros((len(angles), 3)))


def _stand(pose: Floats, action: Action, cycles: Floats, heading: Floats) -> Floats:
    """Put (F, 31, 3) poses on the ground and on their way."""
    place = np.empty((len(pose), 3))
    place[:, 1] = _periodic([action.lift], cycles)[:, 0] - _lowest_sole(pose)
    if action.planted:
        ankles = [BODY.names.index(name) for name in ("ltibia", "rtibia")]
        place[:, ::2] = -pose[:, ankles].mean(axis=1)[:, ::2]
    else:
        way = action.stride * np.diff(cycles, prepend=cycles[:1])
        facing = np.radians(heading)
        place[:, 0] = np.cumsum(way * np.sin(facing))
        place[:, 2] = np.cumsum(way * np.cos(facing))
    return pose + place[:, None]


def _lowest_sole(pose: Floats) -> Floats:
    """Return the (F,) height of the lowest sole point, rounded off where the foot changes."""
    soft = 0.004
    soles = [
        pose[:, BODY.names.index(side + joint), 1] - height
        for side in ("l", "r")
        for joint, height in _SOLE.items()
    ]
    lowest: Floats = -soft * np.logaddexp.reduce(-np.array(soles) / soft, axis=0)
    return lowest
