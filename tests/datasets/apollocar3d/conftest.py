"""A small release of ApolloCar3D that the tests write, and the real extract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from liftbench.cameras import project
from liftbench.types import Floats
from liftbench_datasets.apollocar3d.files import (
    CAMERAS,
)
from liftbench_datasets.apollocar3d.keypoints import (
    derive_keypoints,
)
from liftbench_datasets.apollocar3d.models import NAMES, CarModel

HALF = np.array([0.9, 0.75, 2.2])


BOX = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * HALF


FACES = [
    *([1, 2, 4], [1, 4, 3], [5, 7, 8], [5, 8, 6], [1, 5, 6], [1, 6, 2]),
    *([3, 4, 8], [3, 8, 7], [1, 3, 7], [1, 7, 5], [2, 6, 8], [2, 8, 4]),
]


# The poses turn y up, so a car that stands on its wheels is half a turn from the camera's axes.
UPRIGHT = np.pi


SEEN: dict[str, Any] = {"car_id": 2, "pose": [0.0, 0.7, UPRIGHT, 1.0, 1.5, 12.0]}


FAR = {"car_id": 2, "pose": [0.0, 0.7, UPRIGHT, 1.0, 1.5, 31.0]}


BEHIND = {"car_id": 2, "pose": [0.0, 0.7, UPRIGHT, 1.0, 1.5, 1.0]}


STRAIGHT = {"car_id": 2, "pose": [0.0, 0.0, UPRIGHT, 0.0, 0.0, 12.0]}


UNKNOWN = {"car_id": 7, "pose": [0.0, 0.7, UPRIGHT, 1.0, 1.5, 12.0]}


OTHER = {"car_id": 3, "pose": [0.1, -0.6, UPRIGHT + 0.1, -2.0, 1.5, 22.0]}


IMAGES = {
    "180101_000000001_Camera_5": [SEEN, FAR, STRAIGHT],
    "180101_000000002_Camera_6": [SEEN, OTHER, UNKNOWN],
    "180101_000000003_Camera_5": [],
    "180101_000000004_Camera_5": [OTHER, BEHIND],
}


MODELS = {2: BOX, 3: BOX * [1.1, 1.2, 0.9]}


def write_model(folder: Path, car_id: int, vertices: Floats) -> Path:
    path = folder / "car_models_json" / f"{NAMES[car_id]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"car_type": "2x", "vertices": vertices.tolist(), "faces": FACES}
    path.write_text(json.dumps(content), encoding="ascii")
    return path


def write_release(folder: Path, lists: bool = True) -> Path:
    for car_id, vertices in MODELS.items():
        write_model(folder, car_id, vertices)
    poses = folder / "train" / "car_poses"
    poses.mkdir(parents=True)
    for name, cars in IMAGES.items():
        rated = [{**car, "area": 500, "visible_rate": 1.0} for car in cars]
        (poses / f"{name}.json").write_text(json.dumps(rated), encoding="ascii")
    if lists:
        split = folder / "train" / "split"
        split.mkdir()
        first, *rest = IMAGES
        (split / "train-list.txt").write_text(f"{first}.jpg\n", encoding="ascii")
        (split / "validation-list.txt").write_text("\n".join(f"{n}.jpg" for n in rest))
    return folder


def write_images(folder: Path) -> None:
    for name in IMAGES:
        path = folder / "train" / "images" / f"{name}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (6, 4)).save(path)


def keypoints(car_id: int) -> Floats:
    """Return a user's points: those that would be derived, in another order."""
    return derive_keypoints(CarModel(MODELS[car_id], np.array(FACES) - 1))[::-1]


def write_keypoints(folder: Path, car_ids: tuple[int, ...] = (2, 3)) -> Path:
    path = folder / "keypoints_3d.json"
    path.write_text(json.dumps({NAMES[i]: keypoints(i).tolist() for i in car_ids}))
    return path


def placed(car: dict[str, Any], points: Floats) -> Floats:
    """Return points of a model's file in the camera's frame, by the release's formula."""
    roll, pitch, yaw = car["pose"][:3]
    cr, sr, cp, sp, cy, sy = (f(a) for a in (roll, pitch, yaw) for f in (np.cos, np.sin))
    rz = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    ry = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    rx = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    turned: Floats = (points * [-1, -1, 1]) @ (rz @ ry @ rx).T + car["pose"][3:]
    return turned


def write_labels(folder: Path, name: str, number: int, car: dict[str, Any], shown: int) -> None:
    camera = CAMERAS[name[-8:]]
    view = camera.pixels(project(placed(car, keypoints(car["car_id"]))[None], "perspective"))[0]
    place = folder / "train" / "keypoints" / name
    place.mkdir(parents=True, exist_ok=True)
    lines = [f"{i}\t{x + 2:.3f}\t{y - 1:.3f}" for i, (x, y) in enumerate(view[:shown])]
    (place / f"{name}_{number}.txt").write_text("\n".join([*lines, "60\t5\t5", ""]))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_release(tmp_path / "apollocar3d")
    return tmp_path


def box_model(half: Floats = HALF, centre: Floats | float = 0.0) -> CarModel:
    return CarModel(BOX / HALF * half + centre, np.array(FACES) - 1)


@pytest.fixture(scope="session")
def real(shared_data: Path) -> Path:
    if not (shared_data / "apollocar3d").is_dir():
        pytest.skip(f"no ApolloCar3D files in {shared_data}")
    return shared_data
