"""The network of To The Point: where each vertex of the template lies in a picture (sec. 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from liftbench_plugins.learned.pictures.backbones import Backbone, normalise

_FIRST_WEIGHT = 0.02
_LARGE_MAP = 8  # cells along an edge, from which a convolution halves the map as in the paper


class PointRegressor(nn.Module):
    """A backbone, a convolution and a linear layer to positions u and visibilities v.

    The convolution halves the size of a map of 8x8 cells, which the paper has for 256 pixels, and
    its channels. Smaller maps keep both.

    Args:
        backbone: turns pictures into features.
        size: height and width of the pictures, in pixels; a multiple of the backbone's stride.
        start: (N, 2), positions of the N vertices before any step, from -1 to 1.
        fields: (N, R), orthogonal, of which positions and visibilities are combined; each has a
            mean square of 1. None: each vertex has its own, as in the paper.
        generator: draws the weights.
    """

    def __init__(
        self,
        backbone: Backbone,
        size: int,
        start: Tensor,
        fields: Tensor | None,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.fields: Tensor | None
        self.register_buffer("fields", fields)
        cells, channels, kernel, stride = size // backbone.stride, backbone.channels, 3, 1
        if cells >= _LARGE_MAP:
            cells, channels, kernel, stride = cells // 2, channels // 2, 4, 2
        convolution = nn.Conv2d(backbone.channels, channels, kernel, stride, padding=1, bias=False)
        self.reduce = nn.Sequential(
            convolution,
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(0.2, inplace=True),
        )
        start = pad(start.atanh(), (0, 1))
        if fields is not None:
            start = fields.mT @ start / len(fields)
        self.head = nn.Linear(channels * cells * cells, start.numel())
        nn.init.kaiming_normal_(convolution.weight, mode="fan_out", generator=generator)
        nn.init.normal_(self.head.weight, std=_FIRST_WEIGHT, generator=generator)
        with torch.no_grad():
            self.head.bias.copy_(start.flatten())
        # Convolutions on CPUs are faster in this order of axes.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return positions (B, N, 2) from -1 to 1 in the picture and visibilities (B, N).

        Args:
            pictures: (B, 3, N, N) from 0 to 1.
        """
        pictures = normalise(pictures).contiguous(memory_format=torch.channels_last)
        features = self.reduce(self.backbone(pictures)).flatten(1)
        # So that a step of Adam moves positions equally far whatever the number of features.
        features = features / self.head.in_features**0.5
        out = self.head(features).unflatten(1, (-1, 3))
        if self.fields is not None:
            out = self.fields @ out
        return torch.tanh(out[..., :2]), torch.sigmoid(out[..., 2])
