"""The people of the stand-in for Human3.6M: their bodies, and what they do in the room."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_datasets.geometry.kinematics import KinematicTree
from liftbench_datasets.h36m.skeleton import SKELETON, SUBJECTS, TEST_SUBJECTS, TRAIN_SUBJECTS
from liftbench_datasets.h36m.synthetic.actions import ACTIONS
from liftbench_datasets.people.body import BODY
from liftbench_datasets.people.motion import Motion, make_motion

KEY = "synthetic_h36m"
FRAMES_PER_SECOND = 10.0  # every fifth of the release's
PEOPLE = len(TRAIN_SUBJECTS) + len(TEST_SUBJECTS)  # of the release
_FIRST_OTHER = 12  # the release has no subject S12, nor any after it
# Weights of a moving average over 12 s, two rounds of a walker; it becomes the middle of the room.
_ROUNDS = np.hanning(123)[1:-1] / np.hanning(123).sum()
# The body's joint at each point of Human3.6M; the first, the hip, is later put between both hips.
_JOINTS = [
    BODY.names.index(name)
    for name in (
        *("root", "rhipjoint", "rfemur", "rtibia", "lhipjoint", "lfemur", "ltibia"),
        *("lowerback", "thorax", "upperneck", "head"),
        *("lclavicle", "lhumerus", "lwrist", "rclavicle", "rhumerus", "rwrist"),
    )
]
_HIPS = [SKELETON.points.index(name) for name in ("LHip", "RHip")]
# Spread of the log of people's lengths: of the whole body, then of groups of bones.
_STATURE = 0.05
_PROPORTIONS = {
    "[lr]hipjoint": 0.06,
    "[lr](femur|tibia)": 0.05,
    "[lr](foot|toes)": 0.05,
    "lowerback|upperback|thorax": 0.04,
    "lowerneck|upperneck|head": 0.05,
    "[lr]clavicle": 0.06,
    "[lr](humerus|radius|wrist|hand|fingers|thumb)": 0.05,
}


@dataclass(frozen=True, eq=False)
class Performance:
    """The motion of a subject in the room, in which the ground is at y = 0.

    Attributes:
        motion: the motion, which may leave the room.
        drift: (F, 3) mm by which the person in the room is less far on.
    """

    motion: Motion
    drift: Floats

    def points(self) -> Floats:
        """Return the points of Human3.6M in the room, (F, 17, 3) in mm."""
        points: Floats = _points(self.motion.positions) - self.drift[:, None]
        return points

    def joints(self) -> Floats:
        """Return the joints of `BODY` in the room, (F, 31, 3) in mm."""
        joints: Floats = 1000 * self.motion.positions - self.drift[:, None]
        return joints


def split_subjects(people: int) -> dict[str, tuple[str, ...]]:
    """Return the names of the people in each split.

    The first seven are those of the release; of each further seven, S12 and so on, the first five
    are `train` and the other two `test`.
    """
    names = [*TRAIN_SUBJECTS, *TEST_SUBJECTS]
    names += [f"S{_FIRST_OTHER + i}" for i in range(people - PEOPLE)]
    is_test = [i % PEOPLE >= len(TRAIN_SUBJECTS) for i in range(people)]
    return {
        split: tuple(name for name, t in zip(names, is_test, strict=True) if t == (split == "test"))
        for split in SUBJECTS
    }


def subject_body(seed: int, subject: str) -> KinematicTree:
    """Return a subject's body; its draw depends only on the seed and the subject."""
    rng = named_rng(KEY, "body", seed, subject)
    stature = np.exp(rng.normal(0, _STATURE))
    bone = stature * BODY.bone
    for bones, spread in _PROPORTIONS.items():
        chosen = [re.fullmatch(bones, name) is not None for name in BODY.names]
        bone[chosen] *= np.exp(rng.normal(0, spread))
    return replace(BODY, bone=bone)


def perform(seed: int, subject: str, action: str, frames: int, wander: float = 0.0) -> Performance:
    """Return the first frames of a subject's action, which depend on the seed and on these two.

    `wander` is how far, in degrees, the limbs wander from the action, see `make_motion`.
    """
    rng = named_rng(KEY, "motion", seed, subject, action)
    cycle, body = ACTIONS[action], subject_body(seed, subject)
    needed = frames + len(_ROUNDS) - 1 if cycle.stride else frames
    motion = make_motion(rng, cycle, needed, body, FRAMES_PER_SECOND, wander)
    return _in_room(motion) if cycle.stride else Performance(motion, np.zeros((frames, 3)))


def _points(joints: Floats) -> Floats:
    """Return the points (F, 17, 3) of Human3.6M in mm from the joints (F, 31, 3) in metres."""
    points: Floats = 1000 * joints[:, _JOINTS]
    points[:, SKELETON.root] = points[:, _HIPS].mean(axis=1)
    return points


def _in_room(walk: Motion) -> Performance:
    """Return the F - 120 frames in the middle of a walk without its drift."""
    skipped = len(_ROUNDS) // 2
    hip = _points(walk.positions)[:, SKELETON.root]
    drift = np.zeros((len(hip) - 2 * skipped, 3))
    for axis in (0, 2):
        drift[:, axis] = np.convolve(hip[:, axis], _ROUNDS, "valid")
    kept = slice(skipped, len(hip) - skipped)
    return Performance(Motion(walk.angles[kept], walk.positions[kept], walk.heading[kept]), drift)
