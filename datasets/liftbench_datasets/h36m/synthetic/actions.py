"""The 15 actions of Human3.6M as cycles of joint angles, see `people.actions`."""

from __future__ import annotations

from dataclasses import replace

from liftbench_datasets.people.actions import ACTIONS as BODY_ACTIONS
from liftbench_datasets.people.actions import RELAXED, Action, Curve

# On a chair, the feet below the knees.
_SEATED: dict[str, Curve] = RELAXED | {
    "femur.flex": (88,),
    "femur.bend": (8,),
    "femur.twist": (4,),
    "tibia.flex": (88,),
    "humerus.flex": (18,),
    "radius.flex": (55,),
    "lowerback.flex": (5,),
}
# A walk in circles of about a metre around the middle of the room.
_CIRCLING = replace(BODY_ACTIONS["walk"], turn=75.0)

_DIRECTIONS = Action(
    rate=(0.2, 0.4),
    planted=True,
    style=0.35,
    curves=RELAXED
    | {
        "lhumerus.flex": (10, 45, 82, 88, 80, 62, 40, 15),
        "lhumerus.bend": (10, 8, 6, 18, 48, 70, 45, 15),
        "lradius.flex": (20, 45, 22, 8, 8, 12, 45, 35),
        "lfingers.flex": (25, 15, 4, 2, 2, 4, 15, 25),
        "rhumerus.flex": (5, 8, 12, 14, 12, 25, 30, 15),
        "rradius.flex": (20, 25, 40, 45, 40, 60, 55, 30),
        "root.twist": (0, -4, -8, -4, 6, 12, 8, 2),
        "thorax.twist": (0, -4, -6, -2, 6, 10, 6, 2),
        "upperneck.twist": (0, -8, -14, -4, 14, 24, 14, 4),
    },
)
_DISCUSSION = Action(
    rate=(0.4, 0.8),
    planted=True,
    style=0.35,
    lag=0.35,
    curves=RELAXED
    | {
        "humerus.flex": (15, 25, 38, 32, 20, 28, 42, 25),
        "humerus.bend": (14, 18, 26, 32, 24, 18, 15, 14),
        "humerus.twist": (-15, -5, 15, 25, 10, -5, -15, -18),
        "radius.flex": (50, 72, 85, 60, 45, 75, 95, 70),
        "wrist.twist": (-10, 10, 30, 35, 20, 5, -5, -10),
        "hand.flex": (8, 0, -12, -15, -5, 5, 10, 10),
        "fingers.flex": (20, 12, 8, 8, 14, 20, 25, 22),
        "root.twist": (0, 3, 6, 4, 0, -3, -5, -3),
        "upperneck.flex": (0, 4, -2, -6, 0, 6, 2, -3),
        "upperneck.twist": (0, 6, 12, 6, 0, -6, -12, -6),
    },
)
_EATING = Action(
    rate=(0.2, 0.4),
    planted=True,
    style=0.25,
    curves=_SEATED
    | {
        "lhumerus.flex": (30, 34, 50, 70, 76, 68, 46, 32),
        "lhumerus.bend": (12, 13, 14, 12, 10, 12, 14, 12),
        "lhumerus.twist": (-12, -18, -28, -36, -38, -34, -22, -14),
        "lradius.flex": (55, 72, 105, 128, 132, 122, 90, 62),
        "rhumerus.flex": (30,),
        "rhumerus.twist": (-25,),
        "rradius.flex": (68, 70, 72, 74, 74, 72, 70, 68),
        "lowerback.flex": (8, 8, 10, 13, 14, 12, 10, 8),
        "lowerneck.flex": (6, 8, 10, 8, 6, 6, 6, 6),
        "upperneck.flex": (6, 8, 6, 0, -2, 2, 6, 6),
    },
)
_GREETING = Action(
    rate=(0.25, 0.45),
    planted=True,
    style=0.3,
    curves=RELAXED
    | {
        "lhumerus.flex": (10, 40, 60, 62, 60, 35, 15, 8),
        "lhumerus.bend": (10, 30, 60, 75, 62, 30, 15, 10),
        "lhumerus.twist": (0, 25, 60, 40, 65, 25, 0, -5),
        "lradius.flex": (20, 55, 70, 90, 60, 50, 35, 22),
        "lfingers.flex": (20, 8, 4, 4, 4, 8, 15, 20),
        "rhumerus.flex": (4, 4, 4, 6, 10, 25, 30, 12),
        "rradius.flex": (18, 18, 20, 22, 30, 60, 55, 30),
        "root.flex": (0, 0, 0, 0, 6, 22, 28, 10),
        "lowerback.flex": (0, 0, 0, 0, 4, 14, 16, 6),
        "lowerneck.flex": (0, 0, 0, 0, 2, 10, 12, 4),
        "upperneck.flex": (0, -2, -4, -4, 0, 4, 4, 0),
        "femur.flex": (4, 4, 4, 4, 8, 24, 30, 12),
        "tibia.flex": (5, 5, 5, 5, 5, 7, 8, 6),
    },
)
_PHONING = Action(
    rate=(0.15, 0.3),
    planted=True,
    style=0.2,
    curves=RELAXED
    | {
        "lhumerus.flex": (78, 80, 84, 87, 86, 82, 78, 76),
        "lhumerus.bend": (14, 16, 20, 22, 21, 18, 15, 13),
        "lhumerus.twist": (-20,),
        "lradius.flex": (136, 138, 140, 140, 138, 136, 134, 134),
        "lfingers.flex": (55,),
        "lclavicle.bend": (8,),
        "rhumerus.flex": (8, 14, 26, 32, 24, 12, 4, 2),
        "rhumerus.twist": (-10, -15, -5, 10, 0, -15, -20, -15),
        "rradius.flex": (30, 50, 78, 85, 65, 45, 30, 22),
        "root.twist": (0, 6, 12, 10, 2, -6, -10, -6),
        "root.bend": (2, 4, 3, 0, -3, -4, -2, 0),
        "upperneck.bend": (8,),
        "upperneck.flex": (6, 10, 14, 10, 4, 2, 4, 6),
        "lfemur.flex": (4, 6, 10, 8, 4, 3, 3, 4),
        "ltibia.flex": (5, 10, 18, 14, 6, 4, 4, 5),
    },
)
_PHOTO = Action(
    rate=(0.15, 0.3),
    planted=True,
    style=0.2,
    curves=RELAXED
    | {
        "humerus.flex": (30, 58, 74, 78, 78, 74, 60, 36),
        "humerus.bend": (10, 14, 18, 20, 20, 18, 15, 12),
        "humerus.twist": (-20, -18, -12, -8, -8, -10, -15, -20),
        "radius.flex": (70, 92, 108, 112, 112, 108, 95, 75),
        "fingers.flex": (50,),
        "femur.flex": (6, 8, 14, 40, 62, 48, 18, 8),
        "femur.bend": (6, 7, 9, 12, 14, 12, 9, 7),
        "tibia.flex": (6, 8, 16, 46, 72, 54, 20, 8),
        "root.flex": (2, 3, 5, 12, 16, 12, 6, 3),
        "lowerback.flex": (2, 3, 4, 6, 8, 6, 4, 3),
        "lowerneck.flex": (12, 8, 4, 0, 0, 2, 6, 10),
        "upperneck.flex": (12, 6, 2, -4, -6, -2, 4, 10),
    },
)
_POSING = Action(
    rate=(0.15, 0.3),
    planted=True,
    style=0.3,
    curves=RELAXED
    | {
        "lhumerus.flex": (-20, -22, -10, 20, 60, 90, 60, 10),
        "lhumerus.bend": (42, 45, 40, 35, 60, 110, 90, 50),
        "lhumerus.twist": (-45, -48, -35, -10, 30, 60, 30, -20),
        "lradius.flex": (82, 86, 90, 95, 110, 125, 110, 90),
        "rhumerus.flex": (-20, -22, -20, -10, -4, 0, -8, -16),
        "rhumerus.bend": (42, 44, 45, 40, 30, 24, 30, 38),
        "rhumerus.twist": (-45, -46, -48, -40, -20, -10, -25, -40),
        "rradius.flex": (82, 85, 88, 84, 60, 45, 60, 76),
        "lfemur.flex": (6, 10, 16, 18, 14, 8, 5, 5),
        "lfemur.bend": (6, 8, 12, 14, 12, 8, 6, 6),
        "ltibia.flex": (8, 16, 28, 32, 24, 12, 6, 6),
        "root.bend": (0, 4, 7, 8, 6, 2, -2, -2),
        "thorax.bend": (0, -4, -6, -6, -4, -2, 2, 2),
        "upperneck.twist": (0, 10, 20, 15, 0, -15, -20, -10),
        "upperneck.bend": (0, 3, 6, 5, 0, -4, -5, -2),
    },
)
_PURCHASES = Action(
    rate=(0.2, 0.35),
    planted=True,
    style=0.25,
    curves=RELAXED
    | {
        "femur.flex": (5, 20, 55, 78, 70, 38, 12, 5),
        "femur.bend": (5, 7, 10, 12, 12, 9, 6, 5),
        "tibia.flex": (6, 18, 48, 66, 58, 30, 10, 6),
        "root.flex": (2, 10, 26, 36, 34, 20, 6, 2),
        "lowerback.flex": (2, 8, 18, 24, 22, 14, 5, 2),
        "upperback.flex": (2, 6, 12, 16, 15, 9, 4, 2),
        "lowerneck.flex": (4, 4, 0, -6, -4, 2, 6, 5),
        "lhumerus.flex": (5, 25, 55, 70, 66, 50, 35, 14),
        "lradius.flex": (25, 28, 18, 8, 14, 50, 78, 50),
        "lfingers.flex": (25, 12, 5, 10, 55, 60, 60, 45),
        "rhumerus.flex": (4, 14, 32, 44, 42, 28, 12, 5),
        "rradius.flex": (30, 32, 30, 24, 26, 40, 62, 45),
        "root.twist": (0, -4, -8, -6, 2, 8, 6, 2),
        "thorax.twist": (0, -4, -8, -8, 0, 8, 8, 3),
    },
)
_SITTING = Action(
    rate=(0.15, 0.35),
    planted=True,
    style=0.2,
    curves=_SEATED
    | {
        "lfemur.flex": (88, 90, 94, 100, 102, 98, 92, 88),
        "ltibia.flex": (88, 84, 74, 62, 58, 66, 80, 86),
        "lfemur.twist": (4, 6, 10, 14, 14, 10, 6, 4),
        "humerus.flex": (20, 26, 34, 36, 30, 18, 12, 14),
        "humerus.twist": (-10, -14, -18, -14, -6, 0, -4, -8),
        "radius.flex": (48, 60, 74, 70, 52, 38, 36, 40),
        "root.flex": (-4, 0, 8, 14, 12, 4, -6, -8),
        "lowerback.flex": (4, 8, 14, 18, 16, 8, 2, 2),
        "upperback.twist": (0, 3, 6, 4, 0, -4, -6, -3),
        "upperneck.twist": (0, 10, 18, 12, 0, -10, -18, -10),
        "upperneck.flex": (0, 0, -6, -10, -8, 0, 4, 4),
    },
)
_SITTING_DOWN = Action(
    rate=(0.12, 0.25),
    style=0.1,
    curves=RELAXED
    | {
        "femur.flex": (112, 114, 116, 118, 118, 116, 114, 112),
        "femur.bend": (14, 18, 26, 32, 32, 26, 18, 14),
        "femur.twist": (10, 16, 26, 34, 34, 26, 16, 10),
        "tibia.flex": (84, 88, 96, 102, 102, 96, 88, 84),
        "foot.flex": (-24, -20, -14, -10, -10, -14, -20, -24),
        "root.flex": (-9,),
        "lowerback.flex": (12, 14, 18, 22, 22, 18, 14, 12),
        "upperback.flex": (6, 8, 10, 12, 12, 10, 8, 6),
        "humerus.flex": (48, 44, 36, 30, 30, 36, 44, 48),
        "humerus.bend": (14,),
        "radius.flex": (28, 36, 48, 56, 56, 48, 36, 28),
        "lowerneck.flex": (6,),
        "upperneck.twist": (0, 8, 14, 8, 0, -8, -14, -8),
    },
)
_SMOKING = Action(
    rate=(0.12, 0.25),
    planted=True,
    style=0.2,
    curves=RELAXED
    | {
        "lhumerus.flex": (12, 24, 52, 72, 76, 58, 28, 14),
        "lhumerus.bend": (10, 12, 13, 12, 11, 12, 12, 10),
        "lhumerus.twist": (-8, -16, -28, -37, -38, -28, -14, -8),
        "lradius.flex": (42, 78, 118, 134, 134, 112, 70, 46),
        "lwrist.twist": (-10, -15, -25, -30, -30, -25, -15, -10),
        "lfingers.flex": (20,),
        "rhumerus.flex": (6, 4, 2, 2, 4, 10, 14, 10),
        "rhumerus.twist": (-18,),
        "rradius.flex": (28, 24, 22, 22, 26, 40, 48, 38),
        "root.twist": (0, 3, 4, 2, 0, -4, -6, -3),
        "root.bend": (2, 3, 2, 0, -2, -3, -2, 0),
        "upperneck.flex": (6, 2, -2, -4, -6, -4, 2, 6),
        "upperneck.twist": (0, 0, 0, 4, 10, 16, 12, 5),
    },
)
_WAITING = Action(
    rate=(0.12, 0.25),
    planted=True,
    style=0.25,
    curves=RELAXED
    | {
        "humerus.flex": (10, 14, 24, 30, 30, 24, 14, 10),
        "humerus.bend": (8, 9, 11, 12, 12, 11, 9, 8),
        "humerus.twist": (-10, -22, -45, -58, -58, -45, -22, -10),
        "radius.flex": (20, 40, 78, 96, 98, 84, 45, 22),
        "lfemur.flex": (4, 6, 10, 12, 10, 6, 4, 4),
        "ltibia.flex": (5, 10, 20, 24, 20, 10, 5, 5),
        "rfemur.flex": (10, 6, 4, 4, 4, 6, 10, 12),
        "rtibia.flex": (20, 12, 6, 5, 6, 12, 20, 24),
        "root.bend": (-6, -3, 3, 6, 6, 3, -3, -6),
        "lowerback.bend": (5, 2, -2, -5, -5, -2, 2, 5),
        "root.twist": (-6, -8, -4, 2, 6, 8, 4, -2),
        "upperneck.twist": (-20, -10, 5, 20, 25, 15, 0, -15),
        "upperneck.flex": (0, 8, 12, 8, 0, -3, -3, -2),
    },
)
_WALK_DOG = replace(
    _CIRCLING,
    curves={
        **_CIRCLING.curves,
        "lhumerus.flex": (24, 26, 30, 34, 36, 34, 30, 26),
        "lhumerus.bend": (12,),
        "lradius.flex": (38, 36, 32, 28, 28, 30, 34, 38),
        "lfingers.flex": (70,),
        "rhumerus.flex": (14, 13, 6, -6, -14, -12, -4, 8),
        "upperneck.flex": (10,),
        "upperneck.twist": (8, 12, 14, 12, 8, 4, 2, 4),
    },
)
_WALK_TOGETHER = replace(
    _CIRCLING,
    rate=(0.65, 0.95),
    stride=1.25,
    turn=70.0,
    curves={
        **_CIRCLING.curves,
        "rhumerus.flex": (18, 24, 32, 34, 28, 22, 18, 16),
        "rhumerus.bend": (14,),
        "rradius.flex": (40, 55, 72, 75, 60, 45, 38, 36),
        "upperneck.twist": (-18, -22, -26, -24, -18, -14, -12, -14),
        "head.twist": (-6,),
    },
)
ACTIONS = {
    "Directions": _DIRECTIONS,
    "Discussion": _DISCUSSION,
    "Eating": _EATING,
    "Greeting": _GREETING,
    "Phoning": _PHONING,
    "Photo": _PHOTO,
    "Posing": _POSING,
    "Purchases": _PURCHASES,
    "Sitting": _SITTING,
    "SittingDown": _SITTING_DOWN,
    "Smoking": _SMOKING,
    "Waiting": _WAITING,
    "WalkDog": _WALK_DOG,
    "Walking": _CIRCLING,
    "WalkTogether": _WALK_TOGETHER,
}
