"""Integral regression against means written out cell by cell."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tests.plugins.learned.conftest import backward, draw, seeded

from liftbench.types import Floats
from liftbench_plugins.learned.pictures.backbones import make_backbone
from liftbench_plugins.learned.pictures.integral_regression import (
    HeatMapShape,
    IntegralRegression,
    soft_argmax,
)

SIZE = 48.0


def mean_position(volume: Floats) -> list[float]:
    """Return the exact mean x, y, z of one volume (D, H, W) of logits."""
    total, mean = 0.0, np.zeros(3)
    depth, height, width = volume.shape
    for d, h, w in np.ndindex(volume.shape):
        share = math.exp(volume[d, h, w])
        place = ((w + 0.5) / width, (h + 0.5) / height, (d + 0.5) / depth - 0.5)
        mean += share * np.array(place)
        total += share
    return [float(SIZE * value / total) for value in mean]


def test_the_position_is_the_exact_mean_of_the_volume() -> None:
    volume = draw(2, 3, 4, 5, 6)
    found = soft_argmax(volume, SIZE)
    assert found.shape == (2, 3, 3)
    for b, p in np.ndindex(2, 3):
        expected = mean_position(volume[b, p].numpy())
        assert found[b, p].tolist() == pytest.approx(expected, rel=1e-12)


def test_a_sharp_map_gives_the_middle_of_its_cell() -> None:
    volume = torch.zeros(1, 1, 12, 12, 12)
    volume[0, 0, 2, 3, 7] = 1e4
    assert soft_argmax(volume, SIZE)[0, 0].tolist() == [30.0, 14.0, 10.0 - SIZE / 2]


def test_a_flat_map_gives_the_middle_of_the_picture() -> None:
    for level in (-1e30, 0.0, 1e30):
        found = soft_argmax(torch.full((1, 2, 4, 4, 4), level), SIZE)
        torch.testing.assert_close(found, torch.tensor([[[24.0, 24.0, 0.0]] * 2]))


def test_the_gradient_is_that_of_finite_differences() -> None:
    volume = draw(1, 2, 3, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: soft_argmax(v, SIZE), (volume,))


def test_half_precision_maps_give_positions_in_single_precision() -> None:
    volume = draw(1, 2, 8, 8, 8).to(torch.bfloat16)
    found = soft_argmax(volume, SIZE)
    assert found.dtype == torch.float32
    expected = soft_argmax(volume.double(), SIZE).float()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def student(size: int = 64, cell: int = 4, *, bfloat16: bool = False) -> IntegralRegression:
    backbone = make_backbone("resnet18", 1 / 16, "", seeded())
    shape = HeatMapShape(size, cell, 1 / 16, bfloat16)
    return IntegralRegression(backbone, 5, shape, seeded(1))


@pytest.mark.parametrize(("size", "cell"), [(32, 4), (96, 4), (32, 1), (64, 8), (96, 32)])
def test_the_volume_has_cells_of_the_given_size_and_is_flat_at_first(size: int, cell: int) -> None:
    network = student(size, cell)
    with torch.no_grad():
        maps = network.head(network.backbone(torch.zeros(2, 3, size, size)))
        found = network(torch.zeros(2, 3, size, size))
    assert maps.shape == (2, 5 * (size // cell), size // cell, size // cell)
    assert found.shape == (2, 5, 3)
    torch.testing.assert_close(
        found, torch.tensor([size / 2, size / 2, 0.0]).expand(2, 5, 3), rtol=0, atol=0.1
    )


def test_each_point_has_its_own_channels_from_front_to_back() -> None:
    network = student()
    last = network.head[-1]
    assert isinstance(last, torch.nn.Conv2d)
    with torch.no_grad():
        last.weight.zero_()
        assert last.bias is not None
        last.bias.zero_()
        last.bias[2 * 16 + 13] = 1e4
        found = network(torch.zeros(2, 3, 64, 64))
    assert found[:, 2, 2].tolist() == [13.5 * 4 - 32] * 2
    assert found[:, [0, 1, 3, 4], 2].abs().max() < 1e-4


def test_bfloat16_rounds_what_convolutions_calculate_and_keeps_weights_and_positions() -> None:
    exact, rounded = student(), student(bfloat16=True)
    pictures = draw(4, 3, 64, 64).float()
    for network in (exact, rounded):
        last = network.head[-1]
        assert isinstance(last, torch.nn.Conv2d)
        with torch.no_grad():
            last.weight.mul_(100)
    kinds = set[torch.dtype]()
    rounded.head.register_forward_hook(lambda _, __, maps: kinds.add(maps.dtype))
    found = rounded(pictures)
    assert kinds == {torch.bfloat16}
    assert {found.dtype, *(weight.dtype for weight in rounded.parameters())} == {torch.float32}
    expected = exact(pictures)
    assert not torch.equal(found, expected)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.2)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_the_gradient_reaches_every_weight(bfloat16: bool) -> None:
    network = student(bfloat16=bfloat16)
    backward(network(draw(4, 3, 64, 64).float()).square().sum())
    silent = [
        name
        for name, weight in network.named_parameters()
        if weight.grad is None or not weight.grad.any()
    ]
    assert silent == []
