"""The network from pictures to positions and visibilities."""

from __future__ import annotations

import pytest
import torch
from tests.conftest import not_none
from tests.plugins.learned.conftest import backward, draw, seeded
from torch import Tensor

from liftbench_plugins.learned.pictures.backbones import make_backbone
from liftbench_plugins.learned.ttp.network import PointRegressor


def start() -> Tensor:
    positions: Tensor = 0.4 * draw(7, 2, seed=2).float().tanh()
    return positions


def orthogonal_fields(count: int) -> Tensor:
    fields: Tensor = 7**0.5 * torch.linalg.qr(draw(7, count, seed=3)).Q.float()
    return fields


@pytest.mark.parametrize("fields", [None, orthogonal_fields(3)])
@pytest.mark.parametrize("size", [32, 64, 256])
def test_positions_lie_in_the_picture_and_all_weights_are_used(
    size: int, fields: Tensor | None
) -> None:
    backbone = make_backbone("resnet18", 0.25, "", seeded(0))
    network = PointRegressor(backbone, size, start(), fields, seeded(1))
    positions, visibility = network(draw(3, 3, size, size).float().sigmoid())
    assert positions.shape == (3, 7, 2)
    assert visibility.shape == (3, 7)
    assert positions.abs().max() < 1
    assert ((visibility > 0) & (visibility < 1)).all()
    backward(positions.square().sum() + visibility.square().sum())
    for name, weight in network.named_parameters():
        assert not_none(weight.grad).abs().sum() > 0, name


def test_positions_are_first_where_they_start() -> None:
    backbone = make_backbone("resnet18", 0.05, "", seeded(0))
    network = PointRegressor(backbone, 32, start(), None, seeded(1))
    positions, visibility = network(draw(3, 3, 32, 32).float().sigmoid())
    assert (positions - start()).abs().max() < 0.05
    assert (visibility - 0.5).abs().max() < 0.05


def test_positions_are_combined_of_fields() -> None:
    fields = orthogonal_fields(3)
    backbone = make_backbone("resnet18", 0.05, "", seeded(0))
    network = PointRegressor(backbone, 32, start(), fields, seeded(1))
    positions, _ = network(draw(3, 3, 32, 32).float().sigmoid())
    rest = torch.eye(7) - fields @ fields.mT / 7
    assert (rest @ positions.atanh()).abs().max() < 1e-5
    span = fields @ fields.mT / 7 @ start().atanh()
    assert (positions.atanh() - span).abs().max() < 0.1


def test_the_map_of_large_pictures_is_halved() -> None:
    backbone = make_backbone("resnet18", 0.05, "", seeded(0))
    counts = [
        PointRegressor(backbone, size, start(), None, seeded(1)).head.in_features
        for size in (64, 256)
    ]
    assert counts == [2 * 2 * backbone.channels, 4 * 4 * (backbone.channels // 2)]


def test_fewer_stages_make_a_finer_map() -> None:
    backbone = make_backbone("resnet18", 0.25, "", seeded(0), stages=3)
    assert (backbone.stride, backbone.channels) == (16, 64)
    assert backbone(draw(2, 3, 64, 64).float()).shape == (2, 64, 4, 4)
    assert PointRegressor(backbone, 64, start(), None, seeded(1)).head.in_features == 4 * 4 * 64
    with pytest.raises(ValueError, match="expected 128 pixels or more"):
        make_backbone("efficientnet_lite0", 1.0, "", seeded(0), stages=3)
