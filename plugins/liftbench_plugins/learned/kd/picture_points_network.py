"""A network that lifts points with the features of a picture at their places."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from liftbench_plugins.learned.kd import PicturePointParams
from liftbench_plugins.learned.kd.points_network import PointsNetwork
from liftbench_plugins.learned.pictures.backbones import Backbone
from liftbench_plugins.learned.pictures.integral_regression import enlargement


class PicturePointsNetwork(nn.Module):
    """A points-only network that also gets the features of an enlarged feature map at the points.

    Args:
        backbone: turns pictures into features.
        points: P.
        params: size of the pictures and of the layers.
        generator: draws the weights.
    """

    def __init__(
        self,
        backbone: Backbone,
        points: int,
        params: PicturePointParams,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        larger, channels = enlargement(backbone.channels, params.width)
        self.size = params.image_size
        self.features = nn.Sequential(backbone, *larger)
        for layer in larger:
            if isinstance(layer, nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight, generator=generator)
        self.lift = PointsNetwork(points, params.hidden, generator, channels)

    def forward(self, pictures: Tensor, places: Tensor, visible: Tensor) -> Tensor:
        """Return coordinates (B, P, 3) in pixels of the pictures.

        Args:
            pictures: (B, 3, N, N).
            places: (B, P, 2) in pixels from the upper left corner; of any value where hidden.
            visible: (B, P) ones and zeros.
        """
        # In edges of the picture from its middle.
        points = (places / self.size - 0.5) * visible[..., None]
        maps = self.features(pictures)
        found = grid_sample(maps, 2 * points[:, None], align_corners=False)[:, :, 0]
        lifted: Tensor = self.lift(points, visible, found.transpose(1, 2) * visible[..., None])
        middle = lifted.new_tensor([0.5, 0.5, 0.0])
        return (lifted + middle) * self.size
