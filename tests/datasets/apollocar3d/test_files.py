"""The readers of poses, lists and labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.datasets.apollocar3d.conftest import IMAGES, SEEN, placed

from liftbench.errors import UserError
from liftbench_datasets.apollocar3d.cameras import CAMERA_5, CAMERA_6
from liftbench_datasets.apollocar3d.files import (
    camera_of,
    find_files,
    read_labels,
    read_list,
    read_poses,
)
from liftbench_datasets.apollocar3d.keypoints import (
    read_keypoints,
)
from liftbench_datasets.apollocar3d.models import read_model


def test_the_pose_is_the_releases_formula(root: Path) -> None:
    path = find_files(root).poses[1]
    ids, poses = read_poses(path)
    assert ids.tolist() == [2, 3, 7]
    points = np.random.default_rng(0).normal(size=(9, 3))
    expected = [placed(car, points) for car in IMAGES[path.stem]]
    np.testing.assert_allclose(poses.place(np.stack([points] * 3)), expected, atol=1e-12)


def test_an_upright_car_has_its_roof_up_and_looks_where_it_is_turned(root: Path) -> None:
    _, poses = read_poses(find_files(root).poses[0])
    np.testing.assert_allclose(poses.rotations[2], np.eye(3), atol=1e-12)


def test_cameras_are_known_by_the_names() -> None:
    assert camera_of(Path("x_Camera_5.json")) == CAMERA_5
    assert camera_of(Path("x_Camera_6.json")) == CAMERA_6
    assert (CAMERA_5.fx, CAMERA_6.cy) == (2304.54786556982, 1342.91100799715)
    with pytest.raises(UserError, match=r"Camera_9\.json: expected a name that ends in Camera_5"):
        camera_of(Path("x_Camera_9.json"))


def test_lists_name_images_with_or_without_the_ending(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("a_Camera_5.jpg\r\nimages/b_Camera_6.jpg\n\nc_Camera_5\n")
    assert read_list(path) == {"a_Camera_5", "b_Camera_6", "c_Camera_5"}


def test_labels_are_those_of_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("0\t10.5\t20\n57\t1\t2\n\n65\t3\t4\n")
    labels = read_labels(path)
    assert labels.shape == (58, 2)
    assert labels[[0, 57]].tolist() == [[10.5, 20], [1, 2]]
    assert np.isnan(labels[1:57]).all()


@pytest.mark.parametrize(
    "text", ["66 1 2", "-1 1 2", "x 1 2", "3 1", "3 1 2 3", "3 nan 1", "3 1e999 1", "² 1 2"]
)
def test_damaged_labels_are_reported(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="expected lines of an index from 0 to 65"):
        read_labels(path)


@pytest.mark.parametrize(
    "car",
    [
        {"car_id": 79, "pose": [0] * 6},
        {"car_id": -1, "pose": [0] * 6},
        {"car_id": "2", "pose": [0] * 6},
        {"car_id": True, "pose": [0] * 6},
        {"car_id": 2, "pose": [0] * 5},
        {"car_id": 2, "pose": ["0"] * 6},
        {"car_id": 2, "pose": [0, 0, 0, 0, 0, float("inf")]},
        {"car_id": 2},
        [],
        7,
    ],
)
def test_damaged_poses_are_reported(tmp_path: Path, car: object) -> None:
    path = tmp_path / "x_Camera_5.json"
    path.write_text(json.dumps([SEEN, car]))
    with pytest.raises(UserError, match="expected a list of cars with 'car_id' and 'pose'"):
        read_poses(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["car_id", "pose", "vertices", "faces"]), inner)
    ),
    max_leaves=12,
)


FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(JSON.map(json.dumps).map(str.encode) | st.binary(max_size=80))
@pytest.mark.parametrize("read", [read_poses, read_model, read_keypoints, read_labels, read_list])
def test_any_file_is_read_or_refused_in_one_line(tmp_path: Path, read: Any, content: bytes) -> None:
    path = tmp_path / "any_Camera_5.json"
    path.write_bytes(content)
    message = ""
    try:
        read(path)
    except UserError as error:
        message = str(error)
    assert not message or message.startswith(str(path))
    assert "\n" not in message
