"""The builds of people: the skin holds the joints, and clothes widen it where they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_datasets.geometry.kinematics import KinematicTree, forward_kinematics
from liftbench_datasets.people.body import BODY, DOFS, HIGH, LOW
from liftbench_datasets.people.builds import Build, draw_build, person_skin
from liftbench_datasets.people.motion import joint_rotations
from liftbench_datasets.people.surface import OUTWARD, REST, VERTEX_TUBES

MEAN = Build(1, 1, 1, 1, 1, 1, 1)
STILL = joint_rotations(np.zeros((1, len(DOFS))), np.zeros(1))
# The joints that points of Human3.6M stand for.
INSIDE = [
    BODY.names.index(name)
    for name in (
        *("root", "lhipjoint", "lfemur", "ltibia", "rhipjoint", "rfemur", "rtibia"),
        *("lowerback", "thorax", "upperneck", "head"),
        *("lclavicle", "lhumerus", "lwrist", "rclavicle", "rhumerus", "rwrist"),
    )
]


def body(person: int) -> KinematicTree:
    rng = named_rng("test body", person)
    legs, arms, width, rest = np.exp(rng.normal(0, 0.06, 4))
    groups = {"femur": legs, "tibia": legs, "humerus": arms, "radius": arms, "clavicle": width}
    factors = [groups.get(name[1:], rest) for name in BODY.names]
    return replace(BODY, bone=BODY.bone * np.array(factors)[:, None])


def windings(points: Floats, corners: Floats) -> Floats:
    """Return how often closed surfaces go around points (N, 3), by the solid angles of faces."""
    a, b, c = (corners[:, i] - points[:, None] for i in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=2) for side in (a, b, c))
    over = np.einsum("ntd,ntd->nt", a, np.cross(b, c))
    under = (
        la * lb * lc
        + np.einsum("ntd,ntd->nt", a, b) * lc
        + np.einsum("ntd,ntd->nt", b, c) * la
        + np.einsum("ntd,ntd->nt", c, a) * lb
    )
    around: Floats = 2 * np.arctan2(over, under).sum(axis=1) / (4 * np.pi)
    return around


@pytest.mark.parametrize("person", range(4))
def test_joints_lie_inside_the_skin(person: int) -> None:
    rng = named_rng("test poses", person)
    middle, spread = (LOW + HIGH) / 2, 0.35 * (HIGH - LOW)
    rotations = joint_rotations(middle + spread * rng.uniform(-1, 1, (3, len(DOFS))), np.ones(3))
    skin = person_skin(body(person), draw_build(rng), 0.4, 0.9, rotations)
    joints = forward_kinematics(body(person), rotations, np.zeros((3, 3)))
    for vertices, points in zip(skin, joints, strict=True):
        assert (windings(points[INSIDE], vertices[OUTWARD]) > 0.5).all()
        outside = points[INSIDE] + [0, 0, 3]
        np.testing.assert_allclose(windings(outside, vertices[OUTWARD]), 0, atol=1e-9)


def test_the_mean_body_has_the_mean_skin() -> None:
    np.testing.assert_allclose(person_skin(BODY, MEAN, 0, 0, STILL)[0], REST)


@pytest.mark.parametrize(
    ("part", "tubes"),
    [("trunk", {"trunk"}), ("limbs", {"larm", "rarm", "lleg", "rleg"}), ("hair", {"trunk"})],
)
def test_a_larger_girth_widens_its_part_alone(part: str, tubes: set[str]) -> None:
    wide = person_skin(BODY, replace(MEAN, **{part: 1.2}), 0, 0, STILL)[0]
    moved = np.linalg.norm(wide - REST, axis=1) > 1e-9
    assert set(VERTEX_TUBES[moved].tolist()) == tubes
    used = np.unique(OUTWARD)
    away = np.linalg.norm((wide - REST)[used], axis=1)
    assert 0.005 < away.max() < 0.06


@pytest.mark.parametrize(("part", "tube"), [("sleeves", "arm"), ("trousers", "leg")])
def test_cloth_widens_the_limb_that_it_covers(part: str, tube: str) -> None:
    build = replace(MEAN, **{part: 1.3})
    share = {"sleeves": (0.5, 0.0), "trousers": (0.0, 0.5)}[part]
    moved = np.abs(person_skin(BODY, build, *share, STILL)[0] - REST).max(axis=1) > 1e-9
    height = REST[:, 1]
    for side in "lr":
        limb = side + tube == VERTEX_TUBES
        middle = (height[limb].max() + height[limb].min()) / 2
        assert moved[limb & (height > middle + 0.1)].any()
        assert not moved[limb & (height < middle - 0.05)].any()
    assert not moved[~np.char.endswith(VERTEX_TUBES, tube)].any()


def test_people_differ_in_girth_and_keep_within_bounds() -> None:
    builds = [draw_build(named_rng("test", i)) for i in range(60)]
    for part, low, high in (("trunk", 0.8, 1.25), ("belly", 0.7, 1.45), ("trousers", 1, 1.4)):
        values = [getattr(build, part) for build in builds]
        assert low < min(values) < max(values) < high
        assert np.std(values) > 0.04
