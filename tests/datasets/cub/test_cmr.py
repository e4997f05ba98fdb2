"""The readers of CMR's annotations and structure from motion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import not_none
from tests.datasets.conftest import truth_of
from tests.datasets.cub.conftest import (
    BIRDS,
    IMAGES,
    SHAPE,
    SPLITS,
    TESTVAL,
    structs,
    views_of,
    write_all_sfm,
    write_cleaned,
    write_sfm,
)

from liftbench.errors import UserError
from liftbench.types import Bools, Floats
from liftbench_datasets.cub import cmr as cub_cmr
from liftbench_datasets.cub.adapter import Cub
from liftbench_datasets.cub.cmr import find_images, read_annotations, read_sfm, shape_of
from liftbench_datasets.cub.files import find_files


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_damaged_matlab_files_are_reported_in_one_line(tmp_path: Path, data: st.DataObject) -> None:
    path = write_sfm(tmp_path / "anno.mat", [0, 1], SHAPE)
    content = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(content) - 1))
    content[start : start + 4] = data.draw(st.binary(max_size=4))
    path.write_bytes(bytes(content))
    message = ""
    try:
        read_sfm(path)
    except UserError as error:
        message = str(error)
    assert not message or message.startswith(str(path))
    assert "\n" not in message


@pytest.mark.parametrize("images", [[4], [4, 7, 9]])
def test_annotations_are_those_of_the_file(tmp_path: Path, images: list[int]) -> None:
    birds = read_annotations(write_cleaned(tmp_path / "x.mat", images))
    seen = BIRDS.visible[images]
    np.testing.assert_array_equal(birds.visible, seen)
    np.testing.assert_allclose(birds.points[seen], BIRDS.points[images][seen] - 1)
    np.testing.assert_allclose(birds.box, BIRDS.box[images] - [1, 1, 0, 0])
    assert birds.names.tolist() == [BIRDS.names[i] for i in images]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parts": np.ones((3, 14))}, "parts: expected numbers of shape (2, 3, 15), got shape"),
        ({"parts": np.full((3, 15), np.nan)}, "parts: expected finite numbers"),
        ({"bbox": structs([{"x1": 5.0, "y1": 5.0, "x2": 1.0, "y2": 9.0}])}, "no size"),
        ({"bbox": structs([{"x1": 5.0}])}, "y1"),
        ({"bbox": "none"}, "expected a struct array 'images'"),
    ],
)
def test_damaged_annotations_are_reported(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = write_cleaned(tmp_path / "x.mat", [1, 2], **changes)
    with pytest.raises(UserError) as caught:
        read_annotations(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


@pytest.mark.parametrize("images", [[4], [4, 7, 9]])
def test_views_are_the_turned_scaled_and_moved_shape(tmp_path: Path, images: list[int]) -> None:
    sfm = read_sfm(write_sfm(tmp_path / "x.mat", images, SHAPE))
    assert sfm.shape is not None
    views = sfm.views(sfm.shape)
    for view, i in zip(views, images, strict=True):
        turned = BIRDS.scale[i] * BIRDS.rot[i] @ SHAPE
        np.testing.assert_allclose(view[:, :2], turned[:2].T + BIRDS.trans[i] - 1, atol=1e-9)
        np.testing.assert_allclose(view[:, 2], turned[2], atol=1e-9)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"other": 1.0}, "expected a struct array 'sfm_anno'"),
        ({"sfm_anno": 1.0}, "expected a struct array 'sfm_anno'"),
        (
            {"sfm_anno": structs([{"rot": np.eye(2), "scale": 1.0, "trans": np.ones(2)}] * 2)},
            "rot: expected numbers of shape (2, 3, 3), got shape (2, 2, 2)",
        ),
        (
            {"sfm_anno": structs([{"rot": np.eye(3), "scale": np.nan, "trans": np.ones(2)}] * 2)},
            "scale: expected finite numbers",
        ),
        ({"sfm_anno": structs([{"rot": 0, "scale": 0, "trans": 0}])[:, :0]}, "sfm_anno"),
    ],
)
def test_damaged_structure_from_motion_is_reported(
    tmp_path: Path, content: Any, message: str
) -> None:
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, content)
    with pytest.raises(UserError) as caught:
        read_sfm(path)
    assert message in str(caught.value)


def test_the_shape_of_val_is_that_of_testval(tmp_path: Path) -> None:
    write_all_sfm(tmp_path)
    val = read_sfm(tmp_path / "anno_val.mat")
    found = not_none(shape_of(val, tmp_path / "anno_testval.mat"))
    np.testing.assert_allclose(found, SHAPE)
    assert shape_of(val, tmp_path / "none.mat") is None
    foreign = write_sfm(tmp_path / "foreign.mat", [20, 1], None)
    assert shape_of(read_sfm(foreign), tmp_path / "anno_testval.mat") is None


def found_images(views: Floats, points: Floats, visible: Bools) -> list[int]:
    found: list[int] = find_images(views, points, visible, Path("anno.mat")).tolist()
    return found


@pytest.mark.parametrize("at_once", [3, 256])
def test_entries_find_their_images(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(cub_cmr, "_AT_ONCE", at_once)
    for images in (*SPLITS.values(), TESTVAL, [7], list(range(IMAGES))):
        assert found_images(views_of(images), BIRDS.points, BIRDS.visible) == images


def test_of_two_equal_images_the_one_in_order_is_found() -> None:
    points, visible = BIRDS.points.copy(), BIRDS.visible.copy()
    points[35], visible[35] = points[10], visible[10]
    points[2], visible[2] = points[30], visible[30]
    images = [5, 8, 10, 11, 13, 14, 20, 28, 29, 30, 31, 32]
    assert found_images(views_of(images), points, visible) == images


def test_entries_of_other_images_are_reported() -> None:
    views = views_of([3, 4]) + np.array([0.01, 0, 0])
    with pytest.raises(UserError, match=r"anno\.mat: an entry fits no image"):
        found_images(views, BIRDS.points, BIRDS.visible)
    with pytest.raises(UserError, match=r"anno\.mat: the entries are not in the order"):
        found_images(views_of([4, 3]), BIRDS.points, BIRDS.visible)


def test_an_image_without_parts_is_no_entrys() -> None:
    visible = BIRDS.visible.copy()
    visible[5] = False
    views = views_of([3, 4, 6]) * [[[1]], [[0]], [[1]]]
    with pytest.raises(UserError, match="an entry fits no image"):
        found_images(views, BIRDS.points, visible)


@pytest.mark.parametrize("split", ["val", "test"])
def test_the_real_shape_fits_the_annotated_parts(real: Path, split: str) -> None:
    data = Cub().load(real, "all", split)
    seen = data.observations
    assert seen.frames == 2874
    gaps = np.where(
        seen.visible[..., None], seen.points_2d - truth_of(data).points_3d[..., :2], 0.0
    )
    assert np.abs(gaps.sum(axis=1) / seen.visible.sum(axis=1, keepdims=True)).max() < 2e-4
    away = np.linalg.norm(gaps, axis=2)[seen.visible]
    assert away.mean() == pytest.approx(14, abs=0.5)
    assert away.max() < 140


def test_val_and_test_of_the_real_files_share_one_bird(real: Path) -> None:
    val, test = (read_sfm(find_files(real).sfm(split)) for split in ("val", "test"))
    assert np.isin(val.scales, test.scales).sum() == 1


def test_the_real_depth_grows_away_from_the_camera(real: Path) -> None:
    data = Cub().load(real, "all", "val")
    left, right = data.observations.visible[:, [6, 10]].T
    depth = truth_of(data).points_3d[..., 2]
    nearer = (depth[:, 6] < depth[:, 10]) == left
    assert nearer[left != right].mean() > 0.9


def test_two_entries_of_one_image_are_reported() -> None:
    with pytest.raises(UserError, match=r"anno\.mat: the entries are not in the order"):
        found_images(views_of([3, 3]), BIRDS.points, BIRDS.visible)


def test_entries_with_other_translations_have_no_shape(tmp_path: Path) -> None:
    write_all_sfm(tmp_path)
    val = read_sfm(tmp_path / "anno_val.mat")
    moved = replace(val, translations=val.translations + 1)
    assert shape_of(moved, tmp_path / "anno_testval.mat") is None
