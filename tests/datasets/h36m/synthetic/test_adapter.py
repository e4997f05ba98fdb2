"""The generated people in front of four cameras."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import not_none
from tests.datasets.conftest import truth_of

from liftbench.errors import UserError
from liftbench.suites.suite import make_params
from liftbench.types import Dataset, Floats
from liftbench_datasets.h36m.cameras import CAMERAS, LENSES
from liftbench_datasets.h36m.skeleton import ACTIONS, SKELETON, SUBJECTS, sequence_id
from liftbench_datasets.h36m.synthetic import adapter as synthetic_h36m
from liftbench_datasets.h36m.synthetic import performances
from liftbench_datasets.h36m.synthetic.adapter import (
    SYNTHETIC_H36M,
    SyntheticH36m,
    SyntheticH36mParams,
)
from liftbench_datasets.people.actions import Action
from liftbench_datasets.people.motion import Motion, make_motion

NOWHERE = Path("/nonexistent")
SEQUENCES = 7 * 15 * 4
EVERYBODY = [subject for subjects in SUBJECTS.values() for subject in subjects]
WALKS = ("WalkDog", "Walking", "WalkTogether")


@cache
def load(split: str = "train", frames: int = SEQUENCES, seed: int = 0, **params: Any) -> Dataset:
    return SyntheticH36m(frames=frames, seed=seed, **params).load(NOWHERE, "all", split)


@cache
def motion(action: str, subject: str = "S1", frames: int = 60) -> Floats:
    return SyntheticH36m().motion(subject, action, frames)


def point(points: Floats, name: str) -> Floats:
    return points[:, SKELETON.points.index(name)]


def bones(points: Floats) -> Floats:
    """Return (F, 12) lengths of the limbs' edges."""
    edges = [(a, b) for a, b in SKELETON.edges if SKELETON.points[b][0] in "LR"]
    return np.stack([np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in edges], 1)


# --- people -------------------------------------------------------------------------------


def test_bodies_differ_among_subjects_and_keep_their_bones() -> None:
    lengths = []
    for subject in EVERYBODY:
        one, other = (bones(motion(action, subject)) for action in ("Walking", "Sitting"))
        assert np.ptp(np.concatenate([one, other]), axis=0).max() < 1e-6
        lengths.append(one[0])
        np.testing.assert_allclose(one[:, :3], one[:, 3:6])  # both legs alike
    apart = [np.abs(a - b).max() for i, a in enumerate(lengths) for b in lengths[:i]]
    assert min(apart) > 5
    shares = np.array([row / row.sum() for row in lengths])
    assert np.ptp(shares, axis=0).max() > 0.003  # proportions, not statures alone


def test_people_are_as_tall_as_people() -> None:
    for subject in EVERYBODY:
        tall = point(motion("Waiting", subject), "Head")[:, 1]
        assert 1450 < np.median(tall) < 2100


@pytest.mark.parametrize("action", ACTIONS)
def test_actions_look_like_their_names(action: str) -> None:
    for subject in ("S1", "S9"):
        points = motion(action, subject)
        hip, head = point(points, "Hip")[:, 1], point(points, "Head")[:, 1]
        legs = bones(points)[0, 1:3].sum()
        assert points[..., 1].min() > -10
        if action == "SittingDown":
            assert (hip < 0.5 * legs).all()
        elif action in ("Eating", "Sitting"):
            assert ((0.35 * legs < hip) & (hip < 0.9 * legs)).all()
        elif action not in ("Photo", "Purchases"):
            assert (hip > 0.85 * legs).all()
        assert (head > hip).all()
        steps = np.abs(np.diff(points, axis=0)).max()
        assert 20 < steps < (900 if action in WALKS else 400)  # in a tenth of a second


@pytest.mark.parametrize(("action", "reach"), [("Phoning", 300), ("Eating", 300), ("Smoking", 300)])
def test_a_hand_reaches_the_head(action: str, reach: float) -> None:
    for subject in ("S1", "S9"):
        points = motion(action, subject, 150)
        middle = (point(points, "Head") + point(points, "Neck/Nose")) / 2
        near = [np.linalg.norm(point(points, w) - middle, axis=1) for w in ("LWrist", "RWrist")]
        assert np.min(near) < reach


def test_actions_differ_in_shape_and_spread() -> None:
    def look(action: str) -> Floats:
        points = np.concatenate([motion(action, subject) for subject in EVERYBODY])
        apart = np.linalg.norm(points[:, :, None] - points[:, None], axis=3)
        return np.concatenate([apart.mean(axis=0), apart.std(axis=0)])

    looks = np.array([look(action) for action in ACTIONS])
    differ = np.abs(looks[:, None] - looks[None]).max(axis=(2, 3))
    assert differ[~np.eye(len(ACTIONS), dtype=bool)].min() > 30


