"""The cars that are kept, what hides their points, and the real cars."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.spatial.transform import Rotation
from tests.datasets.apollocar3d.conftest import (
    HALF,
    OTHER,
    SEEN,
    UPRIGHT,
    box_model,
    keypoints,
    placed,
    write_keypoints,
    write_labels,
)
from tests.datasets.conftest import truth_of

from liftbench.cameras import project
from liftbench.errors import DataMissingError
from liftbench.types import Floats
from liftbench_datasets.apollocar3d.adapter import ApolloCar3D
from liftbench_datasets.apollocar3d.cameras import CAMERA_5
from liftbench_datasets.apollocar3d.cars import match_labels, read_cars
from liftbench_datasets.apollocar3d.files import (
    find_files,
)
from liftbench_datasets.apollocar3d.keypoints import (
    derive_keypoints,
)
from liftbench_datasets.apollocar3d.models import read_model


def test_labels_go_to_the_cars_that_they_fit() -> None:
    rng = np.random.default_rng(3)
    seen = rng.uniform(0, 100, (4, 58, 2)) + np.array([0, 50, 300, 900])[:, None, None]
    labels = seen[[2, 0, 1]] + rng.normal(0, 2, (3, 58, 2))
    labels[rng.random((3, 58)) < 0.6] = np.nan
    cars, files = match_labels(seen, labels)
    assert dict(zip(cars.tolist(), files.tolist(), strict=True)) == {2: 0, 0: 1, 1: 2}


def test_labels_out_of_reach_are_no_cars() -> None:
    seen = np.random.default_rng(4).uniform(0, 100, (2, 58, 2))
    labels = np.stack([seen[0] + 500, np.full((58, 2), np.nan), seen[1] + 1])
    cars, files = match_labels(seen, labels)
    assert (cars.tolist(), files.tolist()) == ([1], [2])


def test_labels_out_of_reach_disturb_no_other_pair() -> None:
    shape = np.random.default_rng(5).uniform(0, 1, (58, 2))
    seen = np.stack([100 * shape, 50 * shape + [300, 0]])
    labels = np.stack([100 * shape + 1, 100 * shape - [500, 0]])
    cars, files = match_labels(seen, labels)
    assert (cars.tolist(), files.tolist()) == ([0], [0])


def test_the_kept_cars_are_near_before_the_camera_and_show_enough(root: Path) -> None:
    train, test = (ApolloCar3D().load(root, "all", split) for split in ("train", "test"))
    model = derive_keypoints(read_model(find_files(root).models[2]))
    np.testing.assert_allclose(truth_of(train).points_3d, [placed(SEEN, model)], atol=1e-12)
    assert test.observations.sequence.tolist() == [1, 1, 3]
    assert truth_of(test).group.tolist() == ["10-20 m", "20-30 m", "20-30 m"]
    assert truth_of(train).unit == "m"
    assert train.observations.visible.sum(axis=1).min() >= 25


def test_a_box_shows_the_faces_that_look_at_the_camera(root: Path) -> None:
    data = ApolloCar3D().load(root, "all", "train")
    eye = np.linalg.inv(placed(SEEN, np.eye(3)) - SEEN["pose"][3:]).T @ -np.array(SEEN["pose"][3:])
    points = derive_keypoints(box_model())
    axis = np.abs(points / HALF).argmax(axis=1)
    on_face = points[np.arange(58), axis]
    outside = np.sign(on_face) * eye[axis] > np.abs(on_face)
    np.testing.assert_array_equal(data.observations.visible[0], outside)


def test_the_edge_of_the_image_hides(root: Path) -> None:
    path = find_files(root).poses[0]
    out = {"car_id": 2, "pose": [0.0, 0.7, UPRIGHT, -8.0, 1.5, 12.0]}
    path.write_text(json.dumps([SEEN, out]))
    data = ApolloCar3D().load(root, "all", "train")
    places = CAMERA_5.pixels(
        project(placed(out, derive_keypoints(box_model()))[None], "perspective")
    )
    assert (places[..., 0] < 0).any()
    assert data.observations.frames == 1


def test_labels_say_what_is_visible(root: Path) -> None:
    folder = root / "apollocar3d"
    write_keypoints(folder)
    name = "180101_000000002_Camera_6"
    write_labels(folder, name, 0, OTHER, 40)
    write_labels(folder, name, 1, SEEN, 25)
    write_labels(folder, "180101_000000004_Camera_5", 0, OTHER, 24)
    data = ApolloCar3D().load(root, "all", "test")
    assert data.observations.sequence.tolist() == [1, 1]
    assert data.observations.visible.sum(axis=1).tolist() == [25, 40]
    assert data.observations.visible[0, :25].all()
    np.testing.assert_allclose(truth_of(data).points_3d[1], placed(OTHER, keypoints(3)), atol=1e-12)
    with pytest.raises(DataMissingError, match="no car of the 'train' split is kept"):
        ApolloCar3D().load(root, "all", "train")
    assert ApolloCar3D().note(root, "all").startswith("keypoints of the user's file, visible where")


def test_every_real_car_is_wholly_on_its_image(real: Path) -> None:
    files = find_files(real)
    cars = read_cars(files)
    assert (len(files.poses), len(cars.image), len(files.models)) == (57, 251, 40)
    centres = project(cars.poses.translations[:, None], "perspective")
    assert CAMERA_5.holds(centres).all()
    models = {i: read_model(files.models[i]) for i in set(cars.car_id.tolist()) & set(files.models)}
    inside = [
        CAMERA_5.holds(project((models[i].vertices @ turn.T + shift)[None], "perspective")).all()
        for i, turn, shift in zip(
            cars.car_id.tolist(), cars.poses.rotations, cars.poses.translations, strict=True
        )
        if i in models
    ]
    assert (sum(inside), len(inside)) == (206, 206)


def test_real_cars_cover_the_area_that_the_release_measured(real: Path) -> None:
    files = find_files(real)
    cars, rows = read_cars(files), [c for p in files.poses for c in json.loads(p.read_text())]
    shares = []
    for n in range(0, len(rows), 9):
        car_id, area = rows[n]["car_id"], rows[n]["area"]
        if rows[n]["visible_rate"] == 1 and area > 400 and car_id in files.models:
            model = read_model(files.models[car_id])
            points = model.vertices @ cars.poses.rotations[n].T + cars.poses.translations[n]
            view = CAMERA_5.pixels(project(points[None], "perspective"))[0]
            shares.append(drawn_area(view, model.faces) / area)
    assert len(shares) >= 10
    assert 0.97 < np.median(shares) < 1.03


def drawn_area(view: Floats, faces: np.ndarray[Any, Any]) -> int:
    corner = view.min(axis=0) - 1
    size = np.ceil(np.ptp(view, axis=0) + 3).astype(int)
    image = Image.new("1", tuple(size.tolist()))
    draw = ImageDraw.Draw(image)
    for face in view[faces] - corner:
        draw.polygon([tuple(point) for point in face.tolist()], fill=1)
    return int(np.asarray(image).sum())


def test_the_real_cars_stand_upright_and_look_along_the_road(real: Path) -> None:
    cars = read_cars(find_files(real))
    down = cars.poses.rotations[:, :, 1]
    assert (down[:, 1] > 0.9).all()
    assert (Rotation.from_matrix(cars.poses.rotations).magnitude() < 0.6).mean() > 0.7


@pytest.mark.parametrize(("share", "fits"), [(0.19, [0]), (0.21, [])])
def test_labels_fit_up_to_a_fifth_of_the_cars_box(share: float, fits: list[int]) -> None:
    seen = np.random.default_rng(6).uniform(0, 100, (1, 58, 2))
    size = np.ptp(seen[0], axis=0).max()
    labels = seen + np.array([0, share * size])
    labels[0, 20:] = np.nan
    cars, files = match_labels(seen, labels)
    assert (cars.tolist(), files.tolist()) == (fits, fits)
