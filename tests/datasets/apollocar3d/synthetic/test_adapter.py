"""The generated cars: their keypoints, what their bodies hide, and their places in traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.conftest import not_none
from tests.datasets.apollocar3d.synthetic.conftest import NOWHERE, load
from tests.datasets.conftest import truth_of

from liftbench.errors import UserError
from liftbench.suites.suite import make_params
from liftbench_datasets.apollocar3d.cameras import CAMERA_5
from liftbench_datasets.apollocar3d.synthetic.adapter import (
    DRIVES,
    SYNTHETIC_APOLLO,
    SyntheticApollo,
    SyntheticApolloParams,
    Views,
)
from liftbench_datasets.apollocar3d.views import GROUPS


def test_points_are_the_perspective_views_of_the_truth() -> None:
    data = load()
    seen, truth = data.observations, truth_of(data)
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
    near = np.linalg.norm(truth_of(data).points_3d[:, hubs], axis=2).reshape(-1, 2, 2).sum(axis=2)
    assert (near.argmin(axis=1)[left.any(axis=1)] == 0).all()
    assert (near.argmin(axis=1)[right.any(axis=1)] == 1).all()
    assert min(left.any(axis=1).mean(), right.any(axis=1).mean()) > 0.3


def test_boxes_are_those_of_all_points() -> None:
    data = load()
    image = truth_of(data).points_3d[..., :2] / truth_of(data).points_3d[..., 2:]
    corner, size = np.split(not_none(data.observations.box), 2, axis=1)
    np.testing.assert_array_equal(corner, image.min(axis=1))
    np.testing.assert_allclose(corner + size, image.max(axis=1), atol=1e-15)


def test_a_pixel_is_one_of_the_image() -> None:
    seen = load().observations
    moved = seen.points_2d + not_none(seen.pixel)[:, None, None]
    steps = CAMERA_5.pixels(moved) - CAMERA_5.pixels(seen.points_2d)
    np.testing.assert_allclose(steps[seen.visible], 1, rtol=5e-4)


def test_groups_are_distances() -> None:
    truth = truth_of(load())
    depth = truth.points_3d[..., 2].mean(axis=1)
    assert depth.max() <= 30
    assert 4 < depth.min() < 6
    assert truth.group.tolist() == [GROUPS[int(d // 10)] for d in depth]
    assert set(truth.group.tolist()) == set(GROUPS)


def test_without_occlusion_the_same_cars_show_all_points() -> None:
    hidden, shown = load(frames=200), load(frames=200, occlusion=False)
    assert shown.observations.visible.all()
    np.testing.assert_array_equal(truth_of(shown).points_3d, truth_of(hidden).points_3d)
    visible = hidden.observations.visible
    np.testing.assert_array_equal(
        shown.observations.points_2d[visible], hidden.observations.points_2d[visible]
    )


def test_a_seed_fixes_the_frames_and_another_changes_them() -> None:
    one, two, other = (
        not_none(
            truth_of(SyntheticApollo(frames=80, seed=seed).load(NOWHERE, "all", "train"))
        ).points_3d
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max(axis=(1, 2)).min() > 0.02


def test_more_frames_change_none_of_the_first() -> None:
    few, many = load(frames=90), load(frames=12000)  # beyond what a drive draws at once
    for drive in (0, 17):
        first = truth_of(few).points_3d[truth_of(few).sequence == drive]
        more = truth_of(many).points_3d[truth_of(many).sequence == drive]
        assert len(more) == 300
        np.testing.assert_array_equal(more[: len(first)], first)
        assert len(np.unique(more[:, 0, 0])) == 300


@pytest.mark.parametrize("frames", [40, 41, 99, 4000])
def test_frame_count_is_exact(frames: int) -> None:
    train, unseen = (truth_of(load(split, frames=frames)) for split in ("train", "unseen"))
    assert len(train.points_3d) + len(unseen.points_3d) == frames
    assert set(train.sequence.tolist()) == set(range(32))
    assert set(unseen.sequence.tolist()) == set(range(32, DRIVES))


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
def test_bad_parameters_are_reported_in_one_line(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        SyntheticApolloParams(**params)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("params", [{"frames": 39}, {"seed": "a"}, {"occlusion": "a"}])
def test_bad_parameters_of_a_suite_are_user_errors(params: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=next(iter(params))) as caught:
        make_params("dataset 'synthetic_apollo'", SYNTHETIC_APOLLO.params, params)
    assert "\n" not in str(caught.value)


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
