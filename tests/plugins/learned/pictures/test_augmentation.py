"""Changed pictures show their points where the change of positions says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.plugins.learned.conftest import seeded
from torch import Tensor

from liftbench_plugins.learned.pictures.augmentation import Augmentation, warp
from liftbench_plugins.learned.pictures.similarity import Similarity

N = 32
PARTNER = torch.tensor([1, 0])
STRONG = Augmentation(flip=0.5, rotation=20.0, scale=0.1, shift=0.05, colour=0.1)


def spots(places: Tensor) -> Tensor:
    """Return pictures (B, 3, N, N) with a soft spot at each place (B, 2)."""
    axis = torch.arange(N) + 0.5
    x, y = axis[None, None, :], axis[None, :, None]
    square = (x - places[:, 0, None, None]) ** 2 + (y - places[:, 1, None, None]) ** 2
    return (-square / 8).exp()[:, None].expand(-1, 3, -1, -1)


def middle_of_light(pictures: Tensor) -> Tensor:
    axis = torch.arange(N) + 0.5
    light = pictures[:, 0] / pictures[:, 0].sum(dim=(1, 2), keepdim=True)
    return torch.stack([light.sum(dim=1) @ axis, light.sum(dim=2) @ axis], dim=1)


def test_a_spot_moves_with_its_position() -> None:
    places = 16 + 4 * (2 * torch.rand(40, 2, generator=seeded()) - 1)
    change = STRONG.draw(40, N, PARTNER, seeded(1))
    moved = change.move(places[:, None].expand(-1, 2, -1))[:, 0]
    found = middle_of_light(warp(spots(places), change))
    torch.testing.assert_close(found, moved, rtol=0, atol=0.1)


def test_a_mirror_reverses_the_columns_exactly() -> None:
    picture = torch.rand(1, 3, N, N, generator=seeded())
    mirror = Augmentation(1.0, 0.0, 0.0, 0.0, 0.0).draw(1, N, PARTNER, seeded())
    torch.testing.assert_close(warp(picture, mirror), picture.flip(3), rtol=0, atol=1e-4)


def test_a_shift_by_whole_pixels_brings_black_in() -> None:
    picture = torch.rand(1, 3, N, N, generator=seeded()) + 0.1
    shift = Similarity(torch.eye(2)[None], torch.tensor([[3.0, -2.0]]), PARTNER)
    moved = warp(picture, shift)
    torch.testing.assert_close(moved[..., :-2, 3:], picture[..., 2:, :-3], rtol=0, atol=1e-4)
    assert not moved[..., -2:, :].any()
    assert not moved[..., :3].any()


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_changes_are_about_the_middle_within_their_bounds(flip: float) -> None:
    how = Augmentation(flip, 10.0, 0.1, 0.05, 0.0)
    change = how.draw(500, N, PARTNER, seeded())
    factor = torch.linalg.det(change.linear).abs().sqrt()
    assert 0.8 - 1e-6 <= float(factor.min()) < 0.9
    assert 1.1 < float(factor.max()) <= 1.2 + 1e-6
    middle = torch.full((500, 2, 2), N / 2)
    apart = (change.move(middle)[:, 0] - N / 2) / N
    assert 0.08 < float(apart.abs().max()) <= 0.1 + 1e-6
    assert abs(float(apart.mean())) < 0.01


def test_colours_change_by_one_factor_for_each_picture_and_colour() -> None:
    pictures = torch.full((200, 3, 4, 4), 0.5)
    changed = STRONG.recolour(pictures, seeded())
    factors = changed[:, :, 0, 0] / 0.5
    torch.testing.assert_close(changed, 0.5 * factors[..., None, None].expand(-1, -1, 4, 4))
    assert np.std(factors.numpy()) == pytest.approx(0.1, rel=0.15)
    assert float(STRONG.recolour(pictures + 0.5, seeded()).max()) == 1.0
