"""Fits the network of Deep NRSfM and Deep NRSfM++ and lifts points with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations, Reconstruction, RunContext
from liftbench.cameras import in_place
from liftbench.types import Floats
from liftbench_plugins.learned.consistency import consistency_loss
from liftbench_plugins.learned.deep_nrsfm import (
    CONSISTENCY_FRAMES,
    DeepNrsfmParams,
    Nonlinearity,
)
from liftbench_plugins.learned.deep_nrsfm.network import BlockSparseNetwork
from liftbench_plugins.learned.deep_nrsfm.scale import shape_scale, shape_size
from liftbench_plugins.learned.factorisation import NormalisedViews, reprojection_loss
from liftbench_plugins.learned.lifting import (
    image_spread,
    is_lost,
    lift_all,
    nearest_cameras,
    reconstruction,
    train_best_start,
    views_of_observations,
)
from liftbench_plugins.learned.rotations import polar_factor
from liftbench_plugins.learned.virtual_camera import facing

# Gains of the initial weights in the first and in the second turn of a training. ReLU halves the
# energy of a signal, which He's gain of 6 makes up for; block soft thresholding (BST) keeps it with
# 3. Small initial codes lead to simple shapes (CMU 39 after 1500 steps: 0.019 with 1, 0.040 and
# 0.062 with 3), but the codes of a deep network may die.
_GAINS: Mapping[Nonlinearity, tuple[float, float]] = {"relu": (6.0, 6.0), "bst": (1.0, 3.0)}
# A frame keeps all its points if fewer than these would be left.
_FEWEST_SHOWN = 4


class DeepNrsfm:
    """Learns hierarchical dictionaries by reprojection (Deep NRSfM++, eq. 17)."""

    network: BlockSparseNetwork
    device: str
    edges: tuple[tuple[int, int], ...]
    scale: float  # of the shapes that the network sees, in the data's unit
    size: float  # of the training's shapes, which scale correction aims at

    def __init__(self, params: DeepNrsfmParams) -> None:
        self.params = params

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Learn from several starts; scale correction aims at the mean size of their shapes."""
        params, self.device = self.params, context.device
        self.edges = observations.skeleton.edges
        if params.scale_measure == "bones" and not self.edges:
            raise ValueError("scale_measure 'bones' needs a skeleton with edges; take 'norm'")
        self.scale = 1.0
        self.scale = params.input_scale / image_spread(self._views(observations))
        # Batches are gathered from tensors that stay on the device.
        views = self._on_device(observations)
        self.network = train_best_start(
            lambda number, turn: self._start(views, number, _GAINS[params.nonlinearity][turn]),
            self._loss,
            views,
            params,
            context,
        )
        if params.scale_rounds:
            self.size = float(self._sizes(views).mean())

    def predict(self, observations: Observations) -> Reconstruction:
        """Lift every frame by one pass through the network, and one more per correction of t_z."""
        views, _ = self._correct_scale(self._on_device(observations))
        result = reconstruction(self.network, views, self.scale)
        if self._perspective(observations):
            return facing(observations).back(result)
        return replace(result, points_3d=in_place(result.points_3d, observations))

    @property
    def dictionary(self) -> Floats:
        """D_1 (3P, K_1), point after point, x y z of each."""
        return _floats(self.network.dictionary())

    def codes(self, observations: Observations) -> Floats:
        """Return the codes phi_1 (F, K_1), which are at least 0.

        Raises:
            ValueError: the points are those of a perspective camera.
        """
        return _floats(self._factorise(observations)[0].t())

    def cameras(self, observations: Observations) -> Floats:
        """Return the scaled orthographic cameras (F, 3, 2), from D_1 phi_1 to the image.

        Raises:
            ValueError: the points are those of a perspective camera.
        """
        _, camera, scale = self._factorise(observations)
        return _floats((camera / scale).permute(2, 0, 1))

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs."""
        return {
            "network": self.network.state_dict(),
            "points": self.network.points,
            "columns": self.network.columns,
            "odds": self.network.odds,
            "edges": [list(edge) for edge in self.edges],
            "scale": self.scale,
            "size": self.size if self.params.scale_rounds else None,
        }

    def restore(self, state: dict[str, Any], context: RunContext) -> None:
        """Become the fitted method whose `state` this is."""
        self.device, self.scale = context.device, state["scale"]
        self.edges = tuple((first, second) for first, second in state["edges"])
        if state["size"] is not None:
            self.size = state["size"]
        self.network = self._make_network(state["points"], state["columns"], 0, 1.0)
        self.network.load_state_dict(state["network"])
        self.network.odds = state["odds"]

    @torch.no_grad()
    def _factorise(self, observations: Observations) -> tuple[Tensor, Tensor, Tensor]:
        """Return codes phi_1 (K_1, F), camera columns (3, 2, F) and scales (F,) of the images.

        As in `predict`, frames without a code have the mean code of the others, whose shape is the
        mean of their shapes. Where all frames are so, the cameras are along the axes.
        """
        if self._perspective(observations):
            raise ValueError(
                "codes and cameras are those of an orthographic camera, the points are those of a "
                "perspective one; set camera: orthographic"
            )
        views, correction = self._correct_scale(self._on_device(observations))
        code, camera = lift_all(self._lift_to_codes, views)
        lost = is_lost(camera)
        if lost.any():
            code[..., lost] = code[..., ~lost].sum(dim=2, keepdim=True) / (~lost).sum().clamp(min=1)
            mean = self.network.shape_of(code[:, 0, lost][:, :1])[..., 0]
            camera[..., lost] = nearest_cameras(mean, views.image[..., lost])
        axes = torch.eye(3, 2).to(camera)[..., None]
        # Orthonormalised in double precision, as in `reconstruction`.
        camera = polar_factor(torch.where(is_lost(camera), axes, camera).double())
        t_z = torch.from_numpy(self._t_z(observations)).to(self.device)
        return code[:, 0], camera, t_z * correction

    def _lift_to_codes(self, views: NormalisedViews) -> tuple[Tensor, Tensor]:
        """Return codes phi_1 (K_1, 1, B) and cameras (3, 2, B)."""
        network = self.network
        blocks = network.encode(network.fill(views).columns)
        camera = network.camera(blocks)
        return network.expand(network.bottleneck(blocks, camera))[:, None], camera

    def _start(self, views: NormalisedViews, seed: int, gain: float) -> BlockSparseNetwork:
        points, columns = views.columns.shape[:2]
        return self._make_network(points, columns, seed, gain)

    def _make_network(
        self, points: int, columns: int, seed: int, gain: float
    ) -> BlockSparseNetwork:
        params = self.params
        network = BlockSparseNetwork(
            points,
            columns,
            sizes=params.dictionary_sizes,
            nonlinearity=params.nonlinearity,
            code=params.code,
            gain=gain,
            generator=torch.Generator().manual_seed(seed),
        )
        network.fill_rounds = params.fill_rounds
        network.odds = None if params.mirroring == "shared" else 0.0
        return network.to(self.device)

    def _loss(
        self, network: BlockSparseNetwork, batch: NormalisedViews, generator: torch.Generator
    ) -> Tensor:
        """Return the mean loss over the rounds of scale correction, plus the consistency loss.

        In prediction the first round, too, has a t_z that is not corrected yet, so that the network
        learns from all rounds.
        """
        shape, loss = self._lift_loss(network, batch, generator)
        for _ in range(self.params.scale_rounds):
            sizes = self._size_of(shape.detach())
            batch = batch.rescale(sizes.mean() / sizes)
            shape, further = self._lift_loss(network, batch, generator)
            loss = loss + further
        loss = loss / (self.params.scale_rounds + 1)
        if self.params.consistency:
            part = batch.select(torch.arange(batch.frames)[:CONSISTENCY_FRAMES])
            change = consistency_loss(network.lift, part, shape[:, :, : part.frames], generator)
            loss = loss + self.params.consistency * change
        return loss

    def _lift_loss(
        self, network: BlockSparseNetwork, views: NormalisedViews, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        shape, camera = network.lift(self._hold_out_points(views, generator))
        in_image = self.params.weighting == "image"
        return shape, reprojection_loss(views, shape, camera, network.odds, in_image=in_image)

    def _hold_out_points(
        self, views: NormalisedViews, generator: torch.Generator
    ) -> NormalisedViews:
        """Return the views without some visible points, a random share of each frame's.

        A network that always sees a frame under the same mask memorises the mask.
        """
        complete = views.visible is None
        if not self.params.held_out or (complete and self.params.hold_out == "hidden"):
            return views
        visible = views.visibility()
        draws = torch.rand(visible.shape, generator=generator)
        share = self.params.held_out * torch.rand(views.frames, generator=generator)
        shown = visible * (draws >= share).to(visible)
        enough = shown.sum(dim=0) >= _FEWEST_SHOWN
        return views.show_only(torch.where(enough, shown, visible))

    def _correct_scale(self, views: NormalisedViews) -> tuple[NormalisedViews, Tensor]:
        """Return the views with a t_z that gives all reconstructions one size (section 5).

        With the factor (B,) that t_z was multiplied by.
        """
        correction = torch.ones_like(views.columns[0, 0])
        for _ in range(self.params.scale_rounds):
            factor = self.size / self._sizes(views)
            views, correction = views.rescale(factor), correction * factor
        return views, correction

    def _sizes(self, views: NormalisedViews) -> Tensor:
        return self._size_of(lift_all(self.network.lift, views)[0])

    def _size_of(self, shape: Tensor) -> Tensor:
        return shape_size(shape, self.params.scale_measure, self.edges)

    def _on_device(self, observations: Observations) -> NormalisedViews:
        return self._views(observations).to(self.device, torch.float32)

    def _views(self, observations: Observations) -> NormalisedViews:
        """Return the normalised views of observations, in double precision."""
        if self.params.hidden_points == "mean_filled":
            observations = _mean_filled(observations)
        t_z = self._t_z(observations)
        if not self._perspective(observations):
            return views_of_observations(observations, t_z)
        camera = facing(observations)
        return views_of_observations(
            camera.view(observations),
            t_z * camera.stretch,
            perspective=True,
            columns=2 if self.params.blocks == "3x2" else 3,
        )

    def _t_z(self, observations: Observations) -> Floats:
        """Return t_z (F,) before it is corrected, in the unit of the shapes."""
        return self.scale * shape_scale(observations, self.params.shape_scale)

    def _perspective(self, observations: Observations) -> bool:
        return (observations.camera, self.params.camera) == ("perspective", "observed")


def _floats(tensor: Tensor) -> Floats:
    array: Floats = tensor.double().cpu().contiguous().numpy()
    return array


def _mean_filled(observations: Observations) -> Observations:
    """Return observations whose hidden points are put at the mean of the visible ones."""
    shown = observations.visible[..., None]
    points = np.where(shown, observations.points_2d, 0)
    mean = points.sum(axis=1, keepdims=True) / shown.sum(axis=1, keepdims=True)
    filled = np.where(shown, points, mean)
    return replace(observations, points_2d=filled, visible=np.ones_like(observations.visible))
