"""A network that lifts points with what a picture shows along the edges of the skeleton."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from liftbench_plugins.learned.kd import PicturePointParams
from liftbench_plugins.learned.kd.points_network import PointsNetwork
from liftbench_plugins.learned.pictures.strips import LENGTH, WIDTH, Strips


class PicturePointsNetwork(nn.Module):
    """A points-only network, and a correction that sees strips of the picture too.

    What a strip says is weak and easily learned by heart. So a correction can leave the points-only
    network as it is, and in training it must do without a share of the strips and features.

    Args:
        points: P.
        edges: E pairs of points, along which the strips lie.
        params: size of the pictures and of the layers.
        generator: draws the weights.
    """

    def __init__(
        self,
        points: int,
        edges: Sequence[tuple[int, int]],
        params: PicturePointParams,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.size, self.dropout = params.image_size, params.dropout
        self.strips = Strips(edges)
        # Each edge has weights of its own: thighs and arms are lit and hidden in different ways.
        inputs = LENGTH * WIDTH
        first = torch.randn(len(edges), inputs, params.features, generator=generator)
        self.weight = nn.Parameter(first / inputs**0.5)
        self.bias = nn.Parameter(torch.zeros(len(edges), params.features))
        self.trunk = PointsNetwork(points, params.hidden, generator)
        features = 3 * points + self.bias.numel()
        self.correction = PointsNetwork(points, params.hidden, generator, features)

    def forward(
        self,
        pictures: Tensor,
        places: Tensor,
        visible: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return coordinates (B, P, 3) in pixels of the pictures.

        Args:
            pictures: (B, 3, N, N) from 0 to 1.
            places: (B, P, 2) in pixels from the upper left corner; of any value where hidden.
            visible: (B, P) ones and zeros.
            generator: draws what is left out in training; None leaves out nothing.
        """
        # In edges of the picture from its middle.
        points = (places / self.size - 0.5) * visible[..., None]
        lifted = self.trunk(points, visible)
        strips = self._leave_out(self.strips(pictures, places, visible), (1,), generator)
        found = torch.relu(torch.einsum("bei,eih->beh", strips, self.weight) + self.bias)
        found = self._leave_out(found, found.shape[2:], generator)
        features = torch.cat([lifted.detach().flatten(1), found.flatten(1)], dim=1)
        lifted = lifted + self.correction.change(points, visible, features)
        return (lifted + lifted.new_tensor([0.5, 0.5, 0.0])) * self.size

    def _leave_out(
        self, values: Tensor, each: Sequence[int], generator: torch.Generator | None
    ) -> Tensor:
        """Return values (B, E, C) of which some are 0 in training, and the others larger."""
        if generator is None:
            return values
        drawn = torch.rand((*values.shape[:2], *each), generator=generator).to(values)
        return values * (drawn >= self.dropout) / (1 - self.dropout)
