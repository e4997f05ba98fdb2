"""The generated rigid objects: their shapes, what they hide, and how cameras see them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import binary_dilation
from tests.conftest import not_none
from tests.datasets.conftest import mask_of, mesh_numbers_of, meshes_of, truth_of
from tests.datasets.pascal3d.synthetic.conftest import NOWHERE, load

from liftbench.errors import UserError
from liftbench.meshes.rasteriser import covered_pixels
from liftbench.protocols.view_metrics import volume_overlap
from liftbench.suites.suite import make_params
from liftbench.types import Floats, Reconstruction
from liftbench_datasets.pascal3d.categories import CATEGORIES, POINTS, columns
from liftbench_datasets.pascal3d.synthetic import views as synthetic_views
from liftbench_datasets.pascal3d.synthetic.adapter import (
    SYNTHETIC_PASCAL3D,
    SyntheticPascal3d,
    SyntheticPascal3dParams,
)
from liftbench_datasets.pascal3d.synthetic.views import BATCH, draw_batch
from liftbench_datasets.pascal3d.views import Views


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_mesh_seen_by_the_camera_of_its_frame_covers_the_points(category: str) -> None:
    data = load(category, "unseen", frames=20)
    truth = truth_of(data)
    for number, points_3d in zip(not_none(truth.mesh).tolist(), truth.points_3d, strict=True):
        drawn = draw_batch(category, 0, number // BATCH).bodies
        scale, turn, move = similarity(drawn.points[number % BATCH], points_3d)
        mesh = not_none(truth.meshes)[number]
        seen = scale * mesh.vertices @ turn.T + move
        corner = seen[:, :2].min(axis=0) - 30
        seen[:, :2] -= corner
        mask = covered_pixels(seen, mesh.faces, (640, 640))
        near = binary_dilation(mask, iterations=math.ceil(0.02 * scale) + 1)
        column, row = np.rint(points_3d[:, :2] - corner).astype(int).T
        assert near[row, column].all()


def similarity(source: Floats, target: Floats) -> tuple[float, Floats, Floats]:
    """Return scale, rotation and shift that take points to others exactly."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    left, values, right = np.linalg.svd(b.T @ a)
    flip = np.array([1, 1, np.linalg.det(left @ right)])
    turn = (left * flip) @ right
    scale = float((values * flip).sum() / (a**2).sum())
    np.testing.assert_allclose(scale * a @ turn.T, b, atol=1e-6 * scale)
    return scale, turn, target.mean(axis=0) - scale * turn @ source.mean(axis=0)


def test_the_volume_of_a_mesh_overlaps_itself_whole_and_others_less() -> None:
    data = load("aeroplane", "unseen", frames=20)
    own = [meshes_of(data)[int(number)] for number in not_none(mesh_numbers_of(data))]
    for shift, expected in ((0, 1.0), (1, None)):
        vertices = np.stack([mesh.vertices for mesh in np.roll(np.array(own), shift)])
        made = Reconstruction(
            truth_of(data).points_3d, canonical_vertices=vertices, faces=own[0].faces
        )
        scores = volume_overlap(made, data)
        assert (scores == expected).all() if expected else (scores < 0.9).all()


def test_meshes_are_made_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Floats] = []
    monkeypatch.setattr(synthetic_views, "box_surface", made.append)
    data = SyntheticPascal3d(frames=300).load(NOWHERE, "all", "unseen")
    meshes, numbers = meshes_of(data), mesh_numbers_of(data)
    assert len(meshes) >= 300 * 12
    assert made == []
    for row in (0, 60, -1):
        meshes[int(numbers[row])]
    assert len(made) == 3
    with pytest.raises(IndexError):
        meshes[len(meshes)]


