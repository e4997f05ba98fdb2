"""The ApolloCar3D adapter on a small release of the test's own, and on the real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.conftest import not_none
from tests.datasets.apollocar3d.conftest import (
    SEEN,
    keypoints,
    placed,
    write_images,
    write_keypoints,
    write_release,
)
from tests.datasets.conftest import truth_of

from liftbench.errors import DataMissingError, UserError
from liftbench.suites.suite import make_params
from liftbench_datasets.apollocar3d import adapter as apollocar3d
from liftbench_datasets.apollocar3d.adapter import APOLLOCAR3D, ApolloCar3D, ApolloCar3DParams
from liftbench_datasets.apollocar3d.cameras import CAMERA_5, CAMERA_6
from liftbench_datasets.apollocar3d.files import (
    find_files,
)
from liftbench_datasets.apollocar3d.models import NAMES
from liftbench_datasets.apollocar3d.skeleton import SKELETON


@pytest.mark.parametrize("below", ["apollocar3d", "ApolloCar3D", "3d_car_instance_sample", ""])
def test_every_layout_is_found(tmp_path: Path, below: str) -> None:
    write_release(tmp_path / below)
    assert ApolloCar3D().subsets(tmp_path) == ("all",)
    assert ApolloCar3D().load(tmp_path, "all", "test").observations.frames == 3


def test_the_points_are_perspective_views(root: Path) -> None:
    data = ApolloCar3D().load(root, "all", "test")
    seen, truth = data.observations, truth_of(data)
    flat = truth.points_3d[..., :2] / truth.points_3d[..., 2:]
    assert seen.camera == "perspective"
    np.testing.assert_allclose(seen.points_2d[seen.visible], flat[seen.visible], atol=1e-12)
    np.testing.assert_allclose(
        not_none(seen.box)[:, :2] + not_none(seen.box)[:, 2:], flat.max(axis=1), atol=1e-12
    )


def test_a_pixel_is_one_of_the_camera_of_the_image(root: Path) -> None:
    focal = {"Camera_5": 2305.2, "Camera_6": 2300.9}
    for split in ("train", "test"):
        seen = ApolloCar3D().load(root, "all", split).observations
        places = find_files(root).poses
        expected = [1 / focal[places[i].stem[-8:]] for i in seen.sequence]
        np.testing.assert_allclose(not_none(seen.pixel), expected, rtol=1e-4)


def test_points_lie_where_the_camera_of_their_image_puts_them(root: Path) -> None:
    lenses = {"Camera_5": (CAMERA_5.fx, CAMERA_5.fy, CAMERA_5.cx, CAMERA_5.cy)}
    lenses["Camera_6"] = (CAMERA_6.fx, CAMERA_6.fy, CAMERA_6.cx, CAMERA_6.cy)
    seen = ApolloCar3D(occlusion=False).load(root, "all", "test").observations
    places = find_files(root).poses
    for frame, image in enumerate(seen.sequence):
        fx, fy, cx, cy = lenses[places[image].stem[-8:]]
        expected = seen.points_2d[frame] * [fx, fy] + [cx + 0.5, cy + 0.5]
        gaps = seen.in_pixels().points_2d[frame] - expected
        np.testing.assert_allclose(gaps, 0, atol=0.3)  # fx and fy differ by 0.06 %
        np.testing.assert_allclose(gaps.mean(axis=0), 0, atol=1e-9)


def test_without_occlusion_the_same_cars_show_all_points(root: Path) -> None:
    hidden = ApolloCar3D().load(root, "all", "test")
    shown = ApolloCar3D(occlusion=False).load(root, "all", "test")
    assert shown.observations.visible.all()
    assert not hidden.observations.visible.all()
    np.testing.assert_array_equal(truth_of(shown).points_3d, truth_of(hidden).points_3d)


def test_derived_points_are_named_apart(root: Path) -> None:
    data = ApolloCar3D().load(root, "all", "train")
    names = data.observations.skeleton.points
    assert names == tuple(f"derived_{name}" for name in SKELETON.points)
    assert data.observations.skeleton.edges == SKELETON.edges
    assert ApolloCar3D().note(root, "all").startswith("derived keypoints")


def test_the_users_keypoints_are_taken_before_derived_ones(root: Path) -> None:
    write_keypoints(root / "apollocar3d")
    data = ApolloCar3D().load(root, "all", "train")
    np.testing.assert_allclose(truth_of(data).points_3d[0], placed(SEEN, keypoints(2)), atol=1e-12)
    assert data.observations.skeleton == SKELETON
    derived = ApolloCar3D(keypoints="derived").load(root, "all", "train")
    assert derived.observations.skeleton != SKELETON
    assert ApolloCar3D(keypoints="derived").checksum(root, "all") != ApolloCar3D().checksum(
        root, "all"
    )


def test_absent_keypoints_are_reported_when_asked_for(root: Path) -> None:
    assert ApolloCar3D(keypoints="file").subsets(root) == ()
    with pytest.raises(DataMissingError) as caught:
        ApolloCar3D(keypoints="file").load(root, "all", "train")
    assert str(root / "apollocar3d" / "keypoints_3d.json") in str(caught.value)
    assert "data info apollocar3d" in str(caught.value)


def test_without_lists_the_first_images_are_train(tmp_path: Path) -> None:
    write_release(tmp_path, lists=False)
    train, test = (ApolloCar3D().load(tmp_path, "all", split) for split in ("train", "test"))
    assert train.observations.sequence.tolist() == [0, 1, 1]
    assert test.observations.sequence.tolist() == [3]
    assert "no lists are there" in ApolloCar3D().note(tmp_path, "all")


def test_a_list_without_its_pair_is_reported(root: Path) -> None:
    (root / "apollocar3d" / "train" / "split" / "validation-list.txt").unlink()
    with pytest.raises(DataMissingError, match="a list of images is found, but none for 'test'"):
        ApolloCar3D().load(root, "all", "test")


def test_images_are_those_of_the_frames(root: Path) -> None:
    assert ApolloCar3D().load(root, "all", "test").observations.images is None
    write_images(root / "apollocar3d")
    images = not_none(ApolloCar3D().load(root, "all", "test").observations.images)
    assert [Path(file).stem[-10:] for file in images.files] == [
        "2_Camera_6",
        "2_Camera_6",
        "4_Camera_5",
    ]
    assert images.image(0).shape == (4, 6, 3)


def test_a_second_load_does_not_parse(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = truth_of(ApolloCar3D().load(root, "all", "test")).points_3d
    monkeypatch.setattr(apollocar3d, "collect_cars", None)
    again = truth_of(ApolloCar3D(occlusion=False).load(root, "all", "test")).points_3d
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("place", ["train/car_poses", "car_models_json", "train/split"])
def test_the_checksum_sees_every_change(root: Path, place: str) -> None:
    before = ApolloCar3D().checksum(root, "all")
    assert ApolloCar3D().checksum(root, "all") == before
    path = sorted((root / "apollocar3d" / place).iterdir())[0]
    path.write_text(path.read_text() + " ")
    assert ApolloCar3D().checksum(root, "all") != before


def test_the_note_counts_the_cars(root: Path) -> None:
    note = ApolloCar3D().note(root, "all")
    assert "4 of 8 cars in 4 images kept" in note
    assert "(1 have no keypoints as 2 of 79 models are there, 1 are beyond 30 m, 2 show" in note


def test_check_lists_every_part(root: Path) -> None:
    found = {finding.item: finding for finding in ApolloCar3D().check(root)}
    assert all(finding.ok for finding in found.values())
    assert found["poses"].detail == "8 cars in 4 of 5277 images"
    assert found["car models"].detail.startswith(f"2 of 79 models; without {NAMES[0]}, {NAMES[1]}")
    assert found["lists"].detail == "1 images for train, 3 images for test"
    assert found["cars"].detail == ApolloCar3D().note(root, "all")


def test_check_reports_damage_and_goes_on(root: Path) -> None:
    damaged = find_files(root).models[3]
    damaged.write_text(damaged.read_text()[:-5])
    found = {finding.item: finding for finding in ApolloCar3D().check(root)}
    assert not found["car models"].ok
    assert str(damaged) in found["car models"].detail
    assert found["poses"].ok


@pytest.mark.parametrize("call", ["checksum", "note", "load"])
def test_an_absent_release_names_the_path_looked_for(tmp_path: Path, call: str) -> None:
    args = (tmp_path, "all", "train") if call == "load" else (tmp_path, "all")
    with pytest.raises(DataMissingError) as caught:
        getattr(ApolloCar3D(), call)(*args)
    assert str(tmp_path / "apollocar3d" / "train" / "car_poses") in str(caught.value)
    assert ApolloCar3D().subsets(tmp_path) == ()
    assert not ApolloCar3D().check(tmp_path)[0].ok


def test_poses_without_models_are_reported(root: Path) -> None:
    for path in find_files(root).models.values():
        path.unlink()
    with pytest.raises(DataMissingError, match="no car model found, looked for"):
        ApolloCar3D().load(root, "all", "train")


def test_params_are_checked() -> None:
    with pytest.raises(UserError, match="dataset 'apollocar3d': keypoints: "):
        make_params("dataset 'apollocar3d'", APOLLOCAR3D.params, {"keypoints": "drawn"})
    with pytest.raises(ValueError, match="keypoints: expected one of any, file, derived"):
        ApolloCar3D(keypoints="drawn")


def test_the_adapter_is_made_from_its_params(root: Path) -> None:
    made = APOLLOCAR3D.make(**vars(APOLLOCAR3D.params()))
    assert isinstance(made, ApolloCar3D)
    assert made.params == ApolloCar3DParams(keypoints="any", occlusion=True)
    with pytest.raises(UserError, match="unknown subset"):
        made.load(root, "cars", "train")
    with pytest.raises(UserError, match="unknown split"):
        made.load(root, "all", "unseen")


def test_the_real_extract(real: Path) -> None:
    adapter = ApolloCar3D(keypoints="derived")
    train, test = (adapter.load(real, "all", split) for split in ("train", "test"))
    assert (train.observations.frames, test.observations.frames) == (19, 5)
    for data in (train, test):
        points = truth_of(data).points_3d
        roof, hub = SKELETON.points.index("left_windscreen_top"), 7
        assert (points[:, roof, 1] < points[:, hub, 1]).all()
        assert (np.ptp(points, axis=1) < 6).all()
    assert "24 of 251 cars in 57 images kept" in adapter.note(real, "all")
    assert all(finding.ok for finding in adapter.check(real))
