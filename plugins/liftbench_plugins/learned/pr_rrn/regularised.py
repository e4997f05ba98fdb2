"""The training objective of PR-RRN with its memory (sections 4.2 to 4.4)."""

from __future__ import annotations

import torch
from torch import Tensor

from liftbench_plugins.learned.consistency import consistency_loss
from liftbench_plugins.learned.factorisation import NormalisedViews, reprojection_loss
from liftbench_plugins.learned.pr_rrn import NONRIGID_ABOVE, RIGID_BELOW, PrRrnParams
from liftbench_plugins.learned.pr_rrn.contrast import Memory, contrastive_loss
from liftbench_plugins.learned.pr_rrn.network import ResidualRecursiveNetwork


class RegularisedNetwork(ResidualRecursiveNetwork):
    """The networks with the memory and the number of steps taken, which a checkpoint holds too.

    Args:
        views: the frames of the training.
        params: sizes, structure and weights of the losses.
        generator: draws the initial weights.
    """

    steps_taken: Tensor

    def __init__(
        self, views: NormalisedViews, params: PrRrnParams, generator: torch.Generator
    ) -> None:
        super().__init__(views.columns.shape[0], params, generator)
        self.params = params
        self.memory = Memory(params.memory, views, params.channels[-1])
        self.register_buffer("steps_taken", torch.zeros((), dtype=torch.long))

    def loss(self, batch: NormalisedViews, generator: torch.Generator) -> Tensor:
        """Return the loss of a batch: reprojection, consistency and contrast (eq. 18)."""
        params = self.params
        code = self.represent(batch.columns)
        shape, camera = self.decode(code), self.camera(batch.columns)
        loss = reprojection_loss(batch, shape, camera)
        both = bool(params.consistency and params.contrast)
        contrasts = int(self.steps_taken) // params.turn_steps % 2 == 1
        self.steps_taken += 1
        if params.consistency and not (both and contrasts):
            change = consistency_loss(self.lift, batch, shape, generator)
            loss = loss + params.consistency * change
        if params.contrast and not (both and not contrasts):
            limits = RIGID_BELOW, NONRIGID_ABOVE
            loss = loss + params.contrast * contrastive_loss(batch, code, self.memory, *limits)
        return loss