def test_points_are_bodies_turned_as_cameras_stand() -> None:
    up = {"bus": ("left_back_wheel", "body_back_left_upper"), "bottle": ("bottom", "mouth")}
    for category, (low, high) in up.items():
        points = truth_of(load(category)).points_3d
        names = POINTS[category]
        rise = points[:, names.index(high)] - points[:, names.index(low)]
        assert (rise[:, 1] < 0).mean() > 0.95  # y is down
        tilt = np.degrees(np.arcsin(-rise[:, 2] / np.linalg.norm(rise, axis=1)))
        assert 0 < tilt.mean() < 20  # from above: what is high is nearer
    ends = [POINTS["bus"].index(f"body_{end}_left_lower") for end in ("front", "back")]
    ahead = np.subtract(*np.moveaxis(truth_of(load("bus")).points_3d[:, ends], 1, 0))
    turns = np.degrees(np.arctan2(ahead[:, 0], ahead[:, 2]))
    counts = np.histogram(turns, bins=8, range=(-180, 180))[0]
    assert counts.min() > 0.7 * counts.mean()


@pytest.mark.parametrize("category", CATEGORIES)
def test_observations_are_the_projected_truth(category: str) -> None:
    data = load(category)
    seen, truth = data.observations, truth_of(data)
    assert truth.unit == "px"
    assert seen.camera == "orthographic"
    assert not_none(truth.mask).all()
    np.testing.assert_array_equal(
        seen.points_2d[seen.visible], truth.points_3d[..., :2][seen.visible]
    )
    np.testing.assert_allclose(truth.points_3d[..., 2].mean(axis=1), 0, atol=1e-9)
    low, high = truth.points_3d[..., :2].min(axis=1), truth.points_3d[..., :2].max(axis=1)
    np.testing.assert_allclose(not_none(seen.box), np.concatenate([low, high - low], axis=1))
    assert (
        (not_none(seen.box)[:, 2:].max(axis=1) > 69) & (not_none(seen.box)[:, 2:].max(axis=1) < 481)
    ).all()


@pytest.mark.parametrize("category", CATEGORIES)
def test_some_points_hide_and_enough_show(category: str) -> None:
    visible = load(category).observations.visible
    assert visible.sum(axis=1).min() >= 3
    assert 0.55 < visible.mean() < 0.99
    assert visible.any(axis=0).all()
    assert not visible.all(axis=0).all()


def test_what_shows_is_what_is_near() -> None:
    data = load("bottle")
    names = POINTS["bottle"]
    body, left, right = (names.index(n) for n in ("body", "body_left", "body_right"))
    z = truth_of(data).points_3d[..., 2]
    nearer = (z[:, left] + z[:, right]) / 2 - z[:, body]
    radius = (
        np.linalg.norm(
            np.subtract(*np.moveaxis(truth_of(data).points_3d[:, [left, right]], 1, 0)),
            axis=1,
        )
        / 2
    )
    shown = data.observations.visible[:, body]
    assert shown[nearer > 0.5 * radius].all()
    assert not shown[nearer < -0.8 * radius].any()


def test_all_holds_every_category_in_its_columns() -> None:
    joint = load(frames=20)
    assert joint.observations.points_2d.shape == (12 * 16, 124, 2)
    assert len(set(joint.observations.sequence.tolist())) == 12 * 16
    for category in CATEGORIES:
        own, at = load(category, frames=20), columns("all", category)
        rows = truth_of(joint).group == category
        np.testing.assert_array_equal(
            truth_of(joint).points_3d[rows][:, at], truth_of(own).points_3d
        )
        visible = joint.observations.visible[rows]
        np.testing.assert_array_equal(visible[:, at], own.observations.visible)
        assert visible.sum() == own.observations.visible.sum()
        assert (mask_of(joint)[rows].sum(axis=1) == len(POINTS[category])).all()


def test_without_occlusion_the_same_objects_show_all_points() -> None:
    for subset in ("chair", "all"):
        hidden, shown = load(subset, frames=40), load(subset, frames=40, occlusion=False)
        np.testing.assert_array_equal(shown.observations.visible, mask_of(shown))
        np.testing.assert_array_equal(truth_of(shown).points_3d, truth_of(hidden).points_3d)