@pytest.mark.parametrize("action", WALKS)
def test_walkers_circle_and_stay_in_the_room(action: str) -> None:
    points = motion(action, "S5", 3000)
    root = point(points, "Hip")
    assert np.linalg.norm(root[:, ::2], axis=1).max() < 1900
    speed = np.linalg.norm(np.diff(root[:, ::2], axis=0), axis=1) / 100  # m/s
    assert 0.6 < np.median(speed) < 1.8
    left = point(points, "LHip") - point(points, "RHip")
    heading = np.unwrap(np.arctan2(left[:, 2], left[:, 0]))
    assert np.abs(heading[-1] - heading[0]) > 20 * 2 * np.pi


@pytest.mark.parametrize("action", ["Walking", "Sitting"])
def test_a_motion_is_the_beginning_of_a_longer_one(action: str) -> None:
    np.testing.assert_allclose(motion(action, "S6", 40), motion(action, "S6", 90)[:40], atol=1e-9)


# --- cameras ------------------------------------------------------------------------------


def test_cameras_stand_about_the_room_and_look_at_its_middle() -> None:
    places = SyntheticH36m().places()
    around = [np.degrees(np.arctan2(p.position[0], p.position[2])) % 360 for p in places]
    np.testing.assert_allclose(around, [45, 135, 225, 315], atol=10)
    for place in places:
        np.testing.assert_allclose(place.rotation @ place.rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(place.rotation) == pytest.approx(1)
        assert 4500 < np.linalg.norm(place.position[::2]) < 5500
        middle = place.views(np.array([[[0.0, 850.0, 0.0]]]))[0, 0]
        np.testing.assert_allclose(middle[:2], 0, atol=1e-9)
        assert 4500 < middle[2] < 5600
        head = place.views(np.array([[[0.0, 1700.0, 0.0]]]))[0, 0]
        assert head[1] < 0  # y points down
        assert place.rotation[0, 1] == 0  # level


def test_four_cameras_see_the_same_person() -> None:
    data, adapter = load(frames=3 * SEQUENCES), SyntheticH36m(frames=3 * SEQUENCES)
    world = adapter.motion("S5", "Greeting", 3)
    for camera, place in enumerate(adapter.places()):
        chosen = truth_of(data).sequence == sequence_id("S5", "Greeting", 0, camera)
        views = truth_of(data).points_3d[chosen]
        np.testing.assert_allclose(views @ place.rotation + place.position, world, atol=1e-6)
        expected = views[..., :2] / views[..., 2:]
        np.testing.assert_allclose(data.observations.points_2d[chosen], expected)


def test_everybody_is_in_the_image_four_to_six_metres_away() -> None:
    for split in ("train", "test"):
        data = load(split, frames=8400)
        depth = truth_of(data).points_3d[:, 0, 2]
        assert depth.min() > 3000
        assert depth.max() < 7000
        assert 4500 < np.median(depth) < 5500
        for camera, name in enumerate(CAMERAS, start=1):
            seen = data.observations.points_2d[truth_of(data).sequence % 10 == camera]
            pixels = LENSES[name].pixels(seen)
            assert pixels.min() > 0
            assert pixels.max() < 1000
            assert np.ptp(pixels[..., 1], axis=1).max() > 300


def test_a_pixel_is_one_of_the_image() -> None:
    """The far views tell how many pixels apart the near ones are; the lens bends them little."""
    near, far = load(camera="orthographic").observations, load().observations
    np.testing.assert_allclose(not_none(far.pixel), 1 / 1147, rtol=3e-3)
    apart, expected = (
        np.ptp(seen.points_2d / not_none(seen.pixel)[:, None, None], axis=1) for seen in (near, far)
    )
    np.testing.assert_allclose(apart, expected, rtol=0.15)


def test_orthographic_views_are_hip_centred() -> None:
    near, far = load(camera="orthographic"), load()
    seen, true = near.observations.points_2d, truth_of(near).points_3d
    np.testing.assert_array_equal(seen[:, 0], 0)
    np.testing.assert_allclose(true, truth_of(far).points_3d - truth_of(far).points_3d[:, :1])
    mean = [np.linalg.norm(p[:, 1:, :2], axis=2).mean(axis=1) for p in (seen, true)]
    np.testing.assert_allclose(mean[0], mean[1])


# --- the adapter --------------------------------------------------------------------------


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 900), st.integers(0, 99))
def test_frame_count_is_exact(more: int, seed: int) -> None:
    parts = [load(split, SEQUENCES + more, seed) for split in ("train", "test")]
    assert sum(part.observations.frames for part in parts) == SEQUENCES + more
    ids = [set(truth_of(part).sequence.tolist()) for part in parts]
    assert sum(map(len, ids)) == SEQUENCES == len(set.union(*ids))
    assert {i // 10_000 for i in ids[0]} == {1, 5, 6, 7, 8}
    assert {i // 10_000 for i in ids[1]} == {9, 11}


def test_groups_sequences_and_boxes() -> None:
    for split in ("train", "test"):
        data = load(split)
        assert set(truth_of(data).group.tolist()) == set(ACTIONS)
        expected = [ACTIONS[i // 100 % 100 - 1] for i in truth_of(data).sequence.tolist()]
        assert truth_of(data).group.tolist() == expected
        points, box = data.observations.points_2d, not_none(data.observations.box)
        np.testing.assert_allclose(box[:, :2] + box[:, 2:], points.max(axis=1))
        assert truth_of(data).unit == "mm"


def test_a_seed_fixes_all_and_another_changes_people_motions_and_cameras() -> None:
    one, two, other = (SyntheticH36m(seed=seed) for seed in (3, 3, 4))
    first, again = (truth_of(a.load(NOWHERE, "all", "test")).points_3d for a in (one, two))
    np.testing.assert_array_equal(first, again)
    assert np.abs(one.body("S9").bone - other.body("S9").bone).max() > 1e-3
    assert np.abs(one.places()[0].position - other.places()[0].position).max() > 1
    assert np.abs(one.motion("S9", "Posing", 2) - other.motion("S9", "Posing", 2)).max() > 20


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"frames": SEQUENCES - 1}, "frames: expected at least one for each of 420 sequences"),
        ({"frames": 1e4 + 0.5}, "frames: "),
        ({"seed": "a"}, "seed: "),
        ({"camera": "weak_perspective"}, "camera: "),
        ({"people": 6}, "people: expected at least 7, got 6"),
        ({"people": 8}, "frames: expected at least one for each of 480 sequences, got 420"),
        ({"pictures": 16}, "pictures: expected 0 or 32 to 512 pixels, got 16"),
    ],
)
def test_params_are_checked(params: dict[str, Any], message: str) -> None:
    params = {"frames": SEQUENCES} | params
    with pytest.raises(UserError) as caught:
        make_params("dataset 'synthetic_h36m'", SYNTHETIC_H36M.params, params)
    assert str(caught.value).startswith(f"dataset 'synthetic_h36m': {message}")
    with pytest.raises(ValueError, match=message):
        SyntheticH36mParams(**params)


