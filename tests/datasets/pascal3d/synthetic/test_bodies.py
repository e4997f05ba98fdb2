"""The generated rigid objects: their shapes, their surfaces and what they hide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.datasets.pascal3d.synthetic.conftest import bodies

from liftbench.seeds import named_rng
from liftbench_datasets.pascal3d.cad import read_cad
from liftbench_datasets.pascal3d.categories import CATEGORIES, POINTS, skeleton
from liftbench_datasets.pascal3d.synthetic.bodies import (
    SKIN,
    Bodies,
    Place,
    Sketch,
    around,
    box_surface,
    draw_bodies,
)

FRONT, BACK, LEFT, RIGHT, ABOVE = np.array(
    [[0, -1, 0], [0, 1, 0], [-1, 0, 0], [1, 0, 0], [0, 0, 1]], dtype=float
)


def shown_to(category: str, direction: np.ndarray) -> dict[str, float]:
    """Return the share of bodies that show each point to an eye in a direction."""
    seen = bodies(category).visible(np.tile(direction, (200, 1))).mean(axis=0)
    return dict(zip(POINTS[category], seen.tolist(), strict=True))


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
    points: dict[str, Place] = {
        "left_wing": (-np.array([1.0, 2.0]), 0.0, 3.0),
        "tail": (0.0, np.ones(2), 1.0),
    }
    x, y, z = around(points, "left_wing right_wing tail", (0.0, 0.5, np.array([0.0, 1.0])))
    np.testing.assert_array_equal(x, [[-1, -2], [1, 2]])
    np.testing.assert_array_equal(y, [[-0.5, -0.5], [1.5, 1.5]])
    np.testing.assert_array_equal(z, [[1, 0], [3, 4]])


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
