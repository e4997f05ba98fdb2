"""The PASCAL3D+ adapter on a small release of the test's own, and on the real CAD models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.conftest import not_none
from tests.datasets.conftest import truth_of
from tests.datasets.pascal3d.conftest import labelled, models_of, write_cad, write_image

from liftbench.errors import DataMissingError, UserError
from liftbench.suites.suite import make_params
from liftbench_datasets.pascal3d.adapter import PASCAL3D, Pascal3d, Pascal3dParams


def test_unknown_names_are_reported(root: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'car'"):
        Pascal3d().load(root, "cars", "train")
    with pytest.raises(UserError, match="unknown subset"):
        Pascal3d(categories=8).load(root, "all", "train")
    with pytest.raises(UserError, match="unknown split of annotated views 'unseen'"):
        Pascal3d().load(root, "car", "unseen")
    with pytest.raises(UserError, match="unknown split of random views 'test'"):
        Pascal3d(views="random").load(root, "car", "test")


def test_the_checksum_names_all_files(root: Path) -> None:
    folder = root / "pascal3d"
    before = Pascal3d().checksum(root, "car")
    assert Pascal3d(views="random").checksum(root, "car") != before
    assert Pascal3d().checksum(root, "bus") != before
    write_image(folder, "car_pascal/2008_000002", [labelled("car", 2)])
    assert Pascal3d().checksum(root, "car") != before
    random = Pascal3d(views="random").checksum(root, "car")
    write_cad(folder, "car", models_of("car", 2))
    assert Pascal3d(views="random").checksum(root, "car") != random


def test_objects_without_a_mask_are_left_out_if_masks_are_asked_for(root: Path) -> None:
    whole = Pascal3d().load(root, "car", "train").observations
    assert not_none(whole.images).masks is None
    before = Pascal3d(masks=True).checksum(root, "car")
    with pytest.raises(DataMissingError, match="no object of 'car' is left in 'train'"):
        Pascal3d(masks=True).load(root, "car", "train")
    mask = root / "pascal3d" / "Masks" / "car_imagenet" / "n01_1_2.png"
    mask.parent.mkdir(parents=True)
    Image.fromarray(np.eye(4, dtype=np.uint8) * 255).save(mask)
    assert Pascal3d(masks=True).checksum(root, "car") != before
    seen = Pascal3d(masks=True).load(root, "car", "train").observations
    assert not_none(seen.images).masks == (str(mask),)
    assert (not_none(seen.images).mask(0) == np.eye(4, dtype=np.bool_)).all()
    shown = seen.visible[0]
    assert (seen.points_2d[0, shown] == whole.points_2d[1, shown]).all()


def test_a_changed_file_is_read_again(root: Path) -> None:
    before = Pascal3d().load(root, "car", "test")
    write_image(root / "pascal3d", "car_pascal/2008_000002", [labelled("car", 3)])
    after = Pascal3d().load(root, "car", "test")
    assert np.abs(truth_of(after).points_3d - truth_of(before).points_3d).max() > 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"views": "both"}, "views: expected one of annotated, random, got 'both'"),
        ({"categories": 9}, "categories: expected one of 8, 12, got 9"),
        ({"categories": 8.0}, "categories: expected an integer, got 8.0"),
        ({"missing": 1}, "missing: expected true or false, got 1"),
        ({"random_views": 1}, "random_views: expected at least 2, got 1"),
        ({"view_seed": "a"}, "view_seed: expected an integer"),
        ({"objects": "some"}, "objects: expected one of whole, all"),
        ({"test_images": "coco"}, "test_images: expected one of all, imagenet, pascal"),
        ({"test_keypoints": "hrnet", "views": "random"}, "random views have no detections"),
        ({"masks": True, "views": "random"}, "masks: random views have no pictures"),
        ({"template": 1}, "template: expected true or false, got 1"),
        ({"train_keypoints": "hrnet", "missing": False}, "missing: a detector misses points"),
    ],
)
def test_bad_parameters_are_reported_in_one_line(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        Pascal3dParams(**params)
    assert "\n" not in str(caught.value)


def test_bad_parameters_of_a_suite_are_user_errors() -> None:
    with pytest.raises(UserError, match="categories"):
        make_params("dataset 'pascal3d'", PASCAL3D.params, {"categories": 9})
    params = {"views": "random", "test_keypoints": "hrnet"}
    with pytest.raises(UserError, match="random views have no detections"):
        make_params("dataset 'pascal3d'", PASCAL3D.params, params)


def test_spec_makes_the_adapter() -> None:
    made = PASCAL3D.make(**vars(PASCAL3D.params()))
    assert isinstance(made, Pascal3d)
    assert made.params == Pascal3dParams()
    assert PASCAL3D.splits == ("train", "test", "unseen", "all")