def test_a_seed_fixes_the_frames_and_another_changes_them() -> None:
    one, two, other = (
        not_none(
            truth_of(SyntheticPascal3d(frames=20, seed=seed).load(NOWHERE, "sofa", "train"))
        ).points_3d
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max(axis=(1, 2)).min() > 1


def test_more_frames_change_none_of_the_first() -> None:
    few, many = load("boat", frames=10), load("boat", frames=700)  # beyond one batch
    np.testing.assert_array_equal(truth_of(many).points_3d[:8], truth_of(few).points_3d)
    assert len(np.unique(truth_of(many).points_3d[:, 0, 0])) == 560


@pytest.mark.parametrize("frames", [5, 6, 301])
def test_frame_count_is_exact(frames: int) -> None:
    train, unseen = (truth_of(load("car", s, frames=frames)).sequence for s in ("train", "unseen"))
    assert (len(train), len(unseen)) == (4 * frames // 5, frames - 4 * frames // 5)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"frames": 4}, "frames: expected at least 5, got 4"),
        ({"frames": 10.0}, "frames: expected an integer, got 10.0"),
        ({"seed": "a"}, "seed: expected an integer, got 'a'"),
        ({"occlusion": 1}, "occlusion: expected true or false, got 1"),
    ],
)
def test_bad_parameters_are_reported_in_one_line(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        SyntheticPascal3dParams(**params)
    assert "\n" not in str(caught.value)


def test_bad_parameters_of_a_suite_are_user_errors() -> None:
    with pytest.raises(UserError, match="frames"):
        make_params("dataset", SYNTHETIC_PASCAL3D.params, {"frames": 4})


def test_unknown_subset_and_split_are_user_errors() -> None:
    adapter = SyntheticPascal3d()
    with pytest.raises(UserError, match="did you mean 'car'"):
        adapter.load(NOWHERE, "cars", "train")
    with pytest.raises(UserError, match="unknown split"):
        adapter.load(NOWHERE, "car", "test")
    with pytest.raises(UserError, match="unknown subset"):
        adapter.checksum(NOWHERE, "cars")


def test_checksum_names_the_parameters() -> None:
    variants: list[dict[str, Any]] = [{}, {"frames": 99}, {"seed": 1}, {"occlusion": False}]
    sums = [SyntheticPascal3d(**v).checksum(NOWHERE, "all") for v in variants]
    assert len(set(sums)) == len(sums)
    assert sums[0] == SyntheticPascal3d(frames=1000).checksum(NOWHERE, "all")


def test_spec_makes_the_adapter() -> None:
    adapter = SYNTHETIC_PASCAL3D.make(**vars(SYNTHETIC_PASCAL3D.params(frames=5)))
    assert adapter.subsets(NOWHERE) == ("all", *CATEGORIES)
    assert adapter.note(NOWHERE, "all") == ""
    assert SYNTHETIC_PASCAL3D.synthetic
    for split in SYNTHETIC_PASCAL3D.splits:
        assert adapter.load(NOWHERE, "all", split).observations.frames > 0


def test_check_finds_whole_objects() -> None:
    findings = SyntheticPascal3d(frames=20).check(NOWHERE)
    assert [f.item for f in findings] == list(CATEGORIES)
    assert all(f.ok for f in findings)


@pytest.mark.parametrize(
    "damage",
    [
        lambda views: views.take(np.arange(3)),
        lambda views: replace(views, visible=views.visible & False),
        lambda views: replace(views, points_2d=views.points_2d * 9),
    ],
)
def test_check_finds_damage(
    monkeypatch: pytest.MonkeyPatch, damage: Callable[[Views], Views]
) -> None:
    views = SyntheticPascal3d.views
    monkeypatch.setattr(SyntheticPascal3d, "views", lambda self, c: damage(views(self, c)))
    assert not any(f.ok for f in SyntheticPascal3d(frames=20).check(NOWHERE))
