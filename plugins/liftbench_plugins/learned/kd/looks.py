"""What students look at: the views of frames, and the network that lifts them."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from liftbench import Observations, Skeleton
from liftbench_plugins.learned.kd import Look
from liftbench_plugins.learned.kd.picture_point_views import PicturePointViews
from liftbench_plugins.learned.kd.picture_points_network import PicturePointsNetwork
from liftbench_plugins.learned.kd.picture_views import PictureViews
from liftbench_plugins.learned.kd.point_views import PointViews
from liftbench_plugins.learned.kd.points_network import PointsNetwork
from liftbench_plugins.learned.pictures.backbones import make_backbone
from liftbench_plugins.learned.pictures.integral_regression import (
    HeatMapShape,
    IntegralRegression,
)


class Views(Protocol):
    """F frames as a network sees them."""

    def lift(self, network: Any, frames: Tensor, /) -> Tensor:  # noqa: ANN401 of the look
        """Return coordinates (B, P, 3) of the frames, in the unit of the observations."""

    def lift_changed(
        self,
        network: Any,  # noqa: ANN401
        frames: Tensor,
        params: Any,  # noqa: ANN401
        generator: torch.Generator,
        /,
    ) -> Tensor:
        """Return the same, predicted from changed frames, back in the true frames."""


def make_views(look: Look, params: Any, observations: Observations, device: str) -> Views:  # noqa: ANN401
    """Return the frames of observations in the way that a student looks at them."""
    if look == "points":
        return PointViews(observations, device)
    if look == "pictures_points":
        return PicturePointViews(observations, params.image_size, device)
    return PictureViews(observations, params, device)


def make_network(
    look: Look,
    params: Any,  # noqa: ANN401
    skeleton: Skeleton,
    generator: torch.Generator,
) -> nn.Module:
    """Return a network for the points of a skeleton with random weights."""
    points = len(skeleton.points)
    if look == "points":
        return PointsNetwork(points, params.hidden, generator)
    if look == "pictures_points":
        return PicturePointsNetwork(points, len(skeleton.edges), params, generator)
    backbone = make_backbone(params.backbone, params.width, params.weights, generator)
    shape = HeatMapShape(params.image_size, params.cell, params.width, params.bfloat16)
    return IntegralRegression(backbone, points, shape, generator)
