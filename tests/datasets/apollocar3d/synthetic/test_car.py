"""The generated cars: their keypoints and what their bodies hide."""

from __future__ import annotations

import numpy as np
import pytest
from tests.datasets.apollocar3d.synthetic.conftest import LEFT, RIGHT, cars, column

from liftbench.types import Bools
from liftbench_datasets.apollocar3d.skeleton import SKELETON


def hidden_from(x: float, y: float, z: float) -> Bools:
    eyes = np.tile([x, y, z], (len(cars().points), 1))
    hull, cabin = (part.hides(cars().points, eyes) for part in cars().parts)
    return hull | cabin


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


def test_shapes_differ_in_more_than_size() -> None:
    shapes = (cars().points / cars().size[:, [1, 2, 0]][:, None]).reshape(len(cars().points), -1)
    energy = np.linalg.svd(shapes - shapes.mean(axis=0), compute_uv=False) ** 2
    assert np.searchsorted(np.cumsum(energy) / energy.sum(), 0.95) >= 3


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
