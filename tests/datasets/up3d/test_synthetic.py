"""The generated people: their skin, the points on it, and what it hides."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from tests.datasets.conftest import truth_of

from liftbench.cameras import subtract_mean
from liftbench.errors import UserError
from liftbench.seeds import named_rng
from liftbench.suites.suite import make_params
from liftbench.types import Dataset, Floats
from liftbench_datasets.geometry.kinematics import forward_kinematics, rest_pose
from liftbench_datasets.geometry.tubes import SIDES
from liftbench_datasets.people.body import BODY, BODY_HEIGHT, DOFS, SOLE
from liftbench_datasets.people.motion import joint_rotations
from liftbench_datasets.people.surface import FACES, TUBES, Shape, body_surface, draw_shape
from liftbench_datasets.people.surface_points import SKELETON, VERTICES
from liftbench_datasets.up3d import synthetic as synthetic_up3d
from liftbench_datasets.up3d.synthetic import (
    SYNTHETIC_UP3D,
    SyntheticUp3d,
    SyntheticUp3dParams,
    split_people,
)

NOWHERE = Path("/nonexistent")
LEFT, RIGHT = np.array(SKELETON.left_right).T
STILL = np.zeros((1, len(DOFS)))
MEAN = Shape(*np.ones((7, 1)))


@cache
def load(split: str = "train", **params: object) -> Dataset:
    return SyntheticUp3d(**({"frames": 200, "people": 10} | params)).load(NOWHERE, "all", split)


def skin(angles: Floats = STILL, shape: Shape = MEAN) -> Floats:
    return body_surface(shape, joint_rotations(angles, np.zeros(len(angles))))


def column(*words: str) -> list[int]:
    return [i for i, name in enumerate(SKELETON.points) if all(word in name for word in words)]


# --- the skin -----------------------------------------------------------------------------


def test_every_tube_is_closed() -> None:
    """Each edge of the faces belongs to two of them, in opposite directions."""
    ends = np.concatenate([FACES[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    directed = {tuple(end) for end in ends.tolist()}
    assert len(directed) == len(ends)
    assert directed == {(b, a) for a, b in directed}
    inner = [[r * SIDES + s for s in range(SIDES)] for r in first_and_last_rings()]
    np.testing.assert_allclose(np.ptp(skin()[0, inner], axis=1), 0, atol=1e-12)


def first_and_last_rings() -> list[int]:
    ends = np.cumsum([len(rings) for rings in TUBES.values()])
    return [0, *ends[:-1], *(ends - 1)]


def test_the_mean_person_is_as_tall_as_the_body() -> None:
    rest, vertices = rest_pose(BODY), skin()[0]
    sole = rest[BODY.names.index("ltibia"), 1] - SOLE["tibia"]
    assert vertices[:, 1].min() == pytest.approx(sole, abs=0.02)
    assert np.ptp(vertices[:, 1]) == pytest.approx(BODY_HEIGHT, abs=0.03)


def test_bones_lie_within_the_skin() -> None:
    """Rays from the middle of a long bone meet the skin an odd number of times."""
    rng = named_rng("test rays")
    angles = np.clip(rng.normal(0, 15, (1, len(DOFS))), -20, 20)
    rotations = joint_rotations(angles, np.zeros(1))
    joints = forward_kinematics(BODY, rotations, np.zeros((1, 3)))[0]
    triangles = body_surface(MEAN, rotations)[0, FACES]
    for name in ("femur", "tibia", "humerus", "radius"):
        for side in "lr":
            end = BODY.names.index(side + name)
            middle = joints[[end, BODY.parent[end]]].mean(axis=0)
            assert crossings(middle, triangles) % 2 == 1, name
    assert crossings(np.array([0.0, 0.0, 5.0]), triangles) % 2 == 0


def crossings(origin: Floats, triangles: Floats) -> int:
    direction = np.array([0.31, 0.17, 0.93])
    edges = triangles[:, 1:] - triangles[:, :1]
    count = 0
    for corner, (first, second) in zip(triangles[:, 0], edges, strict=True):
        system = np.stack([-direction, first, second], axis=1)
        if abs(np.linalg.det(system)) > 1e-15:
            t, u, v = np.linalg.solve(system, origin - corner)
            count += t > 0 and u >= 0 and v >= 0 and u + v <= 1
    return count


def test_the_skin_is_symmetric() -> None:
    points = skin()[0, VERTICES]
    np.testing.assert_allclose(points[RIGHT], points[LEFT] * [-1, 1, 1], atol=1e-12)
    middle = sorted(set(range(79)) - {*LEFT.tolist(), *RIGHT.tolist()})
    np.testing.assert_allclose(points[middle, 0], 0, atol=1e-12)


def test_points_lie_where_their_names_say() -> None:
    x, y, z = skin()[0, VERTICES].T
    assert (x[LEFT] > 0).all()
    for part in ("knee", "elbow", "thigh", "shoulder"):
        (front,), (back,) = column("left", part, "front"), column("left", part, "back")
        assert z[front] > z[back] + 0.03
    for part in ("knee", "elbow", "thigh", "ankle", "upper_arm", "forearm"):
        (outer,), (inner,) = column("left", part, "outer"), column("left", part, "inner")
        assert x[outer] > x[inner] + 0.03
    upright = ["crown", "nose", "chin", "throat", "breastbone", "navel", "groin"]
    upright += ["left_knee_front", "left_shin", "left_heel"]
    heights = y[[SKELETON.points.index(name) for name in upright]]
    assert (np.diff(heights) < 0).all()


def test_79_points_joined_by_lines() -> None:
    assert len(SKELETON.points) == len(set(VERTICES.tolist())) == 79
    edges = {frozenset(edge) for edge in SKELETON.edges}
    assert len(edges) == len(SKELETON.edges)
    reached = {0}
    for _ in SKELETON.points:
        reached |= {i for edge in edges if edge & reached for i in edge}
    assert len(reached) == 79


def test_a_bent_knee_moves_the_shin_alone() -> None:
    angles = STILL.copy()
    angles[0, [dof.name for dof in DOFS].index("ltibia.flex")] = 90
    before, after = skin()[0, VERTICES], skin(angles)[0, VERTICES]
    moved = np.linalg.norm(after - before, axis=1)
    lower = [i for part in ("shin", "calf", "ankle", "heel", "toes") for i in column("left", part)]
    knee = column("left", "knee")
    rest = sorted(set(range(79)) - {*lower, *knee})
    assert moved[lower].min() > 0.1
    assert 0.001 < moved[knee].min() <= moved[knee].max() < 0.1
    np.testing.assert_allclose(moved[rest], 0, atol=1e-12)
    # The shin reaches as far behind the knee as it reached below it.
    (ankle,) = column("left", "ankle_outer")
    np.testing.assert_allclose(after[ankle, 2], before[ankle, 1] + 0.5, atol=0.05)


@pytest.mark.parametrize(
    ("measure", "axis", "ends"),
    [
        ("height", 1, ("crown", "left_heel")),
        ("legs", 1, ("left_thigh_outer", "left_ankle_outer")),
        ("arms", 1, ("left_shoulder", "left_forearm_outer")),
        ("shoulders", 0, ("left_shoulder", "right_shoulder")),
        ("hips", 0, ("left_knee_outer", "right_knee_outer")),
        ("girth", 0, ("left_knee_outer", "left_knee_inner")),
        ("belly", 2, ("navel", "lower_back")),
    ],
)
def test_measures_change_what_they_name(measure: str, axis: int, ends: tuple[str, str]) -> None:
    numbers = [SKELETON.points.index(name) for name in ends]
    changed = Shape(**(vars(MEAN) | {measure: np.array([1.2])}))
    before, after = (
        np.ptp(points[0, VERTICES][numbers, axis]) for points in (skin(), skin(shape=changed))
    )
    assert 1.05 < after / before < 1.21


def test_people_differ() -> None:
    shapes = [draw_shape(named_rng("people", i), 1) for i in range(60)]
    rest = np.concatenate([skin(shape=shape)[:, VERTICES] for shape in shapes])
    flat = subtract_mean(rest).reshape(60, -1)
    energy = np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False) ** 2
    assert np.searchsorted(np.cumsum(energy) / energy.sum(), 0.99) >= 3
    heights = np.ptp(rest[..., 1], axis=1)
    assert 1.4 < heights.min() < 1.62 < 1.78 < heights.max() < 2.15


# --- the views ----------------------------------------------------------------------------


def test_views_are_centred_orthographic_and_hide() -> None:
    data = load()
    seen, truth = data.observations, data.truth
    assert truth is not None
    np.testing.assert_allclose(truth.points_3d.mean(axis=1), 0, atol=1e-12)
    shown = seen.visible
    np.testing.assert_array_equal(seen.points_2d[shown], truth.points_3d[shown][:, :2])
    assert (seen.camera, truth.unit, set(truth.group)) == ("orthographic", "m", {"all"})
    assert 0.35 < shown.mean() < 0.65
    assert (shown.mean(axis=0) > 0.1).all()


def test_hidden_points_have_skin_before_them() -> None:
    """The least depth of many points drawn on the skin agrees away from outlines."""
    views = SyntheticUp3d(frames=60, people=10).views(3)
    share = named_rng("test skin").dirichlet(np.ones(3), (60, len(FACES)))
    agree = []
    for surface, points, seen in zip(views.surface, views.points, views.visible(), strict=True):
        drawn = np.einsum("nfc,fcd->nfd", share, surface[FACES]).reshape(-1, 3)
        near = cKDTree(drawn[:, :2]).query_ball_point(points[:, :2], 0.003)
        depth = np.array([drawn[found, 2].min(initial=np.inf) for found in near])
        agree.append((depth > points[:, 2] - 0.02) == seen)
    assert np.mean(agree) > 0.93


def test_people_stand_upright_before_the_camera() -> None:
    points = truth_of(load()).points_3d
    (crown,), heels = column("crown"), column("heel")
    assert (points[:, crown, 1] < points[:, heels, 1].min(axis=1)).mean() > 0.95  # y points down
    side = points[:, column("left_shoulder")[0]] - points[:, column("right_shoulder")[0]]
    azimuth = np.arctan2(side[:, 2], side[:, 0])
    assert np.ptp(np.histogram(azimuth, 4, (-np.pi, np.pi))[0]) < 40


def test_cameras_stand_around_and_lean_a_little() -> None:
    cameras = synthetic_up3d._draw_cameras(named_rng("test cameras"), 5000)
    np.testing.assert_allclose(np.linalg.det(cameras), 1)
    up, front = cameras[..., 1], cameras[..., 2]
    roll = np.degrees(np.arctan2(up[:, 0], -up[:, 1]))
    tilt = np.degrees(np.arcsin(up[:, 2]))
    assert (roll.std(), tilt.std()) == pytest.approx((6, 12), rel=0.05)
    azimuth = np.degrees(np.arctan2(front[:, 0], -front[:, 2]))
    np.testing.assert_allclose(np.histogram(azimuth, 8, (-180, 180))[0], 625, rtol=0.15)


def test_points_are_turned_to_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    turn = Rotation.from_rotvec([0.3, -1.2, 0.5]).as_matrix()
    found = []
    for camera in (np.eye(3), turn):
        drawn = np.tile(camera, (5, 1, 1))
        monkeypatch.setattr(synthetic_up3d, "_draw_cameras", lambda *_, drawn=drawn: drawn)
        found.append(SyntheticUp3d(frames=50, people=10).views(3).points)
    body, seen = found
    np.testing.assert_allclose(seen, np.einsum("ab,fpb->fpa", turn, body), atol=1e-12)


def test_the_front_is_seen_from_the_front() -> None:
    data = load()
    points, visible = truth_of(data).points_3d, data.observations.visible
    chest, back = SKELETON.points.index("breastbone"), SKELETON.points.index("upper_back")
    faces_us = points[:, chest, 2] < points[:, back, 2] - 0.1
    turned = points[:, chest, 2] > points[:, back, 2] + 0.1
    assert visible[faces_us, chest].mean() > 0.8
    assert not visible[turned, chest].any()
    assert not visible[faces_us, back].any()


def test_occlusion_hides_points_of_the_same_frames() -> None:
    whole = load(occlusion=False)
    assert whole.observations.visible.all()
    np.testing.assert_array_equal(truth_of(whole).points_3d, truth_of(load()).points_3d)


def test_splits_share_no_person() -> None:
    train, test = (set(truth_of(load(split)).sequence.tolist()) for split in ("train", "test"))
    assert (train, test) == (set(range(8)), {8, 9})
    assert load().observations.frames + load("test").observations.frames == 200
    with pytest.raises(UserError, match="unknown split 'unseen'"):
        split_people(10, "unseen")


def test_frames_of_a_person_depend_on_seed_and_person_alone() -> None:
    few, many = (
        SyntheticUp3d(frames=n, people=p).views(3).points for n, p in ((50, 10), (100, 10))
    )
    assert (len(few), len(many)) == (5, 10)
    np.testing.assert_array_equal(few, SyntheticUp3d(frames=500, people=100).views(3).points)
    other = SyntheticUp3d(frames=50, people=10, seed=1).views(3).points
    assert not np.allclose(few, other)
    np.testing.assert_array_equal(few, many[: len(few)])


def test_poses_of_a_person_differ() -> None:
    points = SyntheticUp3d(frames=200, people=10).views(0).points
    lengths = np.linalg.norm(points[:, :, None] - points[:, None], axis=3)
    change = np.abs(lengths - lengths[0]).max(axis=(1, 2))
    assert (change[1:] > 0.03).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"people": 1}, "people: expected at least 2"),
        ({"people": 9, "frames": 8}, "frames: expected at least one for each of 9 people"),
        ({"frames": 1000.5}, "frames: "),
        ({"occlusion": "often"}, "occlusion: "),
    ],
)
def test_params_are_checked(params: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_params("dataset", SYNTHETIC_UP3D.params, params)


def test_params_are_checked_without_a_suite() -> None:
    with pytest.raises(ValueError, match="frames: expected an integer"):
        SyntheticUp3dParams(frames=True)
    with pytest.raises(ValueError, match="occlusion: expected true or false"):
        SyntheticUp3dParams(occlusion="often")  # type: ignore[arg-type]


def test_check_finds_people() -> None:
    adapter = SYNTHETIC_UP3D.make(**vars(SyntheticUp3dParams(frames=60, people=6)))
    findings = adapter.check(NOWHERE)
    assert [finding.item for finding in findings] == ["frames", "size", "visible points"]
    assert all(finding.ok for finding in findings)
    assert findings[0].detail == "60 frames, 4 people to train and 2 to test"
