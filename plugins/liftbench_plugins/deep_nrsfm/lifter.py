"""Fits the network of Deep NRSfM and Deep NRSfM++ and lifts points with it."""

from __future__ import annotations

from itertools import islice

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations, Reconstruction, RunContext
from liftbench.cameras import centred
from liftbench.types import Floats
from liftbench_plugins.deep_nrsfm import DeepNrsfmParams
from liftbench_plugins.deep_nrsfm.network import (
    BlockSparseNetwork,
    full_rotation,
    inconsistency,
    reprojection_loss,
)
from liftbench_plugins.training import Schedule, stage_contexts, train

_PREDICT_BATCH = 4096


class DeepNrsfm:
    """Learns hierarchical dictionaries by reprojection alone (Deep NRSfM++, eq. 17)."""

    network: BlockSparseNetwork
    scale: float
    device: str

    def __init__(self, params: DeepNrsfmParams) -> None:
        self.params = params

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Train several starts for a while, then the most consistent one to the end.

        Reprojection alone can settle on shapes that change with the view. Such a start has a
        low loss and a high error, but it contradicts itself, which needs no truth to be seen.
        """
        params, self.device = self.params, context.device
        points = centred(observations.points_2d)
        if not points.any():
            raise ValueError("deep_nrsfm needs points that differ: those of every frame coincide")
        self.scale = float(params.input_scale / np.sqrt(np.mean(points**2)))
        # Batches are gathered from one tensor that stays on the device.
        images = self._tensor(points)
        steps = [params.start_steps] * params.starts + [params.steps]
        stages = zip(steps, stage_contexts(context, steps), strict=True)
        first_seed = context.seed * params.starts
        starts = [
            self._train(self._start(images, first_seed + number), images, *stage)
            for number, stage in enumerate(islice(stages, params.starts))
        ]
        self.network = min(starts, key=lambda network: inconsistency(network, images))
        self._train(self.network, images, *next(stages))

    def _start(self, images: Tensor, seed: int) -> BlockSparseNetwork:
        params = self.params
        generator = torch.Generator().manual_seed(seed)
        network = BlockSparseNetwork(
            images.shape[0], params.sizes, params.nonlinearity, params.code, generator
        )
        return network.to(self.device)

    def _train(
        self, network: BlockSparseNetwork, images: Tensor, steps: int, context: RunContext
    ) -> BlockSparseNetwork:
        def batch_loss(frames: Tensor) -> Tensor:
            image = images.index_select(2, frames)
            return reprojection_loss(image, *network(image))

        schedule = Schedule(steps, self.params.batch_size, self.params.learning_rate)
        train(network, batch_loss, images.shape[2], schedule, context)
        return network

    @torch.no_grad()
    def predict(self, observations: Observations) -> Reconstruction:
        """Lift every frame by one pass through the network."""
        images = self._tensor(centred(observations.points_2d))
        shapes, rotations = [], []
        for image in torch.split(images, _PREDICT_BATCH, dim=2):
            shape, camera = self.network(image.contiguous())
            shapes.append(shape)
            rotations.append(full_rotation(camera))
        canonical = _frames_first(torch.cat(shapes, dim=2)) / self.scale
        # A rotation of row vectors: points (P, 3) times R (3, 3); transposed it maps columns.
        rotation = _frames_first(torch.cat(rotations, dim=2))
        return Reconstruction(
            points_3d=canonical @ rotation,
            rotation=rotation.swapaxes(1, 2),
            canonical_3d=canonical,
        )

    def _tensor(self, points: Floats) -> Tensor:
        """Return scaled image points (P, 2, F) on the device."""
        frames_last = np.ascontiguousarray((points * self.scale).transpose(1, 2, 0))
        return torch.from_numpy(frames_last.astype(np.float32)).to(self.device)


def _frames_first(tensor: Tensor) -> Floats:
    array: Floats = tensor.permute(2, 0, 1).double().cpu().numpy()
    return array
