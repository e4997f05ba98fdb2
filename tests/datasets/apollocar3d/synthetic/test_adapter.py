"""The generated cars: their keypoints, what their bodies hide, and their places in traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liftbench.errors import UserError
from liftbench.seeds import named_rng
from liftbench.suites.suite import checked_params
from liftbench.types import Bools, Dataset
from liftbench_datasets.apollocar3d.cameras import CAMERA_5, Poses
from liftbench_datasets.apollocar3d.skeleton import SKELETON
from liftbench_datasets.apollocar3d.synthetic.adapter import (
    DRIVES,
    SYNTHETIC_APOLLO,
    SyntheticApollo,
    SyntheticApolloParams,
    Views,
)
from liftbench_datasets.apollocar3d.synthetic.car import Cars, draw_cars
from liftbench_datasets.apollocar3d.synthetic.styles import STYLES, draw_measures
from liftbench_datasets.apollocar3d.synthetic.traffic import draw_poses
from liftbench_datasets.apollocar3d.views import GROUPS
from liftbench_datasets.geometry.convex_occlusion import Part

NOWHERE = Path("/nonexistent")
LEFT, RIGHT = np.array(SKELETON.left_right).T


@cache
def load(split: str = "train", **params: object) -> Dataset:
    return SyntheticApollo(**params).load(NOWHERE, "all", split)


@cache
def cars() -> Cars:
    return draw_cars(named_rng("test cars"), 300)


@cache
def poses() -> Poses:
    return draw_poses(named_rng("test poses"), np.full(2000, 0.8))


def hidden_from(x: float, y: float, z: float) -> Bools:
    eyes = np.tile([x, y, z], (len(cars().points), 1))
    hull, cabin = (part.hides(cars().points, eyes) for part in cars().parts)
    return hull | cabin


def column(*words: str) -> list[int]:
    """Return the points whose name holds all words."""
    return [i for i, name in enumerate(SKELETON.points) if all(word in name for word in words)]


# --- the car ------------------------------------------------------------------------------


def test_skeleton_numbers_the_points_as_the_release_does() -> None:
    assert len(SKELETON.points) == 58
    assert sorted(SKELETON.left_right) == [(i, 57 - i) for i in range(29)]
    mirror = [(SKELETON.points[a], SKELETON.points[b]) for a, b in SKELETON.left_right]
    assert all(a == "left" + b.removeprefix("right") for a, b in mirror)
    numbers = {"left_front_wheel_hub": 7, "left_rear_wheel_hub": 20, "left_rear_window_top": 24}
    assert all(SKELETON.points[i] == name for name, i in numbers.items())


def test_edges_are_symmetric_and_join_all_but_the_handles() -> None:
    edges = {frozenset(edge) for edge in SKELETON.edges}
    assert len(edges) == len(SKELETON.edges)
    assert edges == {frozenset(57 - i for i in edge) for edge in edges}
    reached = {0}
    for _ in SKELETON.points:
        reached |= {i for edge in edges if edge & reached for i in edge}
    assert set(range(58)) - reached == set(column("handle"))


def test_sides_are_mirror_images_about_the_centre() -> None:
    points = cars().points
    np.testing.assert_allclose(points[:, RIGHT], points[:, LEFT] * [-1, 1, 1], atol=1e-12)
    np.testing.assert_allclose(points.mean(axis=1), 0, atol=1e-12)
    assert (points[:, LEFT, 0] < -0.3).all()


def test_points_span_the_size_of_the_car() -> None:
    points, (length, width, height) = cars().points, cars().size.T
    span = np.ptp(points, axis=1)
    np.testing.assert_allclose(span[:, 0], width, rtol=1e-9)
    assert ((span[:, 2] > 0.95 * length) & (span[:, 2] <= length)).all()
    roof = cars().road - points[..., 1].min(axis=1)
    assert ((roof > 0.9 * height) & (roof <= height)).all()
    wheels = cars().road[:, None] - points[:, column("hub"), 1]
    assert ((wheels > 0.28) & (wheels < 0.42)).all()


def test_points_follow_each_other_along_the_car() -> None:
    z = cars().points[..., 2]
    order = [
        "left_head_lamp_inner_top",
        "left_front_wheel_arch",
        "left_front_wheel_hub",
        "left_front_door_front_bottom",
        "left_front_handle_front",
        "left_front_handle_rear",
        "left_front_door_rear_top",
        "left_rear_handle_front",
        "left_rear_wheel_hub",
        "left_rear_wheel_arch",
        "left_rear_bumper",
    ]
    assert (np.diff(z[:, [SKELETON.points.index(name) for name in order]], axis=1) < -0.01).all()


def test_measures_stay_in_the_range_of_their_styles() -> None:
    m = draw_measures(named_rng("measures"), 4000)
    for name in ("length", "width", "height"):
        drawn = getattr(m, name)
        low = min(getattr(style, name)[0] for style in STYLES.values())
        high = max(getattr(style, name)[1] for style in STYLES.values())
        assert low <= drawn.min() < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < drawn.max() <= high
    along = np.stack([m.front_axle, m.roof_front_z, m.roof_rear_z, m.deck_z, -m.length / 2])
    assert (np.diff(along, axis=0) < 0).all()
    assert sum(style.share for style in STYLES.values()) == pytest.approx(1)


def test_shapes_differ_in_more_than_size() -> None:
    shapes = (cars().points / cars().size[:, [1, 2, 0]][:, None]).reshape(len(cars().points), -1)
    energy = np.linalg.svd(shapes - shapes.mean(axis=0), compute_uv=False) ** 2
    assert np.searchsorted(np.cumsum(energy) / energy.sum(), 0.95) >= 3


# --- what the body hides ------------------------------------------------------------------


def box_part(half: float) -> Part:
    normals = np.concatenate([np.eye(3), -np.eye(3)])[None]
    return Part(normals, np.full((1, 6), half + 0.03), 0.03)


def test_a_box_hides_what_samples_of_the_segment_say() -> None:
    rng = named_rng("segments")
    points = rng.uniform(-3, 3, (1, 400, 3))
    eye = np.array([[1.3, 0.3, -0.2]])  # close to a face, with points all around
    along = np.linspace(0, 1, 2001)[:, None, None]
    inside = (np.abs(points + along * (eye - points)) < 1).all(axis=2).any(axis=0)
    hides = box_part(1.0).hides(points, eye)[0]
    assert 50 < hides.sum() < 350
    assert (hides != inside).sum() <= 2  # samples miss a cut corner


def test_a_segment_along_a_face_is_decided_by_its_side() -> None:
    eye = np.array([[0.0, 0.0, 9.0]])
    points = np.array([[[0.0, 0.0, -2.0], [0.0, 2.0, -2.0], [0.0, 0.0, 2.0]]])
    assert box_part(1.0).hides(points, eye)[0].tolist() == [True, False, False]
    beside = np.array([[0.0, 2.0, 9.0]])
    assert not box_part(1.0).hides(points[:, 1:2], beside).any()


@pytest.mark.parametrize(("near", "far", "x"), [("left", "right", -12.0), ("right", "left", 12.0)])
def test_a_side_view_shows_that_side_and_hides_the_other(near: str, far: str, x: float) -> None:
    hidden = hidden_from(x, -0.6, 0.0)
    for word in ("hub", "handle", "door", "arch"):
        assert not hidden[:, column(near, word)].any()
    for word in ("hub", "handle", "bottom", "arch", "bumper"):
        assert hidden[:, column(far, word)].all()


def test_views_along_the_car_show_their_end() -> None:
    ahead, behind = hidden_from(0, -0.6, 15.0), hidden_from(0, -0.6, -15.0)
    for word in ("head_lamp", "fog", "windscreen"):
        assert not ahead[:, column(word)].any()
    for word in ("tail_lamp", "trunk", "bumper", "window"):
        assert not behind[:, column(word)].any()
    for word in ("tail_lamp", "trunk", "bumper"):
        assert ahead[:, column(word)].all()
    for word in ("head_lamp", "fog"):
        assert behind[:, column(word)].all()
    assert (ahead & behind)[:, column("hub")].all()


def test_mirrored_eyes_see_mirrored_points() -> None:
    np.testing.assert_array_equal(
        hidden_from(-4.0, -0.9, 6.0)[:, LEFT], hidden_from(4.0, -0.9, 6.0)[:, RIGHT]
    )


# --- traffic ------------------------------------------------------------------------------


def test_poses_are_rigid_and_know_where_the_camera_is() -> None:
    turns = poses().rotations
    np.testing.assert_allclose(
        turns @ turns.swapaxes(1, 2), np.tile(np.eye(3), (len(turns), 1, 1)), atol=1e-9
    )
    assert (np.linalg.det(turns) > 0).all()
    np.testing.assert_allclose(poses().place(poses().eyes()[:, None]), 0, atol=1e-9)


def test_cars_stand_on_the_road_below_the_camera() -> None:
    # Pitch and roll of the car tilt its own plane of the road a little at the camera.
    height = 0.8 - poses().eyes()[:, 1]
    assert abs(height.mean() - 1.8) < 0.03
    assert height.std() < 0.4
    slope, _ = np.polyfit(poses().translations[:, 2], poses().translations[:, 1], 1)
    assert 0.17 < slope < 0.19  # as in the release's poses


def test_cars_mostly_keep_to_the_road_and_to_the_right() -> None:
    forward = poses().rotations[:, :, 2]
    assert 0.8 < (np.abs(forward[:, 2]) > 0.9).mean() < 0.95
    assert 0.05 < (np.abs(forward[:, 0]) > 0.5).mean() < 0.2
    oncoming = forward[:, 2] < -0.9
    assert 0.2 < oncoming.mean() < 0.5
    assert poses().translations[oncoming, 0].mean() < -3
    assert poses().translations[~oncoming, 0].mean() > 0


def test_image_holds_what_lies_within_its_edges() -> None:
    pixels = np.array([[0, 0], [3384, 2710], [-1, 5], [5, -1], [3385, 5], [5, 2711]])
    centre, focal = [CAMERA_5.cx, CAMERA_5.cy], [CAMERA_5.fx, CAMERA_5.fy]
    nudged = pixels + np.array([1e-6, -1e-6])[[0, 1, 0, 0, 0, 0]][:, None]
    assert CAMERA_5.holds((nudged - centre) / focal).tolist() == [True, True] + 4 * [False]


# --- frames -------------------------------------------------------------------------------


def test_points_are_the_perspective_views_of_the_truth() -> None:
    data = load()
    seen, truth = data.observations, data.truth
    assert (seen.camera, truth.unit) == ("perspective", "m")
    assert (truth.points_3d[..., 2] > 0).all()
    back = np.concatenate([seen.points_2d, np.ones((*seen.visible.shape, 1))], axis=2)
    back *= truth.points_3d[..., 2:]
    np.testing.assert_allclose(back[seen.visible], truth.points_3d[seen.visible], atol=1e-12)


def test_at_least_25_points_are_visible_and_all_of_them_in_the_image() -> None:
    seen = load().observations
    counts = seen.visible.sum(axis=1)
    assert counts.min() == 25
    assert counts.max() < 45  # a car never shows both of its sides
    x, y = (seen.points_2d[seen.visible] * [2304.55, 2305.88] + [1686.24, 1354.98]).T
    assert 0 <= x.min() < 50
    assert 3334 < x.max() <= 3384
    assert (y >= 0).all()
    assert (y <= 2710).all()


def test_no_frame_shows_the_wheels_of_both_sides() -> None:
    data = load()
    hubs = [7, 20, 50, 37]  # left front and rear, right front and rear
    left, right = np.split(data.observations.visible[:, hubs], 2, axis=1)
    assert not (left.any(axis=1) & right.any(axis=1)).any()
    near = np.linalg.norm(data.truth.points_3d[:, hubs], axis=2).reshape(-1, 2, 2).sum(axis=2)
    assert (near.argmin(axis=1)[left.any(axis=1)] == 0).all()
    assert (near.argmin(axis=1)[right.any(axis=1)] == 1).all()
    assert min(left.any(axis=1).mean(), right.any(axis=1).mean()) > 0.3


def test_boxes_are_those_of_all_points() -> None:
    data = load()
    image = data.truth.points_3d[..., :2] / data.truth.points_3d[..., 2:]
    assert data.observations.box is not None
    corner, size = np.split(data.observations.box, 2, axis=1)
    np.testing.assert_array_equal(corner, image.min(axis=1))
    np.testing.assert_allclose(corner + size, image.max(axis=1), atol=1e-15)


def test_a_pixel_is_one_of_the_image() -> None:
    seen = load().observations
    moved = seen.points_2d + seen.pixel[:, None, None]
    steps = CAMERA_5.pixels(moved) - CAMERA_5.pixels(seen.points_2d)
    np.testing.assert_allclose(steps[seen.visible], 1, rtol=5e-4)


def test_groups_are_distances() -> None:
    truth = load().truth
    depth = truth.points_3d[..., 2].mean(axis=1)
    assert depth.max() <= 30
    assert 4 < depth.min() < 6
    assert truth.group.tolist() == [GROUPS[int(d // 10)] for d in depth]
    assert set(truth.group.tolist()) == set(GROUPS)


def test_without_occlusion_the_same_cars_show_all_points() -> None:
    hidden, shown = load(frames=200), load(frames=200, occlusion=False)
    assert shown.observations.visible.all()
    np.testing.assert_array_equal(shown.truth.points_3d, hidden.truth.points_3d)
    visible = hidden.observations.visible
    np.testing.assert_array_equal(
        shown.observations.points_2d[visible], hidden.observations.points_2d[visible]
    )


def test_a_seed_fixes_the_frames_and_another_changes_them() -> None:
    one, two, other = (
        SyntheticApollo(frames=80, seed=seed).load(NOWHERE, "all", "train").truth.points_3d
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max(axis=(1, 2)).min() > 0.02


def test_more_frames_change_none_of_the_first() -> None:
    few, many = load(frames=90), load(frames=12000)  # beyond what a drive draws at once
    for drive in (0, 17):
        first = few.truth.points_3d[few.truth.sequence == drive]
        more = many.truth.points_3d[many.truth.sequence == drive]
        assert len(more) == 300
        np.testing.assert_array_equal(more[: len(first)], first)
        assert len(np.unique(more[:, 0, 0])) == 300


@pytest.mark.parametrize("frames", [40, 41, 99, 4000])
def test_frame_count_is_exact(frames: int) -> None:
    train, unseen = (load(split, frames=frames).truth for split in ("train", "unseen"))
    assert len(train.points_3d) + len(unseen.points_3d) == frames
    assert set(train.sequence.tolist()) == set(range(32))
    assert set(unseen.sequence.tolist()) == set(range(32, DRIVES))


# --- the adapter --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"frames": 39}, "frames: expected at least one for each of 40 drives, got 39"),
        ({"frames": 100.0}, "frames: expected an integer, got 100.0"),
        ({"frames": True}, "frames: expected an integer, got True"),
        ({"seed": "a"}, "seed: expected an integer, got 'a'"),
        ({"occlusion": 1}, "occlusion: expected true or false, got 1"),
        ({"occlusion": "no"}, "occlusion: expected true or false, got 'no'"),
    ],
)
def test_bad_parameters_are_told_in_one_line(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as told:
        SyntheticApolloParams(**params)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("params", [{"frames": 39}, {"seed": "a"}, {"occlusion": "a"}])
def test_bad_parameters_of_a_suite_are_user_errors(params: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=next(iter(params))) as told:
        checked_params("dataset 'synthetic_apollo'", SYNTHETIC_APOLLO.params, params)
    assert "\n" not in str(told.value)


def test_unknown_subset_and_split_are_user_errors() -> None:
    adapter = SyntheticApollo()
    with pytest.raises(UserError, match="unknown subset"):
        adapter.load(NOWHERE, "al", "train")
    with pytest.raises(UserError, match="unknown split"):
        adapter.load(NOWHERE, "all", "tran")
    with pytest.raises(UserError, match="unknown subset"):
        adapter.checksum(NOWHERE, "al")


def test_checksum_names_the_parameters_and_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    variants: list[dict[str, Any]] = [{}, {"frames": 99}, {"seed": 1}, {"occlusion": False}]
    sums = [SyntheticApollo(**v).checksum(NOWHERE, "all") for v in variants]
    assert len(set(sums)) == len(sums)
    assert sums[0] == SyntheticApollo(frames=4000).checksum(NOWHERE, "all")
    monkeypatch.setattr(SyntheticApollo, "version", SyntheticApollo.version + 1)
    assert SyntheticApollo().checksum(NOWHERE, "all") not in sums


def test_spec_makes_the_adapter() -> None:
    adapter = SYNTHETIC_APOLLO.make(**vars(SYNTHETIC_APOLLO.params(frames=40)))
    assert adapter.subsets(NOWHERE) == ("all",)
    assert adapter.note(NOWHERE, "all") == ""
    assert SYNTHETIC_APOLLO.synthetic
    for split in SYNTHETIC_APOLLO.splits:
        assert adapter.load(NOWHERE, "all", split).observations.frames > 0


def test_check_finds_whole_cars() -> None:
    findings = SyntheticApollo(frames=400).check(NOWHERE)
    assert [f.item for f in findings] == ["frames", "sizes", "visible points", "depth", "image"]
    assert all(f.ok for f in findings)


@pytest.mark.parametrize(
    ("item", "damage"),
    [
        ("frames", lambda views: views.take(slice(1))),
        ("sizes", lambda views: replace(views, size=views.size + 1)),
        ("visible points", lambda views: replace(views, visible=views.visible & False)),
        ("depth", lambda views: replace(views, depth=views.depth + 30)),
        ("image", lambda views: replace(views, visible=views.visible | True)),
    ],
)
def test_check_finds_damage(
    monkeypatch: pytest.MonkeyPatch, item: str, damage: Callable[[Views], Views]
) -> None:
    drive = SyntheticApollo.drive
    monkeypatch.setattr(SyntheticApollo, "drive", lambda self, i: damage(drive(self, i)))
    failed = [f.item for f in SyntheticApollo(frames=400).check(NOWHERE) if not f.ok]
    assert failed == [item]
