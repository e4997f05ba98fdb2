"""The generated person: its body, its motions, and its views."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.conftest import truth_of

from liftbench.cameras import project, subtract_mean
from liftbench.errors import UserError
from liftbench.seeds import named_rng
from liftbench.suites.suite import make_params
from liftbench.types import Camera, Dataset, Floats
from liftbench_datasets.people.actions import ACTIONS, Action
from liftbench_datasets.people.body import BODY, DOFS
from liftbench_datasets.people.motion import (
    FRAMES_PER_SECOND,
    Motion,
    make_motion,
    swap_sides,
    within_limits,
)
from liftbench_datasets.synthetic_body import adapter as synthetic_body
from liftbench_datasets.synthetic_body.adapter import (
    SKELETON,
    SYNTHETIC_BODY,
    SyntheticBody,
    SyntheticBodyParams,
    action_name,
)

NOWHERE = Path("/nonexistent")


def load(split: str = "train", **params: object) -> Dataset:
    return SyntheticBody(**params).load(NOWHERE, "all", split)


@cache
def motions(action: str, count: int = 4, frames: int = 240) -> list[Motion]:
    return [
        make_motion(named_rng("test", action, i), ACTIONS[action], frames) for i in range(count)
    ]


def point(positions: Floats, name: str) -> Floats:
    return positions[:, BODY.names.index(name)]


def bone(positions: Floats, name: str) -> Floats:
    joint = BODY.names.index(name)
    return positions[:, joint] - positions[:, BODY.parent[joint]]


def facing(positions: Floats) -> Floats:
    """Turn each frame about the vertical so that the pelvis looks along +z."""
    left = point(positions, "lhipjoint") - point(positions, "rhipjoint")
    angle = np.arctan2(left[:, 2], left[:, 0])[:, None]
    x, y, z = np.moveaxis(subtract_mean(positions), 2, 0)
    return np.stack(
        [np.cos(angle) * x + np.sin(angle) * z, y, np.cos(angle) * z - np.sin(angle) * x], axis=2
    )


def bone_lengths(points_3d: Floats) -> Floats:
    ends = points_3d[:, np.array(SKELETON.edges)]
    lengths: Floats = np.linalg.norm(ends[:, :, 0] - ends[:, :, 1], axis=2)
    return lengths


def pairwise(points: Floats) -> Floats:
    distances: Floats = np.linalg.norm(points[:, :, None] - points[:, None], axis=3)
    return distances


# --- the body -----------------------------------------------------------------------------


def test_skeleton_is_that_of_the_motion_capture() -> None:
    assert len(SKELETON.points) == 31
    assert len(SKELETON.edges) == 30
    assert SKELETON.points[SKELETON.root] == "root"
    assert len(SKELETON.left_right) == 12
    mirror = [(SKELETON.points[a], SKELETON.points[b]) for a, b in SKELETON.left_right]
    assert all(a[0] + b[0] == "lr" and a[1:] == b[1:] for a, b in mirror)


@pytest.mark.parametrize("camera", ["orthographic", "perspective"])
def test_bones_keep_the_lengths_of_the_body(camera: str) -> None:
    lengths = bone_lengths(truth_of(load(frames=300, camera=camera)).points_3d)
    assert np.ptp(lengths, axis=0).max() < 1e-9
    expected = np.linalg.norm(BODY.bone[1:], axis=1)
    np.testing.assert_allclose(lengths, np.broadcast_to(expected, lengths.shape), atol=1e-9)


def test_person_is_as_tall_as_a_person() -> None:
    standing = np.concatenate([m.positions for m in motions("wave")])
    assert 1.68 < np.median(point(standing, "head")[:, 1]) < 1.80
    assert 0.9 < np.median(point(standing, "root")[:, 1]) < 1.05


@pytest.mark.parametrize("action", ACTIONS)
def test_feet_carry_the_body(action: str) -> None:
    flight = 0.15 if action == "run" else 0.06
    for motion in motions(action):
        lowest = motion.positions[..., 1].min(axis=1)
        assert lowest.min() > -0.01
        assert lowest.max() < flight


# --- motions ------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.1, 1e4))
def test_any_angles_are_pressed_into_the_limits(seed: int, size: float) -> None:
    angles = within_limits(np.random.default_rng(seed).normal(0, size, (20, len(DOFS))))
    assert (angles >= [dof.low for dof in DOFS]).all()
    assert (angles <= [dof.high for dof in DOFS]).all()


def test_limits_change_nothing_away_from_them() -> None:
    middle = np.array([[(dof.low + dof.high) / 2 for dof in DOFS]])
    np.testing.assert_allclose(within_limits(middle), middle, atol=1e-6)
    span = np.array([dof.high - dof.low for dof in DOFS])
    steps = np.diff(within_limits(middle + span * np.linspace(-1, 1, 2001)[:, None]), axis=0)
    assert (steps >= 0).all()
    assert (np.abs(np.diff(steps, axis=0)) < 2e-5 * span).all()  # a bend, not a kink


@pytest.mark.parametrize("action", ACTIONS)
def test_joints_stay_within_their_limits(action: str) -> None:
    for motion in motions(action):
        assert (motion.angles >= [dof.low for dof in DOFS]).all()
        assert (motion.angles <= [dof.high for dof in DOFS]).all()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("side", ["l", "r"])
def test_knees_and_elbows_bend_one_way(action: str, side: str) -> None:
    for motion in motions(action):
        thigh, shank = (bone(motion.positions, side + name) for name in ("femur", "tibia"))
        # A knee folds the shank back: seen from the left the turn is the same in every frame.
        across = point(motion.positions, "lhipjoint") - point(motion.positions, "rhipjoint")
        folded = np.degrees(np.arctan2(*_turn(thigh, shank)))
        inward = np.einsum("fi,fi->f", np.cross(thigh, shank), across)
        assert (inward[folded > 5] > 0).all()
        assert folded.max() <= 145
        elbow = motion.angles[:, [d.name for d in DOFS].index(f"{side}radius.flex")]
        upper, fore = (bone(motion.positions, side + name) for name in ("humerus", "radius"))
        np.testing.assert_allclose(np.degrees(np.arctan2(*_turn(upper, fore))), elbow, atol=1e-6)


def _turn(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    return np.linalg.norm(np.cross(a, b), axis=1), np.einsum("fi,fi->f", a, b)


@pytest.mark.parametrize("action", ACTIONS)
def test_motions_are_smooth(action: str) -> None:
    for motion in motions(action):
        speed = np.diff(motion.positions, axis=0) * FRAMES_PER_SECOND
        pull = np.diff(speed, axis=0) * FRAMES_PER_SECOND
        assert np.linalg.norm(speed, axis=2).max() < (14 if action == "run" else 9)
        assert np.linalg.norm(pull, axis=2).max() < (400 if action == "run" else 150)


@pytest.mark.parametrize("action", ACTIONS)
def test_shapes_are_not_rigid(action: str) -> None:
    shapes = facing(np.concatenate([m.positions for m in motions(action)])).reshape(-1, 93)
    energy = np.linalg.eigvalsh(np.cov(shapes.T))[::-1]
    assert energy.sum() / 31 > 0.05**2  # metres about the mean shape
    share = np.cumsum(energy) / energy.sum()
    assert 3 <= np.searchsorted(share, 0.98) < 30  # many ways to move, yet far from noise


def test_actions_differ_in_shape_and_spread() -> None:
    # The two sides look alike, so that an arm's height is compared and not which arm it is.
    shapes = {a: facing(np.concatenate([m.positions for m in motions(a, 6)])) for a in ACTIONS}
    means = np.array([np.sort(s.mean(axis=0), axis=0) for s in shapes.values()])
    apart = np.linalg.norm(means[:, None] - means[None], axis=3).mean(axis=2)
    assert apart[~np.eye(len(means), dtype=bool)].min() > 0.02
    spread = np.array([s.std(axis=0) for s in shapes.values()])
    differ = np.abs(spread[:, None] - spread[None]).max(axis=(2, 3))
    assert differ[~np.eye(len(spread), dtype=bool)].min() > 0.02


@pytest.mark.parametrize("action", ["walk", "run"])
def test_gait(action: str) -> None:
    for motion in motions(action, frames=600):
        body = facing(motion.positions)
        ahead = {name: point(body, name)[:, 2] for name in ("ltibia", "rtibia", "lwrist", "rwrist")}
        legs, arms = ahead["ltibia"] - ahead["rtibia"], ahead["lwrist"] - ahead["rwrist"]
        assert np.corrcoef(legs, arms)[0, 1] < -0.5  # arms swing against the legs
        knee = motion.angles[:, [dof.name for dof in DOFS].index("ltibia.flex")]
        swings = np.gradient(ahead["ltibia"]) > 0
        assert knee[swings].mean() > knee[~swings].mean() + 15  # the knee bends in the swing
        root = point(motion.positions, "root")
        way = np.diff(root[:, ::2], axis=0)
        speed = np.linalg.norm(way, axis=1).mean() * FRAMES_PER_SECOND
        assert (0.8 < speed < 1.8) if action == "walk" else (2.5 < speed < 4.5)
        forward = np.cross(point(motion.positions, "lhipjoint") - root, [0.0, 1.0, 0.0])[1:, ::2]
        assert (np.einsum("fi,fi->f", way, forward) > 0).mean() > 0.95  # it walks where it looks


def test_squat_goes_down_and_up_and_turn_turns() -> None:
    for motion in motions("squat"):
        height = point(motion.positions, "root")[:, 1]
        assert height.min() < 0.7
        assert height.max() > 0.9
    for motion in motions("turn"):
        left = point(motion.positions, "lhipjoint") - point(motion.positions, "rhipjoint")
        heading = np.unwrap(np.arctan2(left[:, 2], left[:, 0]))
        assert np.degrees(np.ptp(heading)) > 90


def test_no_repetition_is_the_same() -> None:
    head = [dof.name for dof in DOFS].index("head.twist")  # nothing in a squat turns the head
    for motion in motions("squat"):
        assert np.std(motion.angles[:, head]) > 0.2


def test_mirror_swaps_the_sides() -> None:
    angles = named_rng("mirror").normal(size=(5, len(DOFS)))
    names = [dof.name for dof in DOFS]
    swapped = swap_sides(angles)
    np.testing.assert_array_equal(swap_sides(swapped), angles)
    for name, same in (("lfemur.twist", "rfemur.twist"), ("rradius.flex", "lradius.flex")):
        np.testing.assert_array_equal(swapped[:, names.index(name)], angles[:, names.index(same)])
    bend, flex = names.index("thorax.bend"), names.index("thorax.flex")
    np.testing.assert_array_equal(swapped[:, bend], -angles[:, bend])
    np.testing.assert_array_equal(swapped[:, flex], angles[:, flex])


# --- views --------------------------------------------------------------------------------


def camera_turns(seed: int) -> Floats:
    """Recover the rotations of the first sequence's frames from its shapes and views."""
    adapter = SyntheticBody(frames=90, seed=seed)
    views = truth_of(adapter.load(NOWHERE, "all", "train")).points_3d
    turns: Floats = np.linalg.pinv(subtract_mean(adapter.motion(0).positions)) @ views[:3]
    return turns


