"""Views of the CAD models: as annotated in images, and turned at random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.conftest import not_none
from tests.datasets.conftest import mask_of, truth_of
from tests.datasets.pascal3d.conftest import (
    CAR,
    EMPTY,
    VIEW,
    frame_images,
    labelled,
    models_of,
    write_image,
)

from liftbench.errors import DataMissingError
from liftbench.types import Floats
from liftbench_datasets.pascal3d.adapter import Pascal3d
from liftbench_datasets.pascal3d.categories import columns
from liftbench_datasets.pascal3d.geometry import Viewpoints, camera_points, perspective
from liftbench_datasets.pascal3d.objects import Objects, read_objects
from liftbench_datasets.pascal3d.views import random_views, viewable_mask


def expected_pixels(model: Floats, **changes: float) -> Floats:
    views = Viewpoints(**{k: np.array([v]) for k, v in (VIEW | changes).items()})
    pixels: Floats = perspective(camera_points(model[None], views), views)[0]
    return pixels


def test_splits_are_the_lists(root: Path) -> None:
    train = ["car_imagenet/n01_1.JPEG"] * 2 + ["car_pascal/2008_000001.jpg"]
    assert frame_images(Pascal3d().load(root, "car", "train")) == train
    assert frame_images(Pascal3d().load(root, "car", "test")) == ["car_pascal/2008_000002.jpg"]
    both = Pascal3d(test_images="all").load(root, "car", "all")
    assert sorted(frame_images(both)) == sorted(
        [*train, "car_imagenet/n01_2.JPEG", "car_pascal/2008_000002.jpg"]
    )
    assert frame_images(Pascal3d(train_images="pascal").load(root, "car", "train")) == train[2:]


def test_objects_of_one_image_are_one_sequence(root: Path) -> None:
    train = Pascal3d().load(root, "car", "train").observations.sequence
    assert train[0] == train[1] != train[2]


def test_points_are_the_projected_models(root: Path) -> None:
    data = Pascal3d().load(root, "car", "train")
    models, truth = models_of("car", 3), truth_of(data)
    assert truth.unit == "px"
    assert set(truth.group.tolist()) == {"car"}
    for frame, (model, distance) in enumerate(((0, 5.0), (1, 5.0), (1, 3.0))):
        pixels = expected_pixels(models[model], distance=distance)
        flat, made = truth.points_3d[frame, :, :2], truth.points_3d[frame]
        np.testing.assert_allclose(flat.mean(axis=0), pixels.mean(axis=0))
        assert np.abs(flat - pixels).max() < 0.2 * np.ptp(pixels, axis=0).max()
        gaps, own = (np.linalg.norm(p[:, None] - p[None], axis=2) for p in (made, models[model]))
        ratio = gaps[own > 0] / own[own > 0]
        np.testing.assert_allclose(ratio, ratio[0])
    seen = data.observations
    shown = seen.points_2d[seen.visible]
    np.testing.assert_array_equal(shown, truth.points_3d[..., :2][seen.visible])
    # The release counts pixels from 1; the middle of the first one lies 0.5 from the corner.
    np.testing.assert_allclose(seen.in_pixels().points_2d[seen.visible], shown - 0.5)


def test_points_hide_as_annotated_and_still_count(root: Path) -> None:
    data = Pascal3d().load(root, "car", "train")
    hidden = [np.flatnonzero(~row).tolist() for row in data.observations.visible]
    assert hidden == [[], [0, 3], []]
    assert mask_of(data).all()
    assert Pascal3d(missing=False).load(root, "car", "train").observations.visible.all()


@pytest.mark.parametrize(("axis", "low"), [(0, True), (0, False), (1, True), (1, False)])
def test_the_box_grows_by_a_tenth_at_each_side(root: Path, axis: int, low: bool) -> None:
    points = truth_of(Pascal3d().load(root, "car", "test")).points_3d[0, :, :2]
    outermost = int(points[:, axis].argmin() if low else points[:, axis].argmax())
    for outside, visible in ((0.09, True), (0.11, False)):
        box = np.array([-4000.0, -4000.0, 5000.0, 5000.0])
        if low:
            box[axis] = points[outermost, axis] + outside * 1000
            box[axis + 2] = box[axis] + 1000
        else:
            box[axis + 2] = points[outermost, axis] - outside * 1000
            box[axis] = box[axis + 2] - 1000
        write_image(root / "pascal3d", "car_pascal/2008_000002", [labelled("car", 1, bbox=box)])
        seen = Pascal3d().load(root, "car", "test").observations
        assert seen.visible[0, outermost] == visible


def test_random_views_turn_from_the_model_to_the_camera() -> None:
    """A quarter turn about z takes x to y."""
    corners = np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, 0, 2.0], [0, 0, -2.0]])
    quarter = np.array([[[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]])
    views = random_views(corners[None], quarter)
    expected = [[[0, 1, 0], [0, -1, 0], [0, 0, 2], [0, 0, -2]]]
    np.testing.assert_array_equal(views.points_3d, expected)


def test_keypoints_that_a_model_lacks_hide_and_do_not_count(root: Path) -> None:
    data = Pascal3d().load(root, "bus", "test")
    assert np.flatnonzero(~mask_of(data)[0]).tolist() == [4, 5]
    assert np.flatnonzero(~data.observations.visible[0]).tolist() == [4, 5, 7]
    with pytest.raises(DataMissingError, match="no object of 'bus' is left in 'test'"):
        Pascal3d(missing=False).load(root, "bus", "test")


def test_points_outside_the_grown_box_hide(root: Path) -> None:
    whole = truth_of(Pascal3d().load(root, "car", "test")).points_3d[0, :, :2]
    low, high = whole.min(axis=0), whole.max(axis=0)
    side = high - low
    rightmost, second = np.sort(whole[:, 0])[-1:-3:-1]
    for edge, hides in ((rightmost - 0.01, False), ((rightmost + second) / 2, True)):
        width = (edge - low[0]) / 1.1  # grown by a tenth at the right, the box ends at the edge
        box = np.array([low[0], low[1] - side[1], low[0] + width, high[1] + side[1]])
        item = labelled("car", 1, bbox=box)
        write_image(root / "pascal3d", "car_pascal/2008_000002", [item])
        made = Pascal3d().load(root, "car", "test")
        expected = whole[:, 0] <= edge if hides else whole[:, 0] < rightmost
        np.testing.assert_array_equal(made.observations.visible[0], expected)
        np.testing.assert_allclose(
            not_none(made.observations.box)[0], [*box[:2], *(box[2:] - box[:2])]
        )


@pytest.mark.parametrize("flag", ["truncated", "occluded", "difficult"])
def test_objects_that_are_not_whole_are_left_out(root: Path, flag: str) -> None:
    items = [labelled("car", 1), labelled("car", 2, (), **{flag: 1.0})]
    write_image(root / "pascal3d", "car_pascal/2008_000002", items)
    assert Pascal3d().load(root, "car", "test").observations.frames == 1
    assert Pascal3d(objects="all").load(root, "car", "test").observations.frames == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"distance": 0.0},  # a coarse viewpoint alone
        {"distance": 0.1},  # the camera stands in the model
        {"distance": EMPTY},
        {"viewpoint": {"azimuth_coarse": 90.0}},
        {"cad_index": EMPTY},
        {"cad_index": 4.0},  # of 3
        {"anchors": EMPTY},
        {"hidden": tuple(range(2, CAR))},  # two points show
    ],
)
def test_objects_that_cannot_be_placed_or_seen_are_left_out(
    root: Path, changes: dict[str, Any]
) -> None:
    items = [labelled("car", 1), labelled("car", **({"model": 2} | changes))]
    write_image(root / "pascal3d", "car_pascal/2008_000002", items)
    assert Pascal3d(objects="all").load(root, "car", "test").observations.frames == 1


def test_objects_lie_before_the_camera(root: Path) -> None:
    models = models_of("car", 1)
    deepest = np.abs(models).max() * np.sqrt(3)
    items = [labelled("car", distance=d) for d in (deepest, 0.1, 0.01, -5.0)]
    items += [labelled("car", focal=0.0), labelled("car", viewport=-1.0)]
    path = write_image(root / "pascal3d", "car_pascal/x", items)
    objects = Objects(**read_objects({"car_pascal/x": path}, "car"))
    assert viewable_mask(objects, models).tolist() == [True, *[False] * 5]


def test_all_holds_every_category_in_its_columns(root: Path) -> None:
    data = Pascal3d().load(root, "all", "test")
    assert data.observations.points_2d.shape == (2, 124, 2)
    assert truth_of(data).group.tolist() == ["car", "bus"]
    assert len(set(data.observations.sequence.tolist())) == 2
    for frame, category in enumerate(("car", "bus")):
        own, at = Pascal3d().load(root, category, "test"), columns("all", category)
        np.testing.assert_array_equal(
            truth_of(data).points_3d[frame, at], truth_of(own).points_3d[0]
        )
        np.testing.assert_array_equal(
            data.observations.visible[frame, at], own.observations.visible[0]
        )
        others = np.ones(124, dtype=bool)
        others[at] = False
        assert not data.observations.visible[frame, others].any()
        assert not mask_of(data)[frame, others].any()


def test_images_are_read_when_asked_for(root: Path) -> None:
    data = Pascal3d().load(root, "car", "test")
    with pytest.raises(DataMissingError, match=r"2008_000002\.jpg: no such image"):
        not_none(data.observations.images).image(0)
    path = Path(not_none(data.observations.images).files[0])
    path.parent.mkdir(parents=True)
    Image.new("RGB", (5, 3)).save(path)
    assert not_none(data.observations.images).image(0).shape == (3, 5, 3)


def test_random_views_turn_every_model(root: Path) -> None:
    adapter = Pascal3d(views="random", random_views=10)
    data = adapter.load(root, "car", "all")
    models = models_of("car", 3)
    assert data.observations.visible.all()
    assert data.observations.images is None
    np.testing.assert_array_equal(data.observations.sequence, np.arange(10) % 3)
    np.testing.assert_allclose(truth_of(data).points_3d.mean(axis=1), 0, atol=1e-12)
    for frame, points in enumerate(truth_of(data).points_3d):
        flat = models[frame % 3] - models[frame % 3].mean(axis=0)
        turn = np.linalg.pinv(flat) @ points
        np.testing.assert_allclose(flat @ turn, points, atol=1e-12)
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(turn) > 0


def test_random_splits_are_views(root: Path) -> None:
    adapter = Pascal3d(views="random", random_views=11)
    train, unseen, both = (
        truth_of(adapter.load(root, "car", s)).points_3d for s in ("train", "unseen", "all")
    )
    assert (len(train), len(unseen)) == (8, 3)
    np.testing.assert_array_equal(np.concatenate([train, unseen]), both)
    more = not_none(
        truth_of(Pascal3d(views="random", random_views=20).load(root, "car", "all"))
    ).points_3d
    np.testing.assert_array_equal(more[:11], both)
    other = Pascal3d(views="random", random_views=11, view_seed=1).load(root, "car", "all")
    assert np.abs(truth_of(other).points_3d - both).max(axis=(1, 2)).min() > 0.01


def test_random_views_of_models_that_lack_keypoints(root: Path) -> None:
    data = Pascal3d(views="random", random_views=6).load(root, "bus", "all")
    lacking = [np.flatnonzero(~row).tolist() for row in not_none(mask_of(data))]
    assert lacking == [[], [4, 5]] * 3
    np.testing.assert_array_equal(mask_of(data), data.observations.visible)
    centre = np.where(mask_of(data)[..., None], truth_of(data).points_3d, 0).sum(axis=1)
    np.testing.assert_allclose(centre, 0, atol=1e-12)
    whole = Pascal3d(views="random", random_views=6, missing=False).load(root, "bus", "all")
    assert whole.observations.frames == 6
    assert whole.observations.visible.all()
