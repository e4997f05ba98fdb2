"""A network that lifts points with what a picture shows along the edges of the skeleton."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from liftbench_plugins.learned.kd import PicturePointParams
from liftbench_plugins.learned.kd.points_network import PointsNetwork
from liftbench_plugins.learned.pictures.strips import LENGTH, WIDTH


class PicturePointsNetwork(nn.Module):
    """A points-only network, and a correction that sees strips of the picture too.

    What a strip says is weak and easily learned by heart. So a correction can leave the points-only
    network as it is, and in training it must do without a share of the strips and features.

    Args:
        points: P.
        edges: E, the number of strips of a picture.
        params: size of the layers, and how much is left out.
        generator: draws the weights.
    """

    def __init__(
        self,
        points: int,
        edges: int,
        params: PicturePointParams,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.dropout = params.dropout
        # Each edge has weights of its own: thighs and arms are lit and hidden in different ways.
        inputs = LENGTH * WIDTH
        first = torch.randn(edges, inputs, params.features, generator=generator)
        self.weight = nn.Parameter(first / inputs**0.5)
        self.bias = nn.Parameter(torch.zeros(edges, params.features))
        self.trunk = PointsNetwork(points, params.hidden, generator)
        features = 3 * points + self.bias.numel()
        self.correction = PointsNetwork(points, params.hidden, generator, features)

    def forward(
        self,
        points: Tensor,
        visible: Tensor,
        strips: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return coordinates (B, P, 3) in the unit of the points.

        Args:
            points: (B, P, 2), about their middle and of size 1; 0 where hidden.
            visible: (B, P) ones and zeros.
            strips: (B, E, LENGTH * WIDTH), see `read_strips`.
            generator: draws what is left out in training; None leaves out nothing.
        """
        lifted = self.trunk(points, visible)
        strips = self._leave_out(strips, (1,), generator)
        found = torch.relu(torch.einsum("bei,eih->beh", strips, self.weight) + self.bias)
        found = self._leave_out(found, found.shape[2:], generator)
        features = torch.cat([lifted.detach().flatten(1), found.flatten(1)], dim=1)
        corrected: Tensor = lifted + self.correction.change(points, visible, features)
        return corrected

    def _leave_out(
        self, values: Tensor, each: Sequence[int], generator: torch.Generator | None
    ) -> Tensor:
        """Return values (B, E, C) of which some are 0 in training, and the others larger."""
        if generator is None:
            return values
        drawn = torch.rand((*values.shape[:2], *each), generator=generator).to(values)
        return values * (drawn >= self.dropout) / (1 - self.dropout)
