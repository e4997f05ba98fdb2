"""Frames as students see them that look at pictures, on pictures with a spot for each point."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.plugins.learned.conftest import seeded
from tests.plugins.learned.kd.conftest import ExactTeacher
from torch import Tensor, nn

from liftbench import Observations, Skeleton
from liftbench.images import Images
from liftbench.runs.firewall import show_at_predict, to_data_unit
from liftbench.types import Floats
from liftbench_plugins.learned.kd import KdParams, PictureParams
from liftbench_plugins.learned.kd.lifter import Student
from liftbench_plugins.learned.kd.picture_views import PictureViews
from liftbench_plugins.learned.pictures.backbones import MEAN, SPREAD

F, N = 8, 64
STILL: dict[str, Any] = {"flip": 0.0, "rotation": 0.0, "scale": 0.0, "shift": 0.0, "colour": 0.0}
MOVING: dict[str, Any] = {"flip": 0.5, "rotation": 10.0, "scale": 0.05, "shift": 0.01}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep crops in a folder of the test."""
    monkeypatch.setenv("LIFTBENCH_CROPS", str(tmp_path / "crops"))


def spot(place: Floats, height: int, width: int) -> Floats:
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    square = (x - place[0]) ** 2 + (y[:, None] - place[1]) ** 2
    return np.asarray(255 * np.exp(-square / 18))


def frames_of_spots(folder: Path) -> Observations:
    """Return frames of three points in millimetres, as a red, a green and a blue spot."""
    rng = np.random.default_rng(0)
    pixel, origin = rng.uniform(4, 9, F), rng.uniform(50, 60, (F, 2))
    places = origin[:, None] + rng.uniform(-14, 14, (F, 3, 2))
    files = []
    for frame in range(F):
        colours = [spot(place, 110, 120) for place in places[frame]]
        files.append(str(folder / f"{frame}.png"))
        Image.fromarray(np.stack(colours, axis=2).astype(np.uint8)).save(files[-1])
    corner = np.broadcast_to([-35.0, -35.0], (F, 2))
    box = np.concatenate([corner, np.full((F, 2), 70.0)], axis=1) * pixel[:, None]
    return Observations(
        (places - origin[:, None]) * pixel[:, None, None],
        np.ones((F, 3), dtype=np.bool_),
        np.arange(F),
        "orthographic",
        Skeleton(("red", "green", "blue")),
        box=box,
        images=Images(tuple(files)),
        pixel=pixel,
        origin=origin,
    )


class Finder(nn.Module):
    """Finds the middle of each spot; its depth is the distance of the first two."""

    def forward(self, pictures: Tensor) -> Tensor:
        light = pictures * torch.tensor(SPREAD).view(-1, 1, 1) + torch.tensor(MEAN).view(-1, 1, 1)
        light = light.clamp_min(0)
        light = light / light.sum(dim=(2, 3), keepdim=True)
        axis = torch.arange(pictures.shape[-1]) + 0.5
        places = torch.stack([light.sum(dim=2) @ axis, light.sum(dim=3) @ axis], dim=2)
        apart = (places[:, 0] - places[:, 1]).norm(dim=1)
        return torch.cat([places, apart[:, None, None].expand(-1, 3, 1)], dim=2)


def require_found(lifted: Tensor, observations: Observations, pixels: float) -> None:
    """Raise unless places, and the distance as depth, are right within some pixels."""
    assert observations.pixel is not None
    points = observations.points_2d
    apart = np.linalg.norm(points[:, 0] - points[:, 1], axis=1)
    expected = np.dstack([points, np.repeat(apart[:, None], 3, axis=1)])
    error = abs(lifted.numpy() - expected) / observations.pixel[:, None, None]
    assert error.max() < pixels


def test_positions_in_crops_return_to_the_unit_of_the_data(tmp_path: Path) -> None:
    seen = frames_of_spots(tmp_path)
    views = PictureViews(seen, PictureParams(image_size=N), "cpu")
    frames = torch.tensor([3, 0, 5])
    require_found(views.lift(Finder(), frames), seen.take(frames.numpy()), 0.2)  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [STILL, MOVING], ids=["still", "moving"])
def test_positions_and_depths_in_changed_pictures_return_too(
    tmp_path: Path, how: dict[str, Any]
) -> None:
    seen = frames_of_spots(tmp_path)
    params = PictureParams(image_size=N, **how)
    views = PictureViews(seen, params, "cpu")
    lifted = views.lift_changed(Finder(), torch.arange(F), params, seeded())  # type: ignore[arg-type]
    require_found(lifted, seen, 0.5)


def test_pictures_differ_in_every_draw(tmp_path: Path) -> None:
    shown: list[Tensor] = []

    class Watching(Finder):
        def forward(self, pictures: Tensor) -> Tensor:
            shown.append(pictures)
            return super().forward(pictures)

    params = PictureParams(image_size=N)
    views = PictureViews(frames_of_spots(tmp_path), params, "cpu")
    generator = seeded()
    for _ in range(2):
        views.lift_changed(Watching(), torch.arange(F), params, generator)  # type: ignore[arg-type]
    assert float((shown[0] - shown[1]).abs().mean()) > 0.01


def with_pictures(teacher: ExactTeacher, folder: Path) -> Observations:
    """Return the frames of a teacher with noise for pictures."""
    seen, rng = teacher.observations, np.random.default_rng(0)
    frames = seen.frames
    files = [str(folder / f"noise{frame}.png") for frame in range(frames)]
    for file in files:
        Image.fromarray(rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(file)
    return replace(
        seen,
        images=Images(tuple(files)),
        pixel=rng.uniform(5, 9, frames),
        origin=rng.uniform(10, 30, (frames, 2)),
    )


def test_a_student_is_trained_and_predicts_from_pictures_alone(tmp_path: Path) -> None:
    teacher = ExactTeacher(F, hidden=0.2)
    seen = with_pictures(teacher, tmp_path)
    params = KdParams(
        teacher="exact",
        teacher_params={"of": "tests"},
        image_size=32,
        width=0.05,
        steps=30,
        batch_size=8,
        **{**MOVING, "flip": 0.5},
    )
    student = Student("pictures", "distillation", params)
    reports: list[tuple[int, int, float]] = []
    student.fit(seen, teacher.context(tmp_path, reports))
    assert reports[-1][0] == 30
    assert reports[-1][2] < reports[0][2]
    can = _images()
    found = to_data_unit(student.predict(show_at_predict(can, seen)), seen).points_3d
    views = PictureViews(seen, params, "cpu")
    with torch.no_grad():
        expected = views.lift(student.network, torch.arange(F)).numpy()  # type: ignore[arg-type]
    offset = found[..., 2:] - expected[..., 2:]
    np.testing.assert_allclose(found[..., :2], expected[..., :2], rtol=1e-3, atol=0.05)
    np.testing.assert_allclose(offset, np.broadcast_to(offset[:, :1], offset.shape), atol=0.05)


def _images() -> Any:
    from liftbench_plugins.learned.kd import STUDENTS

    return next(spec for spec in STUDENTS if spec.key == "kd").capabilities
