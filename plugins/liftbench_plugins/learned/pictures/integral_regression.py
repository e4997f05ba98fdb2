"""Integral regression: the mean of a heat map as the position of a point.

Sun, Xiao, Wei, Liang, Wei, Integral human pose regression, ECCV 2018.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from liftbench_plugins.learned.pictures.backbones import Backbone

_DECONVOLUTIONS = 3
_CHANNELS = 256
_FIRST_SPREAD = 1e-3
CELL = 4
"""Pixels of a picture along each side of a cell of the heat map."""


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


class IntegralRegression(nn.Module):
    """A backbone, transposed convolutions to a volume per point, and its mean (section 2).

    Three transposed convolutions with batch normalisation enlarge the features to one cell per 4
    pixels (Xiao et al., Simple baselines for human pose estimation, ECCV 2018).

    Args:
        backbone: turns pictures into features.
        points: P.
        size: height and width of the pictures, in pixels; a multiple of 32.
        width: factor of the channels of the transposed convolutions.
        generator: draws their weights.
    """

    def __init__(
        self,
        backbone: Backbone,
        points: int,
        size: int,
        width: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.backbone, self.points, self.size = backbone, points, size
        larger, channels = enlargement(backbone.channels, width)
        last = nn.Conv2d(channels, points * (size // CELL), 1)
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
        maps = self.head(self.backbone(pictures))
        return soft_argmax(maps.unflatten(1, (self.points, self.size // CELL)), self.size)


def enlargement(channels: int, width: float) -> tuple[list[nn.Module], int]:
    """Return layers that make a feature map eight times as large, and the channels after them.

    Args:
        channels: of the feature map.
        width: factor of the channels of the layers.
    """
    layers, wide = list[nn.Module](), max(1, round(_CHANNELS * width))
    for _ in range(_DECONVOLUTIONS):
        layers += [
            nn.ConvTranspose2d(channels, wide, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(inplace=True),
        ]
        channels = wide
    return layers, wide


def _accurate(volume: Tensor) -> torch.dtype:
    return torch.promote_types(volume.dtype, torch.float32)