def test_a_seed_fixes_motions_and_views_and_another_changes_both() -> None:
    one, two, other = (truth_of(load(frames=90, seed=seed)).points_3d for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert np.abs(pairwise(one) - pairwise(other)).max(axis=(1, 2)).min() > 0.02
    assert np.abs(camera_turns(3) - camera_turns(4)).max(axis=(1, 2)).min() > 0.1


def test_draws_do_not_depend_on_other_sequences() -> None:
    few, many = load(frames=60, sequences=6), load(frames=200, sequences=20)
    np.testing.assert_array_equal(
        truth_of(few).points_3d[truth_of(few).sequence == 3],
        truth_of(many).points_3d[truth_of(many).sequence == 3],
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 9), st.integers(0, 60), st.integers(0, 99))
def test_frame_count_is_exact(sequences: int, more: int, seed: int) -> None:
    frames = sequences + more
    train, unseen = (
        load(split, frames=frames, sequences=sequences, seed=seed) for split in ("train", "unseen")
    )
    assert train.observations.frames + unseen.observations.frames == frames
    first, last = (set(truth_of(split).sequence.tolist()) for split in (train, unseen))
    assert first == set(range(int(0.8 * sequences)))
    assert last == set(range(int(0.8 * sequences), sequences))


def test_both_splits_hold_all_actions_and_groups_name_them() -> None:
    for split in ("train", "unseen"):
        truth = truth_of(load(split, frames=60))
        assert set(truth.group.tolist()) == set(ACTIONS)
        assert [action_name(i) for i in truth.sequence] == truth.group.tolist()
        assert truth.unit == "m"