def test_unknown_names() -> None:
    with pytest.raises(UserError, match="unknown subset of dataset 'synthetic_h36m' 'S1'"):
        SyntheticH36m().load(NOWHERE, "S1", "train")
    with pytest.raises(UserError, match="unknown split 'unseen'"):
        SyntheticH36m().load(NOWHERE, "all", "unseen")


def test_more_people_join_both_splits_and_change_nobody() -> None:
    data = {split: load(split, frames=20 * 60, people=20) for split in ("train", "test")}
    people = {k: set((truth_of(v).sequence // 10_000).tolist()) for k, v in data.items()}
    assert people["test"] == {9, 11, 17, 18, 24}
    assert people["train"] == {1, 5, 6, 7, 8, *range(12, 17), *range(19, 24)}
    for split, few in (("train", load("train")), ("test", load("test"))):
        same = np.isin(truth_of(data[split]).sequence, truth_of(few).sequence)
        np.testing.assert_array_equal(
            truth_of(data[split]).points_3d[same], truth_of(few).points_3d
        )


def test_parameters_that_came_later_leave_the_checksum_at_their_first_defaults() -> None:
    def checksum(**params: Any) -> str:
        return SyntheticH36m(**params).checksum(NOWHERE, "all")

    stored = "54a4e8a9f60024267ef72c236e64561af658dce4a485f004d71c63f6a0676c33"  # in results/
    assert checksum() == checksum(people=7, pictures=0, wander=0) == stored
    sums = {
        checksum(**params)
        for params in ({}, {"people": 8}, {"pictures": 64}, {"pictures": 96}, {"wander": 9.0})
    }
    assert len(sums) == 5


def test_check_finds_all_whole() -> None:
    findings = {f.item: f for f in SyntheticH36m(frames=840, camera="orthographic").check(NOWHERE)}
    assert all(f.ok for f in findings.values())
    assert findings["frames"].detail == "600 to train and 240 to test, in 420 sequences"


def test_check_finds_growing_bones_and_people_out_of_view(monkeypatch: pytest.MonkeyPatch) -> None:
    def growing(rng: np.random.Generator, action: Action, frames: int, *rest: Any) -> Motion:
        made = make_motion(rng, action, frames, *rest)
        growth = np.linspace(1, 3, frames)[:, None, None]
        return replace(made, positions=made.positions * growth)

    monkeypatch.setattr(performances, "make_motion", growing)
    bad = {f.item for f in SyntheticH36m(frames=840).check(NOWHERE) if not f.ok}
    assert "bones" in bad
    monkeypatch.undo()
    monkeypatch.setattr(synthetic_h36m, "DISTANCES", (2500.0, 2600.0))
    assert "image" in {f.item for f in SyntheticH36m(frames=840).check(NOWHERE) if not f.ok}


def test_an_action_has_its_frames_of_all() -> None:
    every = load("test")
    walks = SyntheticH36m(frames=SEQUENCES).load(NOWHERE, "walk_dog", "test")
    chosen = truth_of(every).group == "WalkDog"
    assert chosen.any()
    np.testing.assert_array_equal(truth_of(walks).points_3d, truth_of(every).points_3d[chosen])
    np.testing.assert_array_equal(walks.observations.sequence, every.observations.sequence[chosen])
