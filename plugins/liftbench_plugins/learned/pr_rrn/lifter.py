"""Fits PR-RRN and lifts points with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from liftbench import Observations, Reconstruction, RunContext
from liftbench.cameras import in_place
from liftbench_plugins.learned.factorisation import NormalisedViews
from liftbench_plugins.learned.lifting import (
    image_spread,
    reconstruction,
    train_best_start,
    views_of_observations,
)
from liftbench_plugins.learned.pr_rrn import PrRrnParams
from liftbench_plugins.learned.pr_rrn.regularised import RegularisedNetwork


class PrRrn:
    """Residual-recursive networks with the losses of eq. 18; its variants lack some of them."""

    network: RegularisedNetwork
    scale: float
    device: str

    def __init__(self, params: PrRrnParams) -> None:
        self.params = params

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Minimise the losses of reprojection, consistency and contrast, the last two in turns."""
        params, self.device = self.params, context.device
        self.scale = 1.0
        self.scale = 1 / image_spread(self._views(observations))
        views = self._views(observations).to(self.device, torch.float32)
        self.network = train_best_start(
            lambda number, _: self._start(views, number),
            RegularisedNetwork.loss,
            views,
            params,
            context,
        )

    def predict(self, observations: Observations) -> Reconstruction:
        """Lift every frame by one pass through the networks."""
        views = self._views(observations).to(self.device, torch.float32)
        result = reconstruction(self.network, views, self.scale)
        return replace(result, points_3d=in_place(result.points_3d, observations))

    def _start(self, views: NormalisedViews, seed: int) -> RegularisedNetwork:
        generator = torch.Generator().manual_seed(seed)
        return RegularisedNetwork(views, self.params, generator).to(self.device)

    def _views(self, observations: Observations) -> NormalisedViews:
        """Return the normalised views of observations, in double precision."""
        return views_of_observations(observations, np.full(observations.frames, self.scale))
