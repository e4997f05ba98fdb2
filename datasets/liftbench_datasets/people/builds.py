"""The builds of people: how thick a person of given bones is, in clothes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Bools, Floats
from liftbench_datasets.geometry.kinematics import KinematicTree
from liftbench_datasets.people.body import BODY
from liftbench_datasets.people.surface import (
    RING_BONES,
    RING_HALVES,
    RING_MIDDLES,
    RING_TUBES,
    pose_skin,
)


@dataclass(frozen=True)
class Build:
    """Factors on the girth of the mean body; 1 is the mean, or tight clothes.

    Attributes:
        trunk: width and depth of the trunk.
        belly: further factor of the depth of its lower half.
        limbs: girth of arms and legs.
        hair: girth of the head above the ears.
        shirt: how wide the shirt is, without its sleeves.
        sleeves: how wide the sleeves are.
        trousers: how wide the legs of the trousers are.
    """

    trunk: float
    belly: float
    limbs: float
    hair: float
    shirt: float
    sleeves: float
    trousers: float


def draw_build(rng: np.random.Generator) -> Build:
    """Draw the build of a person."""
    trunk, belly, limbs = np.exp(rng.normal(0, (0.12, 0.10, 0.08)).clip(-0.22, 0.22))
    return Build(
        trunk=trunk,
        belly=belly * trunk**0.5,
        limbs=limbs * trunk**0.5,
        hair=rng.uniform(1.0, 1.22),
        shirt=rng.uniform(1.02, 1.12),
        sleeves=rng.uniform(1.05, 1.35),
        trousers=rng.uniform(1.04, 1.35),
    )


def person_skin(
    body: KinematicTree, build: Build, sleeve: float, leg: float, rotations: Floats
) -> Floats:
    """Return the vertices (F, V, 3) of a person in F poses, metres, the root at the origin.

    Args:
        body: the person's bones, with the joints of `BODY`.
        build: the person's girth.
        sleeve: share of the arm that the shirt covers.
        leg: share of the leg that the trousers cover.
        rotations: (F, 31, 3, 3) see `people.motion.joint_rotations`.
    """
    scale = _bone_scale(body)
    halves = _halves(scale, build, sleeve, leg)
    return pose_skin(
        np.broadcast_to(scale, (len(rotations), len(scale))),
        np.broadcast_to(halves, (len(rotations), *halves.shape)),
        rotations,
    )


def _bone_scale(body: KinematicTree) -> Floats:
    """Return the lengths (31,) of a person's bones, divided by those of the mean body."""
    length, mean = (np.linalg.norm(bone, axis=1) for bone in (body.bone, BODY.bone))
    scale: Floats = length / np.where(mean > 0, mean, 1)
    scale[0] = scale[BODY.names.index("lowerback")]  # the root has no length of its own
    return scale


def _halves(scale: Floats, build: Build, sleeve: float, leg: float) -> Floats:
    """Return half widths and depths (R, 2) of the rings, wide enough for hips and shoulders."""
    stature = scale[0]
    by_name = dict(zip(BODY.names, scale, strict=True))
    halves: Floats = RING_HALVES * stature
    halves[_HEAD] = (
        RING_HALVES[_HEAD] * by_name["head"] * np.where(_HAIR, build.hair, 1)[_HEAD, None]
    )
    halves[_TRUNK] *= build.trunk * build.shirt
    halves[_UPPER, 0] *= by_name["lclavicle"] / stature
    halves[_LOWER, 0] *= by_name["lhipjoint"] / stature
    halves[_BELLY, 1] *= build.belly
    for limb, wide, share in ((_ARM, build.sleeves, sleeve), (_LEG, build.trousers, leg)):
        halves[limb] *= build.limbs * np.where(share > _ALONG, wide, 1)[limb, None]
    halves[_FOOT] = RING_HALVES[_FOOT] * by_name["lfoot"]
    return halves


def _bones(*names: str) -> Bools:
    chosen: Bools = np.isin(RING_BONES, names)
    return chosen


def _along() -> Floats:
    """Return for each ring the share (R,) of its limb that lies above it."""
    steps = np.concatenate([np.zeros((1, 3)), np.diff(_heights(), axis=0)])
    first = np.concatenate([[True], RING_TUBES[1:] != RING_TUBES[:-1]])
    down = np.cumsum(np.where(first, 0, np.linalg.norm(steps, axis=1)))
    down -= np.maximum.accumulate(np.where(first, down, 0))
    last = np.concatenate([first[1:], [True]])
    length = down[last][np.cumsum(first) - 1]
    along: Floats = down / length
    return along


def _heights() -> Floats:
    """Return the middles (R, 3) of the rings in the rest pose."""
    starts = {"root": np.zeros(3)}
    ends = {"root": np.zeros(3)}
    for name, parent, bone in zip(BODY.names[1:], BODY.parent[1:], BODY.bone[1:], strict=True):
        starts[name] = ends[BODY.names[parent]]
        ends[name] = starts[name] + bone
    heights: Floats = np.array([starts[bone] for bone in RING_BONES]) + RING_MIDDLES
    return heights


_ARM, _LEG, _FOOT = (np.char.endswith(RING_TUBES, part) for part in ("arm", "leg", "foot"))
_HEAD = _bones("head", "upperneck", "lowerneck")
_HAIR = _bones("head") & (RING_MIDDLES[:, 1] > 0.02)
_TRUNK = (RING_TUBES == "trunk") & ~_HEAD
_UPPER, _LOWER = _TRUNK & _bones("thorax"), _TRUNK & _bones("root")
_BELLY = _TRUNK & _bones("root", "lowerback", "upperback")
_ALONG = _along()