def test_orthographic_points_are_the_centred_shape() -> None:
    data = load(frames=60)
    np.testing.assert_array_equal(data.observations.points_2d, truth_of(data).points_3d[..., :2])
    np.testing.assert_allclose(truth_of(data).points_3d.mean(axis=1), 0, atol=1e-12)
    assert data.observations.visible.all()


def test_views_are_rotations_of_the_bodies() -> None:
    adapter = SyntheticBody(frames=90)
    data = adapter.load(NOWHERE, "all", "train")
    bodies = np.concatenate([adapter.motion(i).positions for i in range(24)])
    views = truth_of(data).points_3d
    np.testing.assert_allclose(pairwise(views), pairwise(bodies), atol=1e-9)
    turned = np.linalg.pinv(subtract_mean(bodies)) @ views
    assert (np.linalg.det(turned) > 0.99).all()  # no mirror
    np.testing.assert_allclose(
        turned @ turned.swapaxes(1, 2), np.tile(np.eye(3), (72, 1, 1)), atol=1e-9
    )
    assert np.abs(turned.mean(axis=0)).max() < 0.3  # turned all ways, each frame by itself
    assert np.abs(np.diff(turned, axis=0)).max(axis=(1, 2)).min() > 0.01


@pytest.mark.parametrize("camera", ["perspective", "weak_perspective"])
def test_cameras_with_depth(camera: Camera) -> None:
    far, flat = load(frames=60, camera=camera, distance=3.0), load(frames=60)
    points = truth_of(far).points_3d
    np.testing.assert_allclose(points.mean(axis=1), [[0, 0, 3 * 1.75]] * len(points), atol=1e-12)
    np.testing.assert_allclose(subtract_mean(points), truth_of(flat).points_3d, atol=1e-12)
    np.testing.assert_array_equal(far.observations.points_2d, project(points, camera))
    assert far.observations.camera == camera
    depth = points[..., 2:] if camera == "perspective" else 3 * 1.75
    np.testing.assert_allclose(far.observations.points_2d * depth, points[..., :2], atol=1e-12)


