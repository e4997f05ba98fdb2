"""Fits C3DPO and lifts points with it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations, Reconstruction, RunContext
from liftbench.cameras import in_place, subtract_mean
from liftbench.types import Floats
from liftbench_plugins.learned.c3dpo import C3dpoParams, C3dpoPublishedParams
from liftbench_plugins.learned.c3dpo.loss import canonicalisation_loss, reprojection_loss
from liftbench_plugins.learned.c3dpo.network import C3dpoNetwork
from liftbench_plugins.learned.optimiser import MomentumDescent, MuonAndAdam, Optimiser
from liftbench_plugins.learned.training import (
    Schedule,
    SteppedSchedule,
    steps_per_epoch,
    train,
)

_PREDICT_BATCH = 4096


class C3dpo:
    """Factorises keypoints into shape coefficients and a rotation, one network pass a frame.

    Every camera is taken for an orthographic one. Points are divided by their root mean square over
    all frames of the training.
    """

    network: C3dpoNetwork
    scale: float  # of the points that the network sees, in the data's unit
    device: str

    def __init__(self, params: C3dpoParams | C3dpoPublishedParams) -> None:
        self.params = params

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Minimise the reprojection and the canonicalisation loss.

        Raises:
            ValueError: the points of every frame coincide.
        """
        params, self.device = self.params, context.device
        self.scale = 1.0
        points, visible = self._batch(observations)
        self.scale = _inverse_size(points, visible)
        points = points * self.scale
        self.network = _new_network(params, observations.points_2d.shape[1], context)

        def batch_loss(frames: Tensor, generator: torch.Generator) -> Tensor:
            loss, shape = reprojection_loss(
                self.network, points[frames], visible[frames], generator
            )
            if params.canonicalisation:
                undone = canonicalisation_loss(self.network, shape, generator)
                loss = loss + params.canonicalisation * undone
            return loss

        optimiser, schedule = _recipe(params, self.network, len(points))
        train(self.network, batch_loss, len(points), schedule, context, optimiser)
        self.network.eval()

    @torch.no_grad()
    def predict(self, observations: Observations) -> Reconstruction:
        """Lift every frame; visible points keep the x and y that are observed."""
        batches = (torch.split(part, _PREDICT_BATCH) for part in self._batch(observations))
        lifted = [self._lift(*batch) for batch in zip(*batches, strict=True)]
        shapes, rotations = (np.concatenate(arrays) for arrays in zip(*lifted, strict=True))
        points = in_place(shapes @ rotations, observations)
        shown = observations.visible[..., None]
        points[..., :2] = np.where(shown, observations.points_2d, points[..., :2])
        return Reconstruction(
            points_3d=points,
            rotation=rotations.swapaxes(1, 2),
            canonical_3d=subtract_mean(points) @ rotations.swapaxes(1, 2),
        )

    def _lift(self, points: Tensor, visible: Tensor) -> tuple[Floats, Floats]:
        """Return canonical shapes (B, P, 3) in the data's unit, and rotations of row vectors."""
        factors = self.network.factorise(points, visible)
        shapes = self.network.shapes(factors.coefficients) / self.scale
        return shapes.double().cpu().numpy(), factors.rotation.double().cpu().numpy()

    def _batch(self, observations: Observations) -> tuple[Tensor, Tensor]:
        """Return centred points (F, P, 2), zero where hidden, and visibility (F, P)."""
        shown = observations.visible[..., None]
        points = np.where(shown, observations.points_2d, 0)
        mean = points.sum(axis=1, keepdims=True) / shown.sum(axis=1, keepdims=True)
        points = (points - mean) * shown * self.scale
        return self._on_device(points), self._on_device(observations.visible)

    def _on_device(self, array: np.ndarray) -> Tensor:
        return torch.tensor(array, dtype=torch.float32, device=self.device)


def _inverse_size(points: Tensor, visible: Tensor) -> float:
    """Return one over the root mean square of the coordinates of visible points."""
    total = float(points.square().sum())
    if not total > 0:
        raise ValueError("C3DPO needs points that differ: those of every frame coincide")
    return float((2 * visible.sum() / total).sqrt())


def _new_network(
    params: C3dpoParams | C3dpoPublishedParams, points: int, context: RunContext
) -> C3dpoNetwork:
    return C3dpoNetwork(
        points,
        basis=params.basis,
        width=params.width,
        bottleneck=params.bottleneck,
        blocks=params.blocks,
        canonical=params.canonicalisation > 0,
        generator=torch.Generator().manual_seed(context.seed),
    ).to(context.device)


def _recipe(
    params: C3dpoParams | C3dpoPublishedParams, network: C3dpoNetwork, frames: int
) -> tuple[Optimiser, Schedule]:
    """Return the optimiser and the learning rates of a recipe."""
    batch, rate = params.batch_size, params.learning_rate
    if isinstance(params, C3dpoParams):
        return MuonAndAdam(network), Schedule(params.steps, batch, rate)
    epoch = steps_per_epoch(frames, batch)
    *drops, end = (epochs * epoch for epochs in params.stages)
    descent = MomentumDescent(network, params.momentum, params.weight_decay)
    return descent, SteppedSchedule(end, batch, rate, drops=tuple(drops))
