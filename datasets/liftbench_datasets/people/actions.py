"""Actions of a body: cycles of joint angles, in degrees at each eighth of a cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

KNOTS = 8
Curve = tuple[float, ...]


@dataclass(frozen=True)
class Action:
    """A cycle of joint angles.

    Attributes:
        rate: lowest and highest cadence, in cycles per second.
        curves: for each degree of freedom, the angles at the eighths of a cycle in degrees, or one
            angle for all. A name without a side stands for both limbs.
        lag: for names without a side, the share of a cycle by which the right limb follows the
            left.
        stride: metres that the body covers in a cycle.
        turn: degrees that the body turns to the left in a cycle.
        lift: height of the feet above the ground in metres, as a curve.
        planted: if true, the feet stay in place and flat on the ground.
        style: relative spread of the amplitudes of a sequence.
    """

    rate: tuple[float, float]
    curves: Mapping[str, Curve]
    lag: float = 0.0
    stride: float = 0.0
    turn: float = 0.0
    lift: Curve = (0.0,)
    planted: bool = False
    style: float = 0.12


# The base of every action: relaxed arms and hands, feet turned a little outward.
RELAXED: dict[str, Curve] = {
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
    curves=RELAXED
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
    curves=RELAXED
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
    curves=RELAXED
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
    curves=RELAXED
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
    curves=RELAXED
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
    curves=RELAXED
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
