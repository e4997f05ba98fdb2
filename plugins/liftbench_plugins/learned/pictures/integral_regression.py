"""Integral regression: the mean of a heat map as the position of a point.

Sun, Xiao, Wei, Liang, Wei, Integral human pose regression, ECCV 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from liftbench_plugins.learned.pictures import STRIDE
from liftbench_plugins.learned.pictures.backbones import Backbone

_CHANNELS = 256
_FIRST_SPREAD = 1e-3


def soft_argmax(volume: Tensor, size: float) -> Tensor:
    """Return the mean position (B, P, 3) under the softmax of each heat-map volume.

    x and y are in pixels of the picture, where the middle of the first pixel is at 0.5; z is in the
    same unit, between -size / 2 and size / 2.

    Args:
        volume: logits (B, P, D, H, W).
        size: height and width of the picture, in pixels.
    """
    share = volume.flatten(2).softmax(dim=2, dtype=_accurate(volume))
    axes = [(torch.arange(n).to(share) + 0.5) * (size / n) for n in volume.shape[2:]]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    return share @ torch.stack([x, y, z - size / 2], dim=-1).flatten(end_dim=2)


@dataclass(frozen=True)
class HeatMapShape:
    """The sizes of a network that predicts heat maps.

    Attributes:
        size: height and width of the pictures, in pixels; a multiple of 32.
        cell: pixels along each side of a cell of the heat map: 1, 2, 4, 8, 16 or 32.
        width: factor of the channels of the transposed convolutions.
        bfloat16: whether convolutions calculate in bfloat16.
    """

    size: int
    cell: int
    width: float
    bfloat16: bool

    @property
    def cells(self) -> int:
        """Cells along each axis of a heat map."""
        return self.size // self.cell


class IntegralRegression(nn.Module):
    """A backbone, transposed convolutions to a volume per point, and its mean (section 2).

    Each transposed convolution with batch normalisation makes the features twice as large, until
    they have one cell of the heat map each (Xiao et al., Simple baselines for human pose estimation
    and tracking, ECCV 2018).

    Args:
        backbone: turns pictures into features.
        points: P.
        shape: of the network beside its backbone.
        generator: draws the weights of the transposed convolutions.
    """

    def __init__(
        self, backbone: Backbone, points: int, shape: HeatMapShape, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.backbone, self.points, self.shape = backbone, points, shape
        larger, channels = _enlargement(backbone.channels, shape)
        last = nn.Conv2d(channels, points * shape.cells, 1)
        self.head = nn.Sequential(*larger, last)
        # All maps are nearly flat at first, so that every cell gets a gradient.
        for parameter in self.head.parameters():
            if parameter.ndim == 4:
                nn.init.normal_(parameter, std=_FIRST_SPREAD, generator=generator)
            elif parameter is last.bias:
                nn.init.zeros_(parameter)
        # Convolutions on CPUs are faster in this order of axes.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor) -> Tensor:
        """Return positions (B, P, 3) in pixels of pictures (B, 3, N, N), see `soft_argmax`."""
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=self.shape.bfloat16):
            maps = self.head(self.backbone(pictures))
        volume = maps.unflatten(1, (self.points, self.shape.cells))
        return soft_argmax(volume, self.shape.size)


def _enlargement(channels: int, shape: HeatMapShape) -> tuple[list[nn.Module], int]:
    """Return layers from features to cells of the heat map, and the channels after them."""
    layers, wide = list[nn.Module](), max(1, round(_CHANNELS * shape.width))
    for _ in range((STRIDE // shape.cell).bit_length() - 1):
        layers += [
            nn.ConvTranspose2d(channels, wide, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(inplace=True),
        ]
        channels = wide
    return layers, channels


def _accurate(volume: Tensor) -> torch.dtype:
    return torch.promote_types(volume.dtype, torch.float32)
