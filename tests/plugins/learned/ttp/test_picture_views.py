"""Pictures and masks that move with their key points, on pictures with a square for each point."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.plugins.learned.conftest import seeded

from liftbench import Observations, Skeleton
from liftbench.images import Images
from liftbench_plugins.learned.pictures.augmentation import Augmentation
from liftbench_plugins.learned.ttp.picture_views import MaskedPictures

F, SIZE = 6, 64
HOW = Augmentation(flip=0.5, rotation=10, scale=0.05, shift=0.02, colour=0.0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep crops in a folder of the test."""
    monkeypatch.setenv("LIFTBENCH_CROPS", str(tmp_path / "crops"))


def frames_of_squares(folder: Path, *, masks: bool = True) -> Observations:
    """Return frames with a red left point and a green right one; masks have the squares of both."""
    places = np.random.default_rng(0).integers(35, 65, (F, 2, 2)) + 0.5
    files, silhouettes = [], []
    for frame in range(F):
        picture = np.zeros((100, 110, 3), np.uint8)
        for colour, (x, y) in enumerate(places[frame].astype(int)):
            picture[y - 2 : y + 3, x - 2 : x + 3, colour] = 255
        files.append(str(folder / f"{frame}.png"))
        silhouettes.append(str(folder / f"{frame}_mask.png"))
        Image.fromarray(picture).save(files[-1])
        Image.fromarray(picture.max(axis=2)).save(silhouettes[-1])
    return Observations(
        np.asarray(places - 0.5, np.float64),
        np.ones((F, 2), dtype=np.bool_),
        np.arange(F),
        "orthographic",
        Skeleton(("left", "right"), left_right=((0, 1),)),
        np.broadcast_to([20.0, 20.0, 60.0, 60.0], (F, 4)),
        Images(tuple(files), tuple(silhouettes) if masks else None),
        np.ones(F),
        np.full((F, 2), 0.5),
    )


def centre(weights: torch.Tensor) -> torch.Tensor:
    """Return the mean position (B, 2) of pictures (B, N, N), from -1 to 1."""
    axis = (2 * torch.arange(SIZE) + 1) / SIZE - 1
    share = weights / weights.sum(dim=(1, 2), keepdim=True)
    return torch.stack([share.sum(dim=1) @ axis, share.sum(dim=2) @ axis], dim=1)


def test_points_and_masks_move_with_the_picture(tmp_path: Path) -> None:
    views = MaskedPictures(frames_of_squares(tmp_path), SIZE, "cpu")
    seen = views.changed_views(torch.arange(F), HOW, seeded(3))
    mirrored = torch.linalg.det(seen.linear) < 0
    assert mirrored.any()
    assert not mirrored.all()
    for colour in range(2):
        # In a mirrored picture, what was left is named right.
        point = torch.where(mirrored, 1 - colour, colour)
        expected = seen.points[torch.arange(F), point]
        found = centre(seen.pictures[:, colour].clamp_min(0))
        torch.testing.assert_close(found, expected, atol=0.02, rtol=0)
    squares = seen.pictures[:, :2].amax(dim=1)
    torch.testing.assert_close(seen.masks, squares, atol=0.02, rtol=0)


def test_the_change_is_that_of_the_points(tmp_path: Path) -> None:
    views = MaskedPictures(frames_of_squares(tmp_path), SIZE, "cpu")
    seen = views.changed_views(torch.arange(F), HOW, seeded(3))
    moved = views.points @ seen.linear.mT + seen.shift[:, None]
    mirrored = (torch.linalg.det(seen.linear) < 0)[:, None, None]
    torch.testing.assert_close(seen.points, torch.where(mirrored, moved.flip(1), moved))


def test_frames_to_predict_need_no_masks(tmp_path: Path) -> None:
    bare = frames_of_squares(tmp_path, masks=False)
    views = MaskedPictures(bare, SIZE, "cpu", masks=False)
    assert views.pictures(torch.arange(2)).shape == (2, 3, SIZE, SIZE)
    with pytest.raises(ValueError, match="masks"):
        MaskedPictures(bare, SIZE, "cpu")
