"""The generated rigid objects: their shapes, what they hide, and how cameras see them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from liftbench.errors import UserError
from liftbench.protocols.view_metrics import covered, volume_overlap
from liftbench.seeds import named_rng
from liftbench.suites.suite import checked_params
from liftbench.types import Dataset, Floats, Reconstruction
from liftbench_datasets.pascal3d.cad import read_cad
from liftbench_datasets.pascal3d.categories import CATEGORIES, POINTS, columns, skeleton
from liftbench_datasets.pascal3d.synthetic import adapter as synthetic_pascal3d
from liftbench_datasets.pascal3d.synthetic.adapter import (
    BATCH,
    SKETCHES,
    SYNTHETIC_PASCAL3D,
    SyntheticPascal3d,
    SyntheticPascal3dParams,
    _drawn,
)
from liftbench_datasets.pascal3d.synthetic.bodies import (
    SKIN,
    Bodies,
    Sketch,
    around,
    box_surface,
    draw_bodies,
)
from liftbench_datasets.pascal3d.views import Views

NOWHERE = Path("/nonexistent")
FRONT, BACK, LEFT, RIGHT, ABOVE = np.array(
    [[0, -1, 0], [0, 1, 0], [-1, 0, 0], [1, 0, 0], [0, 0, 1]], dtype=float
)


@cache
def load(subset: str = "all", split: str = "train", **params: object) -> Dataset:
    return SyntheticPascal3d(**params).load(NOWHERE, subset, split)


@cache
def bodies(category: str) -> Bodies:
    return draw_bodies(named_rng("test bodies", category), SKETCHES[category], 200, category)


def shown_to(category: str, direction: np.ndarray) -> dict[str, float]:
    """Return the share of bodies that show each point to an eye in a direction."""
    seen = bodies(category).visible(np.tile(direction, (200, 1))).mean(axis=0)
    return dict(zip(POINTS[category], seen.tolist(), strict=True))


# --- shapes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("category", CATEGORIES)
def test_sides_are_mirror_images(category: str) -> None:
    points = bodies(category).points
    left, right = np.array(skeleton(category).left_right).T
    np.testing.assert_allclose(points[:, right], points[:, left] * [-1, 1, 1], atol=1e-12)
    assert (points[:, left, 0] < 0).all()
    middle = np.setdiff1d(np.arange(points.shape[1]), [*left, *right])
    np.testing.assert_allclose(points[:, middle, 0], 0, atol=1e-12)


@pytest.mark.parametrize("category", CATEGORIES)
def test_bodies_measure_one_about_their_middle(category: str) -> None:
    made = bodies(category)
    ends = [part.offsets.reshape(200, 2, 3) * [[[1.0], [-1.0]]] for part in made.parts]
    corners = np.concatenate([made.points, *ends], axis=1)
    low, high = corners.min(axis=1), corners.max(axis=1)
    np.testing.assert_allclose(low, -high, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(high - low, axis=1), 1)


@pytest.mark.parametrize("category", CATEGORIES)
def test_shapes_differ_in_more_than_one_way(category: str) -> None:
    shapes = bodies(category).points.reshape(200, -1)
    energy = np.linalg.svd(shapes - shapes.mean(axis=0), compute_uv=False) ** 2
    assert np.sqrt(energy[0] / 200) > 0.02
    assert np.searchsorted(np.cumsum(energy) / energy.sum(), 0.95) >= 1


@pytest.mark.parametrize(
    ("category", "front", "back"),
    [
        ("aeroplane", "noselanding", "tail"),
        ("car", "left_front_light", "left_back_trunk"),
        ("tvmonitor", "front_top_left", "back_top_left"),
        ("sofa", "seat_bottom_left", "seat_top_left"),
        ("motorbike", "headlight_center", "back_seat"),
        ("diningtable", "top_down", "top_up"),
        ("chair", "seat_lower_left", "back_upper_left"),
        ("bus", "left_front_wheel", "left_back_wheel"),
        ("bottle", "body", "body_left"),
        ("boat", "head", "tail"),
        ("bicycle", "left_front_wheel", "seat_back"),
        ("train", "mid1_left_top", "mid2_left_top"),
    ],
)
def test_the_front_is_at_negative_y(category: str, front: str, back: str) -> None:
    y = bodies(category).points[..., 1]
    names = POINTS[category]
    assert (y[:, names.index(front)] < y[:, names.index(back)]).all()


@pytest.mark.parametrize(
    ("category", "upper", "lower"),
    [
        ("aeroplane", "rudder_upper", "rudder_lower"),
        ("car", "upper_left_windshield", "left_front_light"),
        ("tvmonitor", "front_top_left", "front_bottom_left"),
        ("sofa", "top_left_corner", "seat_top_left"),
        ("motorbike", "left_handle_center", "left_front_wheel"),
        ("diningtable", "top_left", "leg_upper_left"),
        ("chair", "back_upper_left", "seat_upper_left"),
        ("bus", "body_front_left_upper", "left_front_wheel"),
        ("bottle", "mouth", "body"),
        ("boat", "head", "head_down"),
        ("bicycle", "seat_back", "left_pedal_center"),
        ("train", "head_top", "head_left_top"),
    ],
)
def test_up_is_z(category: str, upper: str, lower: str) -> None:
    z = bodies(category).points[..., 2]
    names = POINTS[category]
    assert (z[:, names.index(upper)] > z[:, names.index(lower)]).all()


def test_real_buses_are_like_some_of_the_bodies(shared_data: Path) -> None:
    models = read_cad(shared_data / "pascal3d" / "CAD" / "bus.mat", "bus")
    real, made = (p - p.mean(axis=1, keepdims=True) for p in (models, bodies("bus").points))
    gaps = np.linalg.norm(real[:, None] - made[None], axis=(2, 3)).min(axis=1)
    assert (gaps / np.linalg.norm(real, axis=(1, 2))).mean() < 0.2


# --- surfaces -------------------------------------------------------------------------------


@pytest.mark.parametrize("category", CATEGORIES)
def test_points_lie_on_their_body(category: str) -> None:
    """Each point has a box around it or no farther than a fiftieth of the body."""
    made = bodies(category)
    low, high = np.moveaxis(made.solids[:, None], 3, 0)
    points = made.points[:, :, None]
    gaps = np.linalg.norm(np.maximum(np.maximum(low - points, points - high), 0), axis=3)
    assert gaps.min(axis=2).max() < 0.02


@pytest.mark.parametrize("category", CATEGORIES)
def test_surfaces_are_closed_face_outwards_and_measure_about_one(category: str) -> None:
    mesh = box_surface(bodies(category).solids[7])
    ends = np.concatenate([mesh.faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    edges = set(map(tuple, ends.tolist()))
    assert len(edges) == len(ends)
    assert edges == {(b, a) for a, b in edges}
    corners = mesh.vertices[mesh.faces]
    volume = np.linalg.det(corners).sum() / 6
    sides = np.diff(bodies(category).solids[7], axis=1)[:, 0]
    assert volume == pytest.approx(sides.prod(axis=1).sum())
    assert 0.95 < np.linalg.norm(np.ptp(mesh.vertices, axis=0)) < 1.06


def test_a_box_around_points_holds_them_and_no_more() -> None:
    points = {"left_wing": (-np.array([1.0, 2.0]), 0.0, 3.0), "tail": (0.0, np.ones(2), 1.0)}
    x, y, z = around(points, "left_wing right_wing tail", (0.0, 0.5, np.array([0.0, 1.0])))
    np.testing.assert_array_equal(x, [[-1, -2], [1, 2]])
    np.testing.assert_array_equal(y, [[-0.5, -0.5], [1.5, 1.5]])
    np.testing.assert_array_equal(z, [[1, 0], [3, 4]])


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_mesh_seen_by_the_camera_of_its_frame_covers_the_points(category: str) -> None:
    data = load(category, "unseen", frames=20)
    truth = data.truth
    for number, points_3d in zip(truth.mesh.tolist(), truth.points_3d, strict=True):
        _, drawn = _drawn(category, 0, number // BATCH)
        scale, turn, move = similarity(drawn.points[number % BATCH], points_3d)
        mesh = truth.meshes[number]
        seen = scale * mesh.vertices @ turn.T + move
        corner = seen[:, :2].min(axis=0) - 30
        seen[:, :2] -= corner
        mask = covered(seen, mesh.faces, (640, 640))
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
    own = [data.truth.meshes[int(number)] for number in data.truth.mesh]
    for shift, expected in ((0, 1.0), (1, None)):
        vertices = np.stack([mesh.vertices for mesh in np.roll(np.array(own), shift)])
        made = Reconstruction(data.truth.points_3d, canonical_vertices=vertices, faces=own[0].faces)
        scores = volume_overlap(made, data)
        assert (scores == expected).all() if expected else (scores < 0.9).all()


def test_meshes_are_made_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(synthetic_pascal3d, "box_surface", made.append)
    truth = SyntheticPascal3d(frames=300).load(NOWHERE, "all", "unseen").truth
    assert len(truth.meshes) >= 300 * 12
    assert made == []
    for row in (0, 60, -1):
        number = int(truth.mesh[row])
        assert truth.meshes[number] is None
    assert len(made) == 3
    with pytest.raises(IndexError):
        truth.meshes[len(truth.meshes)]


# --- what hides -----------------------------------------------------------------------------


def box(count: int = 1) -> Bodies:
    """Return bodies with one box in them; the points are unused."""
    sketch = Sketch(dict.fromkeys(POINTS["bottle"], (0.0, 0.0, 0.0)), [((-1, 1), (-2, 2), (-1, 1))])
    return draw_bodies(named_rng("box"), lambda _: sketch, count, "bottle")


def test_boxes_hide_what_samples_of_the_ray_say() -> None:
    rng = named_rng("rays")
    points = rng.uniform(-0.7, 0.7, (1, 300, 3))
    direction = np.array([[0.6, 0.64, 0.48]])
    half = np.array([1, 2, 1]) / np.sqrt(24) - SKIN
    along = np.linspace(0, 2.5, 4001)[:, None, None]
    inside = (np.abs(points + along * direction) < half).all(axis=2).any(axis=0)
    shown = replace(box(), points=points).visible(direction)[0]
    assert 0.1 < inside.mean() < 0.6
    assert (shown == ~inside).mean() > 0.995


@pytest.mark.parametrize("category", ["car", "bus", "bicycle", "motorbike", "train"])
def test_the_far_side_hides(category: str) -> None:
    level = RIGHT + 0.15 * ABOVE
    share = shown_to(category, level / np.linalg.norm(level))
    low = [n for n in share if any(w in n for w in ("wheel", "pedal", "mid1", "mid2"))]
    assert len(low) >= 4
    for name in low:
        assert share[name] > 0.9 if "right" in name else share[name] < 0.1


def test_what_faces_away_hides() -> None:
    assert shown_to("car", FRONT)["left_front_light"] > 0.9
    assert shown_to("car", BACK)["left_front_light"] < 0.1
    assert shown_to("bottle", BACK)["body"] < 0.1
    assert shown_to("bottle", FRONT)["body"] > 0.9
    assert shown_to("tvmonitor", FRONT)["front_top_left"] > 0.9
    assert shown_to("diningtable", ABOVE)["leg_upper_left"] < 0.1
    assert shown_to("diningtable", FRONT)["leg_upper_left"] > 0.9
    assert shown_to("aeroplane", ABOVE)["noselanding"] < 0.1


def test_a_mirrored_view_hides_the_mirrored_points() -> None:
    direction = np.array([0.7, -0.6, 0.39])
    for category in CATEGORIES:
        one = bodies(category).visible(np.tile(direction, (200, 1)))
        other = bodies(category).visible(np.tile(direction * [-1, 1, 1], (200, 1)))
        left, right = np.array(skeleton(category).left_right).T
        np.testing.assert_array_equal(one[:, left], other[:, right])


# --- views ----------------------------------------------------------------------------------


def test_points_are_bodies_turned_as_cameras_stand() -> None:
    up = {"bus": ("left_back_wheel", "body_back_left_upper"), "bottle": ("bottom", "mouth")}
    for category, (low, high) in up.items():
        points = load(category).truth.points_3d
        names = POINTS[category]
        rise = points[:, names.index(high)] - points[:, names.index(low)]
        assert (rise[:, 1] < 0).mean() > 0.95  # y is down
        tilt = np.degrees(np.arcsin(-rise[:, 2] / np.linalg.norm(rise, axis=1)))
        assert 0 < tilt.mean() < 20  # from above: what is high is nearer
    ends = [POINTS["bus"].index(f"body_{end}_left_lower") for end in ("front", "back")]
    ahead = np.subtract(*np.moveaxis(load("bus").truth.points_3d[:, ends], 1, 0))
    turns = np.degrees(np.arctan2(ahead[:, 0], ahead[:, 2]))
    counts = np.histogram(turns, bins=8, range=(-180, 180))[0]
    assert counts.min() > 0.7 * counts.mean()


@pytest.mark.parametrize("category", CATEGORIES)
def test_observations_are_the_projected_truth(category: str) -> None:
    data = load(category)
    seen, truth = data.observations, data.truth
    assert truth.unit == "px"
    assert seen.camera == "orthographic"
    assert truth.mask.all()
    np.testing.assert_array_equal(
        seen.points_2d[seen.visible], truth.points_3d[..., :2][seen.visible]
    )
    np.testing.assert_allclose(truth.points_3d[..., 2].mean(axis=1), 0, atol=1e-9)
    low, high = truth.points_3d[..., :2].min(axis=1), truth.points_3d[..., :2].max(axis=1)
    np.testing.assert_allclose(seen.box, np.concatenate([low, high - low], axis=1))
    assert ((seen.box[:, 2:].max(axis=1) > 69) & (seen.box[:, 2:].max(axis=1) < 481)).all()


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
    z = data.truth.points_3d[..., 2]
    nearer = (z[:, left] + z[:, right]) / 2 - z[:, body]
    radius = (
        np.linalg.norm(
            np.subtract(*np.moveaxis(data.truth.points_3d[:, [left, right]], 1, 0)), axis=1
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
        rows = joint.truth.group == category
        np.testing.assert_array_equal(joint.truth.points_3d[rows][:, at], own.truth.points_3d)
        visible = joint.observations.visible[rows]
        np.testing.assert_array_equal(visible[:, at], own.observations.visible)
        assert visible.sum() == own.observations.visible.sum()
        assert (joint.truth.mask[rows].sum(axis=1) == len(POINTS[category])).all()


def test_without_occlusion_the_same_objects_show_all_points() -> None:
    for subset in ("chair", "all"):
        hidden, shown = load(subset, frames=40), load(subset, frames=40, occlusion=False)
        np.testing.assert_array_equal(shown.observations.visible, shown.truth.mask)
        np.testing.assert_array_equal(shown.truth.points_3d, hidden.truth.points_3d)


def test_a_seed_fixes_the_frames_and_another_changes_them() -> None:
    one, two, other = (
        SyntheticPascal3d(frames=20, seed=seed).load(NOWHERE, "sofa", "train").truth.points_3d
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max(axis=(1, 2)).min() > 1


def test_more_frames_change_none_of_the_first() -> None:
    few, many = load("boat", frames=10), load("boat", frames=700)  # beyond one batch
    np.testing.assert_array_equal(many.truth.points_3d[:8], few.truth.points_3d)
    assert len(np.unique(many.truth.points_3d[:, 0, 0])) == 560


@pytest.mark.parametrize("frames", [5, 6, 301])
def test_frame_count_is_exact(frames: int) -> None:
    train, unseen = (load("car", s, frames=frames).truth.sequence for s in ("train", "unseen"))
    assert (len(train), len(unseen)) == (4 * frames // 5, frames - 4 * frames // 5)


# --- the adapter ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"frames": 4}, "frames: expected at least 5, got 4"),
        ({"frames": 10.0}, "frames: expected an integer, got 10.0"),
        ({"seed": "a"}, "seed: expected an integer, got 'a'"),
        ({"occlusion": 1}, "occlusion: expected true or false, got 1"),
    ],
)
def test_bad_parameters_are_told_in_one_line(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as told:
        SyntheticPascal3dParams(**params)
    assert "\n" not in str(told.value)


def test_bad_parameters_of_a_suite_are_user_errors() -> None:
    with pytest.raises(UserError, match="frames"):
        checked_params("dataset", SYNTHETIC_PASCAL3D.params, {"frames": 4})


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
