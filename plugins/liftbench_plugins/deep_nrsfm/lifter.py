"""Fits the network of Deep NRSfM and Deep NRSfM++ and lifts points with it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations, Reconstruction, RunContext
from liftbench.cameras import centred
from liftbench.types import Floats
from liftbench_plugins.consistency import consistency_loss, inconsistency
from liftbench_plugins.deep_nrsfm import DeepNrsfmParams
from liftbench_plugins.deep_nrsfm.network import BlockSparseNetwork
from liftbench_plugins.deep_nrsfm.scale import shape_scale, shape_size
from liftbench_plugins.factorisation import NormalisedViews, normalised_views, reprojection_loss
from liftbench_plugins.rotations import full_rotation
from liftbench_plugins.training import Schedule, stage_contexts, train

_PREDICT_BATCH = 4096


class DeepNrsfm:
    """Learns hierarchical dictionaries by reprojection (Deep NRSfM++, eq. 17)."""

    network: BlockSparseNetwork
    device: str
    scale: float  # of the shapes that the network sees, in the data's unit
    size: float = 0.0  # of the shapes in training, which scale correction aims at

    def __init__(self, params: DeepNrsfmParams) -> None:
        self.params = params

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Train several starts for a while, then the most consistent one to the end.

        Reprojection alone can settle on shapes that change with the view. Such a start has a
        low loss and a high error, but it contradicts itself, which needs no truth to be seen.
        """
        params, self.device = self.params, context.device
        if params.scale_rounds and params.scale_measure == "bones":
            _require_bones(observations)
        self.scale = 1.0
        spread = _spread(self._views(observations))
        if not spread > 0:
            raise ValueError("deep_nrsfm needs points that differ: those of every frame coincide")
        self.scale = params.input_scale / spread
        # Batches are gathered from tensors that stay on the device.
        views = self._on_device(observations)
        steps = [params.start_steps] * params.starts + [params.steps]
        stages = zip(steps, stage_contexts(context, steps), strict=True)
        first_seed = context.seed * params.starts
        starts = [
            self._train(self._start(views, first_seed + number), views, *stage)
            for number, stage in enumerate(islice(stages, params.starts))
        ]
        self.network = min(starts, key=lambda network: inconsistency(network, views))
        edges = observations.skeleton.edges
        if params.scale_rounds:
            self.size = float(self._sizes(views, edges).mean())
        views = self._corrected(views, edges)
        self._train(self.network, views, *next(stages))

    def _start(self, views: NormalisedViews, seed: int) -> BlockSparseNetwork:
        params = self.params
        points, columns = views.columns.shape[:2]
        assert not isinstance(params.sizes, str)
        generator = torch.Generator().manual_seed(seed)
        network = BlockSparseNetwork(
            points, columns, params.sizes, params.nonlinearity, params.code, generator
        )
        return network.to(self.device)

    def _train(
        self, network: BlockSparseNetwork, views: NormalisedViews, steps: int, context: RunContext
    ) -> BlockSparseNetwork:
        weight = self.params.consistency

        def batch_loss(frames: Tensor, generator: torch.Generator) -> Tensor:
            batch = views.select(frames)
            shape, camera = network(batch.columns)
            loss = reprojection_loss(batch, shape, camera)
            if weight:
                loss = loss + weight * consistency_loss(network, batch, shape, generator)
            return loss

        schedule = Schedule(steps, self.params.batch_size, self.params.learning_rate)
        train(network, batch_loss, views.frames, schedule, context)
        return network

    @torch.no_grad()
    def predict(self, observations: Observations) -> Reconstruction:
        """Lift every frame by one pass through the network, and one more a scale correction."""
        views = self._corrected(self._on_device(observations), observations.skeleton.edges)
        shapes, cameras = zip(*self._lifted(views), strict=True)
        canonical = _frames_first(torch.cat(shapes, dim=2)) / self.scale
        camera = torch.cat(cameras, dim=2)
        # A rotation of row vectors: points (P, 3) times R (3, 3); transposed it maps columns.
        rotation = _frames_first(full_rotation(camera[:, :2]))
        return Reconstruction(
            points_3d=canonical @ rotation,
            rotation=rotation.swapaxes(1, 2),
            canonical_3d=canonical,
        )

    def _lifted(self, views: NormalisedViews) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield shapes and cameras, a few thousand frames at once."""
        for columns in torch.split(views.columns, _PREDICT_BATCH, dim=2):
            yield self.network(columns.contiguous())

    @torch.no_grad()
    def _corrected(
        self, views: NormalisedViews, edges: tuple[tuple[int, int], ...]
    ) -> NormalisedViews:
        """Return the views with t_z such that all reconstructions have one size (section 5)."""
        for _ in range(self.params.scale_rounds):
            views = views.rescaled(self.size / self._sizes(views, edges))
        return views

    @torch.no_grad()
    def _sizes(self, views: NormalisedViews, edges: tuple[tuple[int, int], ...]) -> Tensor:
        measure = self.params.scale_measure
        return torch.cat([shape_size(s, measure, edges) for s, _ in self._lifted(views)])

    def _on_device(self, observations: Observations) -> NormalisedViews:
        return self._views(observations).to(self.device, torch.float32)

    def _views(self, observations: Observations) -> NormalisedViews:
        """Return the normalised views of observations, in double precision."""
        perspective = (observations.camera, self.params.camera) == ("perspective", "observed")
        t_z = self.scale * shape_scale(observations, self.params.shape_scale)
        points, visible = observations.points_2d, observations.visible
        if not visible.all() and self.params.hidden_points == "mean_filled":
            points, visible = _mean_filled(points, visible), np.ones_like(visible)
        if visible.all():
            points = points if perspective else centred(points)
        points = np.where(visible[..., None], points, 0)
        if not perspective:
            points = points * t_z[:, None, None]
        return normalised_views(
            _frames_last(points),
            None if visible.all() else _frames_last(visible.astype(np.float64)),
            torch.from_numpy(t_z) if perspective else None,
        )


def _mean_filled(points: Floats, visible: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    shown = visible[..., None]
    mean = np.where(shown, points, 0).sum(axis=1, keepdims=True) / shown.sum(axis=1, keepdims=True)
    return np.where(shown, points, mean)


def _spread(views: NormalisedViews) -> float:
    """Return the root mean square of the coordinates of visible points."""
    square = views.image.square()
    mean = square.mean() if views.visible is None else square.sum() / (2 * views.visible.sum())
    return float(mean.sqrt())


def _require_bones(observations: Observations) -> None:
    if not observations.skeleton.edges:
        raise ValueError("scale_measure 'bones' needs a skeleton with edges; take 'norm'")


def _frames_last(array: Floats) -> Tensor:
    """Return (F, ...) values as a tensor (..., F)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, 0, -1)))


def _frames_first(tensor: Tensor) -> Floats:
    array: Floats = tensor.permute(2, 0, 1).double().cpu().numpy()
    return array
