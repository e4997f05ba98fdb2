"""How unlike two pictures look inside a mask: by colours, or by features of a trained network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from liftbench_plugins.learned.pictures import PACKAGE
from liftbench_plugins.learned.pictures.backbones import (
    EfficientNetLite0,
    lite0_weights,
    load_weights,
    normalise,
)

_SCALES = 3  # of the distance by colours, each half as fine as the one before
# Channels, kernel, stride and padding of AlexNet's convolutions (torchvision's version).
_ALEXNET = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
_POOLED = (1, 2)  # the convolutions that a maximum over 3x3 pixels precedes
_HEADS = "weights/v0.1/alex.pth"  # in the package lpips
_EPSILON = 1e-10  # Source: LPIPS

Trunk = TypeVar("Trunk", bound=nn.Module)
Distance = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From pictures (B, 3, N, N), others and masks (B, N, N) to distances (B,)."""


def make_distance(weights: str) -> Distance:
    """Return a distance of pictures.

    Args:
        weights: empty for colours at several scales; "package" for features of EfficientNet-Lite0
            with the weights of its package; else LPIPS (Zhang et al., CVPR 2018), with the path of
            torchvision's weights of AlexNet and the heads of the package `lpips`.

    Raises:
        ValueError: the file does not have the weights.
        ImportError: a package is not installed.
    """
    if not weights:
        return colour_distance
    if weights == PACKAGE:
        lite0 = EfficientNetLite0()
        load_weights(lite0, lite0_weights())
        return FeatureDistance(_freeze(lite0).maps)
    alexnet = AlexNet()
    load_weights(alexnet, Path(weights))
    return FeatureDistance(_freeze(alexnet), lpips_heads())


def _freeze(trunk: Trunk) -> Trunk:
    """Return a trained network, whose weights now stay as they are."""
    return trunk.eval().requires_grad_(requires_grad=False)


def colour_distance(picture: Tensor, other: Tensor, mask: Tensor) -> Tensor:
    """Return the mean difference (B,) of colours in masks, the mean over three scales."""
    error, inside = (picture - other) * mask[:, None], mask[:, None]
    total = _mean_inside(error, inside)
    for _ in range(_SCALES - 1):
        error, inside = avg_pool2d(error, 2), avg_pool2d(inside, 2)
        total = total + _mean_inside(error, inside)
    return total / _SCALES


def _mean_inside(error: Tensor, inside: Tensor) -> Tensor:
    return error.abs().mean(dim=1).sum(dim=(1, 2)) / inside.sum(dim=(1, 2, 3)).clamp_min(1)


class FeatureDistance:
    """The mean squared difference of features with unit length, summed over maps, as in LPIPS.

    Args:
        trunk: from normalised pictures (B, 3, N, N) to feature maps (B, C, H, W).
        heads: weights (C,) of the channels of each map; None: 1.
    """

    def __init__(
        self, trunk: Callable[[Tensor], Sequence[Tensor]], heads: Sequence[Tensor] | None = None
    ) -> None:
        self.trunk, self.heads = trunk, heads

    def __call__(self, picture: Tensor, other: Tensor, mask: Tensor) -> Tensor:
        """Return the distances (B,) of pictures that are black outside of their masks."""
        both = torch.cat([picture, other]) * mask.repeat(2, 1, 1)[:, None]
        total = picture.new_zeros(len(picture))
        for number, features in enumerate(self.trunk(normalise(both))):
            length = features.square().sum(dim=1, keepdim=True).sqrt()
            one, two = (features / (length + _EPSILON)).chunk(2)
            square = (one - two).square()
            if self.heads is not None:
                square = square * self.heads[number].to(square)[:, None, None]
            total = total + square.sum(dim=1).mean(dim=(1, 2))
        return total


class AlexNet(nn.Module):
    """The convolutions of AlexNet, whose maps LPIPS compares; named as in torchvision's file."""

    def __init__(self) -> None:
        super().__init__()
        before = 3
        layers: list[nn.Module] = []
        for number, (channels, kernel, stride, padding) in enumerate(_ALEXNET):
            if number in _POOLED:
                layers.append(nn.MaxPool2d(3, 2))
            layers += [nn.Conv2d(before, channels, kernel, stride, padding), nn.ReLU()]
            before = channels
        self.features = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Return the five feature maps of pictures (B, 3, N, N)."""
        maps = []
        for layer in self.features:
            pictures = layer(pictures)
            if isinstance(layer, nn.ReLU):
                maps.append(pictures)
        return maps


def lpips_heads() -> list[Tensor]:
    """Return the weights (C,) of LPIPS for the channels of the maps of `AlexNet`.

    Raises:
        ImportError: the package `lpips` is not installed.
    """
    # The package itself needs torchvision; its file of weights does not.
    found = find_spec("lpips")
    if found is None or not found.submodule_search_locations:
        raise ImportError(
            "LPIPS needs the weights of the package lpips; install it with: pip "
            "install --no-deps lpips"
        )
    path = Path(found.submodule_search_locations[0]) / _HEADS
    weights = torch.load(path, map_location="cpu", weights_only=True)
    return [weights[f"lin{number}.model.1.weight"].flatten() for number in range(len(_ALEXNET))]
