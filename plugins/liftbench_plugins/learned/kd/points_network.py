"""A network that lifts the points of one frame (after Martinez et al., ICCV 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_FIRST_SPREAD = 1e-3
_BLOCKS = 2


class PointsNetwork(nn.Module):
    """Two residual blocks of two layers each, with layer normalisation.

    Args:
        points: P.
        hidden: units of a layer.
        generator: draws the weights.
        features: of the frame beside its points.
    """

    def __init__(
        self, points: int, hidden: int, generator: torch.Generator, features: int = 0
    ) -> None:
        super().__init__()
        self.first = _linear(3 * points + features, hidden, generator)
        self.blocks = nn.ModuleList(_Block(hidden, generator) for _ in range(_BLOCKS))
        self.last = nn.Linear(hidden, 3 * points)
        nn.init.normal_(self.last.weight, std=_FIRST_SPREAD, generator=generator)
        nn.init.zeros_(self.last.bias)

    def forward(self, points: Tensor, visible: Tensor) -> Tensor:
        """Return coordinates (B, P, 3) in the unit of the points.

        Args:
            points: (B, P, 2), about their middle and of size 1; 0 where hidden.
            visible: (B, P) ones and zeros.
        """
        return nn.functional.pad(points, (0, 1)) + self.change(points, visible)

    def change(self, points: Tensor, visible: Tensor, features: Tensor | None = None) -> Tensor:
        """Return what is added to the points (B, P, 3), given features (B, C) of the frames too."""
        given = torch.cat([points, visible[..., None]], dim=2).flatten(1)
        given = given if features is None else torch.cat([given, features], dim=1)
        feature = torch.relu(self.first(given))
        for block in self.blocks:
            feature = block(feature)
        change: Tensor = self.last(feature).view(*points.shape[:2], 3)
        return change


class _Block(nn.Module):
    def __init__(self, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.one, self.two = (_linear(hidden, hidden, generator) for _ in range(2))
        self.norm = nn.LayerNorm(hidden)

    def forward(self, feature: Tensor) -> Tensor:
        change = torch.relu(self.one(self.norm(feature)))
        changed: Tensor = feature + self.two(change)
        return changed


def _linear(size: int, out: int, generator: torch.Generator) -> nn.Linear:
    layer = nn.Linear(size, out)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    nn.init.zeros_(layer.bias)
    return layer
