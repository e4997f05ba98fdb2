"""Frames as students see them that look at points, and at pictures along the edges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.plugins.learned.conftest import seeded
from torch import Tensor, nn

from liftbench import Observations, Skeleton
from liftbench.crops import make_crops
from liftbench.images import Images
from liftbench_plugins.learned.kd import PicturePointParams
from liftbench_plugins.learned.kd.picture_point_views import PicturePointViews
from liftbench_plugins.learned.pictures.strips import read_strips

F, N = 6, 32
SKELETON = Skeleton(("middle", "left", "right"), ((0, 1), (0, 2)), left_right=((1, 2),), root=0)
HIDDEN = (3, 2)


@pytest.fixture
def observations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Observations:
    """Frames of three points in millimetres, before pictures of noise."""
    monkeypatch.setenv("LIFTBENCH_CROPS", str(tmp_path / "crops"))
    rng = np.random.default_rng(0)
    files = []
    for frame in range(F):
        pixels = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
        files.append(str(tmp_path / f"{frame}.png"))
        Image.fromarray(pixels).save(files[-1])
    pixel, origin = rng.uniform(4, 9, F), np.tile([25.0, 20.0], (F, 1))
    places = origin[:, None] + rng.uniform(-12, 12, (F, 3, 2))
    box = np.tile([-16.0, -16.0, 32.0, 32.0], (F, 1)) * pixel[:, None]
    visible = np.ones((F, 3), dtype=np.bool_)
    visible[HIDDEN] = False
    points = (places - origin[:, None]) * pixel[:, None, None]
    points[HIDDEN] = np.nan
    return Observations(
        *(points, visible, np.arange(F), "orthographic", SKELETON),
        box=box,
        images=Images(tuple(files)),
        pixel=pixel,
        origin=origin,
    )


def strips_by_hand(observations: Observations, frame: int, *, mirrored: bool) -> Tensor:
    seen = observations.in_pixels()
    assert seen.images is not None
    crops = make_crops(seen.images, seen.box, N)
    picture = torch.from_numpy(np.array(crops.pixels[frame])).permute(2, 0, 1)[None].float() / 255
    places = torch.from_numpy(crops.to_crop(seen.points_2d))[frame][None].float().nan_to_num()
    visible = torch.from_numpy(np.array(seen.visible))[frame][None].float()
    if mirrored:  # the person in the mirror has the other hand on the left
        picture, other = picture.flip(3), [0, 2, 1]
        places = torch.stack([N - places[0, other, 0], places[0, other, 1]], dim=1)[None]
        visible = visible[:, other]
    found: Tensor = read_strips(picture, places, visible, SKELETON.edges)[0]
    return found


@pytest.mark.parametrize("mirrored", [False, True])
def test_strips_are_those_of_the_crop_or_of_its_mirror_image(
    observations: Observations, mirrored: bool
) -> None:
    views = PicturePointViews(observations, N, "cpu")
    strips = views.mirrored_strips if mirrored else views.strips
    for frame in range(F):
        expected = strips_by_hand(observations, frame, mirrored=mirrored)
        found = strips[frame].float()
        torch.testing.assert_close(found, expected, rtol=2e-3, atol=2e-3)
    hidden_edge = 0 if mirrored else 1
    assert strips[HIDDEN[0], hidden_edge].eq(0).all()


def test_a_mirrored_frame_is_seen_with_the_strips_of_its_mirror_image(
    observations: Observations,
) -> None:
    seen: list[tuple[Tensor, Tensor, bool]] = []

    class Watching(nn.Module):
        def forward(self, points: Tensor, visible: Tensor, *beside: Any) -> Tensor:
            seen.append((points, beside[0], isinstance(beside[-1], torch.Generator)))
            return nn.functional.pad(points, (0, 1))

    views = PicturePointViews(observations, N, "cpu")
    frames = torch.tensor([4, 1])
    for flip in (0.0, 1.0):
        params = PicturePointParams(flip=flip, rotation=0)
        views.lift_changed(Watching(), frames, params, seeded())
    plain = views.lift(Watching(), frames)
    still, mirrored, whole = seen
    torch.testing.assert_close(still[1], views.strips[frames].float(), rtol=0, atol=0)
    torch.testing.assert_close(mirrored[1], views.mirrored_strips[frames].float(), rtol=0, atol=0)
    torch.testing.assert_close(mirrored[0][:, [0, 2, 1], 0], -still[0][..., 0])
    torch.testing.assert_close(whole[1], still[1], rtol=0, atol=0)
    assert [drawn for *_, drawn in seen] == [True, True, False], "only training leaves strips out"
    expected = torch.from_numpy(observations.points_2d[[4, 1]]).float()
    torch.testing.assert_close(plain[..., :2], expected, rtol=1e-4, atol=1e-3)
