"""The 58 keypoints: derived from a mesh, or read from a user's file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.datasets.apollocar3d.conftest import BOX, HALF, box_model, keypoints, write_keypoints

from liftbench.errors import UserError
from liftbench_datasets.apollocar3d.keypoints import (
    DIRECTIONS,
    derive_keypoints,
    read_keypoints,
)
from liftbench_datasets.apollocar3d.models import NAMES, CarModel
from liftbench_datasets.apollocar3d.skeleton import SKELETON


def test_derived_keypoints_of_a_box_are_on_its_faces() -> None:
    expected = HALF * DIRECTIONS / np.abs(DIRECTIONS).max(axis=1, keepdims=True)
    np.testing.assert_allclose(derive_keypoints(box_model()), expected, atol=1e-12)


def test_derived_keypoints_follow_the_box() -> None:
    half, centre = np.array([1.0, 0.6, 2.5]), np.array([0.1, -0.2, 0.3])
    expected = derive_keypoints(box_model()) / HALF * half + centre
    np.testing.assert_allclose(derive_keypoints(box_model(half, centre)), expected, atol=1e-12)


def test_derived_keypoints_are_mirror_images() -> None:
    points = derive_keypoints(box_model())
    left, right = np.array(SKELETON.left_right).T
    np.testing.assert_allclose(points[left] * [-1, 1, 1], points[right], atol=1e-12)
    assert (points[left, 0] < 0).all()
    roof, hub = SKELETON.points.index("left_windscreen_top"), 7
    assert points[roof, 1] < 0 < points[hub, 1]
    assert points[SKELETON.points.index("left_head_lamp_inner_top"), 2] > 2


def test_seats_do_not_count_and_holes_take_the_nearest_vertex() -> None:
    shell, seat = box_model(), box_model(HALF * 0.3)
    faces = np.concatenate([shell.faces[:-2], seat.faces + 8])
    model = CarModel(np.concatenate([shell.vertices, seat.vertices]), faces)
    points, whole = derive_keypoints(model), derive_keypoints(shell)
    hole = np.isclose(whole[:, 2], HALF[2])
    assert 4 < hole.sum() < 30
    np.testing.assert_allclose(points[~hole], whole[~hole], atol=1e-12)
    cosine = DIRECTIONS[hole] @ (BOX / HALF).T
    np.testing.assert_allclose(points[hole], BOX[cosine.argmax(axis=1)])


def test_keypoints_are_those_of_the_users_file(tmp_path: Path) -> None:
    known = read_keypoints(write_keypoints(tmp_path))
    assert known.keys() == {2, 3}
    np.testing.assert_array_equal(known[3], keypoints(3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"no-such-car": []}, "no car model is named 'no-such-car'"),
        ({}, "no model"),
        (
            {NAMES[2]: [[1, 2, 3]] * 57},
            rf"{NAMES[2]}: expected numbers of shape \(58, 3\), got shape \(57",
        ),
        ({NAMES[2]: [[1, 2, None]] * 58}, f"{NAMES[2]}: expected finite numbers"),
    ],
)
def test_damaged_keypoints_are_reported(tmp_path: Path, content: object, message: str) -> None:
    path = tmp_path / "keypoints_3d.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        read_keypoints(path)
