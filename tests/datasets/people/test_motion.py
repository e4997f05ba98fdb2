"""Limbs that wander from their action."""

from __future__ import annotations

import numpy as np

from liftbench.seeds import named_rng
from liftbench_datasets.people.actions import ACTIONS
from liftbench_datasets.people.body import BODY, DOFS, HIGH, LOW
from liftbench_datasets.people.motion import Motion, make_motion

LIMBS = [
    column
    for column, dof in enumerate(DOFS)
    if dof.joint[1:] in {"humerus", "radius", "femur", "tibia"} and dof.joint[0] in "lr"
]


def moved(wander: float, frames: int = 3000) -> Motion:
    return make_motion(named_rng("test", "wander"), ACTIONS["walk"], frames, wander=wander)


def test_only_arms_and_legs_wander() -> None:
    apart = np.abs(moved(5).angles - moved(0).angles).max(axis=0)
    assert sorted(np.flatnonzero(apart)) == sorted(LIMBS)


def test_the_spread_is_as_asked_far_from_the_limits() -> None:
    still, near = (moved(wander, 20_000).angles for wander in (0, 3))
    free = [
        i for i in LIMBS if (LOW[i] + 15 < still[:, i].min()) & (still[:, i].max() < HIGH[i] - 15)
    ]
    assert len(free) >= 4
    spread = np.sqrt(((near - still)[:, free] ** 2).mean(axis=0))
    np.testing.assert_allclose(spread, 3, rtol=0.15)


def test_wandering_limbs_keep_their_length_and_their_limits() -> None:
    motion = moved(60)
    assert (motion.angles >= LOW).all()
    assert (motion.angles <= HIGH).all()
    parents = np.array(BODY.parent)
    joints = np.flatnonzero(parents >= 0)
    bones = np.linalg.norm(
        motion.positions[:, joints] - motion.positions[:, parents[joints]], axis=2
    )
    np.testing.assert_allclose(bones, np.broadcast_to(bones[0], bones.shape), atol=1e-9)