def test_nearest_camera_is_outside_every_body() -> None:
    for split in ("train", "unseen"):
        near = load(split, camera="perspective", distance=1.0)
        assert truth_of(near).points_3d[..., 2].min() > 0.3


# --- the adapter --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"frames": 29}, "frames: expected at least one for each of 30 sequences, got 29"),
        ({"frames": -5}, "frames: "),
        ({"frames": 100.0}, "frames: expected an integer, got 100.0"),
        ({"seed": "a"}, "seed: expected an integer, got 'a'"),
        ({"seed": True}, "seed: expected an integer, got True"),
        ({"sequences": 1}, "sequences: expected at least 2"),
        ({"camera": "fisheye"}, "camera: expected one of orthographic, "),
        ({"distance": 0.5}, "distance: expected a finite number of at least 1 body height"),
        ({"distance": float("nan")}, "distance: "),
        ({"distance": float("inf")}, "distance: "),
        ({"distance": "far"}, "distance: .*'far'"),
    ],
)
def test_bad_parameters_are_one_line_errors(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        SyntheticBodyParams(**params)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("params", [{"frames": 29}, {"seed": "a"}, {"distance": "far"}])
def test_bad_parameters_of_a_suite_are_user_errors(params: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=next(iter(params))) as caught:
        make_params("dataset 'synthetic_body'", SYNTHETIC_BODY.params, params)
    assert "\n" not in str(caught.value)


def test_unknown_subset_and_split_are_user_errors() -> None:
    adapter = SyntheticBody()
    with pytest.raises(UserError, match="unknown subset"):
        adapter.load(NOWHERE, "al", "train")
    with pytest.raises(UserError, match="unknown split"):
        adapter.load(NOWHERE, "all", "tran")
    with pytest.raises(UserError, match="unknown subset"):
        adapter.checksum(NOWHERE, "al")


def test_checksum_names_the_parameters() -> None:
    variants: list[dict[str, Any]] = [
        {},
        {"frames": 99},
        {"sequences": 9},
        {"seed": 1},
        {"camera": "perspective"},
        {"distance": 5.0},
    ]
    sums = [SyntheticBody(**v).checksum(NOWHERE, "all") for v in variants]
    assert len(set(sums)) == len(sums)
    assert sums[0] == SyntheticBody(frames=4000).checksum(NOWHERE, "all")
    assert all(len(s) == 64 for s in sums)


def test_checksum_changes_with_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    before = SyntheticBody().checksum(NOWHERE, "all")
    monkeypatch.setattr(SyntheticBody, "version", SyntheticBody.version + 1)
    assert SyntheticBody().checksum(NOWHERE, "all") != before


def test_spec_makes_the_adapter() -> None:
    adapter = SYNTHETIC_BODY.make(**vars(SYNTHETIC_BODY.params()))
    assert adapter.subsets(NOWHERE) == ("all",)
    assert adapter.note(NOWHERE, "all") == ""
    assert SYNTHETIC_BODY.synthetic
    for split in SYNTHETIC_BODY.splits:
        assert adapter.load(NOWHERE, "all", split).observations.frames > 0


def test_check_finds_a_whole_body() -> None:
    findings = SyntheticBody(frames=120).check(NOWHERE)
    assert [f.item for f in findings] == ["frames", "bones", "joint limits", "ground"]
    assert all(f.ok for f in findings)


@pytest.mark.parametrize(
    ("item", "angles", "positions"),
    [
        ("bones", 0.0, np.linspace(0, 0.01, 31)[:, None]),
        ("joint limits", 500.0, 0.0),
        ("ground", 0.0, np.array([0.0, 1.0, 0.0])),
    ],
)
def test_check_finds_damage(
    monkeypatch: pytest.MonkeyPatch, item: str, angles: float, positions: Floats | float
) -> None:
    def damaged(rng: np.random.Generator, action: Action, frames: int) -> Motion:
        motion = make_motion(rng, action, frames)
        return replace(
            motion, angles=motion.angles + angles, positions=motion.positions + positions
        )

    monkeypatch.setattr(synthetic_body, "make_motion", damaged)
    failed = [f.item for f in SyntheticBody(frames=60).check(NOWHERE) if not f.ok]
    assert failed == [item]


def test_check_finds_lost_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SyntheticBody, "_frames", lambda *_: 2)
    failed = [f.item for f in SyntheticBody(frames=100).check(NOWHERE) if not f.ok]
    assert failed == ["frames"]
