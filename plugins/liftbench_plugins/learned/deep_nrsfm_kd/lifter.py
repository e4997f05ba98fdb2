"""Fits the teacher of KD, lifts points with it, and shows its dictionary, codes and cameras."""

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
from liftbench_plugins.learned.agreement import most_agreed
from liftbench_plugins.learned.consistency import consistency_loss
from liftbench_plugins.learned.deep_nrsfm import CONSISTENCY_FRAMES
from liftbench_plugins.learned.deep_nrsfm.scale import box_edges
from liftbench_plugins.learned.deep_nrsfm_kd import DeepNrsfmKdParams
from liftbench_plugins.learned.deep_nrsfm_kd.network import CameraFirstNetwork
from liftbench_plugins.learned.factorisation import NormalisedViews, norms
from liftbench_plugins.learned.lifting import (
    image_spread,
    is_lost,
    reconstruction,
    train_best_start,
    views_of_observations,
)
from liftbench_plugins.learned.rotations import polar_factor

_BATCH = 4096


class DeepNrsfmKd:
    """Learns hierarchical dictionaries by reprojection and sparsity (KD, eq. 4).

    The unit of length of the dictionary, of codes and of the loss is such that the images of the
    fit have the norm ‖w‖ = 1 in the mean. So are the longer edges of boxes of people, about.
    """

    network: CameraFirstNetwork
    device: str
    scale: float  # of frames that have their own unit already, see `_frame_scale`

    def __init__(self, params: DeepNrsfmKdParams) -> None:
        self.params = params

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Learn from several starts.

        With the consistency loss the one that agrees best with the others is trained to the end:
        a start can settle on mirror images of some poses.
        """
        self.device, self.scale = context.device, 1.0
        images = self._views(observations)
        image_spread(images)  # raises where no point moves
        self.scale = 1 / float(norms(images.image).mean())
        views = self._on_device(observations)
        points = len(observations.skeleton.points)
        self.network = train_best_start(
            lambda number, _turn: self._make_network(points, number),
            self._loss,
            views,
            self.params,
            context,
            most_agreed if self.params.consistency else None,
        )

    def predict(self, observations: Observations) -> Reconstruction:
        """Lift every frame by one pass through the network."""
        scale = self._frame_scale(observations)[:, None, None]
        result = reconstruction(self.network, self._on_device(observations), scale)
        return replace(result, points_3d=in_place(result.points_3d, observations))

    @property
    def dictionary(self) -> Floats:
        """D_1 (3P, K_1), point after point, x y z of each."""
        dictionary: Floats = self.network.dictionary().double().cpu().numpy()
        return dictionary

    def codes(self, observations: Observations) -> Floats:
        """Return the codes phi_1 (F, K_1), which are at least 0."""
        code, _ = self._factorise(observations)
        codes: Floats = code.t().contiguous().numpy()
        return codes

    def cameras(self, observations: Observations) -> Floats:
        """Return scaled orthographic cameras (F, 3, 2), which map shapes D_1 phi_1 to the image.

        The image has the unit of the observations. A frame whose code is zero has no camera; it
        gets the one along the axes.
        """
        _, camera = self._factorise(observations)
        axes = torch.eye(3, 2, dtype=camera.dtype)[..., None].expand_as(camera)
        camera = torch.where(is_lost(camera), axes, polar_factor(camera))
        cameras: Floats = camera.permute(2, 0, 1).contiguous().numpy()
        return cameras / self._frame_scale(observations)[:, None, None]

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs."""
        return {
            "network": self.network.state_dict(),
            "points": self.network.points,
            "scale": self.scale,
        }

    def restore(self, state: Mapping[str, Any], context: RunContext) -> None:
        """Become the fitted method whose `state` this is."""
        self.device, self.scale = context.device, state["scale"]
        self.network = self._make_network(state["points"], 0)
        self.network.load_state_dict(state["network"])

    def _make_network(self, points: int, seed: int) -> CameraFirstNetwork:
        params = self.params
        network = CameraFirstNetwork(
            points,
            params.sizes,
            params.nonlinearity,
            params.gain,
            torch.Generator().manual_seed(seed),
        )
        return network.to(self.device)

    def _loss(
        self, network: CameraFirstNetwork, batch: NormalisedViews, generator: torch.Generator
    ) -> Tensor:
        """Return the mean of the reprojection error and the sparsity (eq. 4), plus consistency."""
        code, camera = network.factorise(batch.columns)
        shape = network.shape_of(code)
        error = norms(batch.residual(shape, camera))
        loss = (error + self.params.sparsity * code.sum(dim=0)).mean()
        if self.params.consistency:
            part = batch.select(
                torch.arange(batch.frames, device=shape.device)[:CONSISTENCY_FRAMES]
            )
            change = consistency_loss(network.lift, part, shape[:, :, : part.frames], generator)
            loss = loss + self.params.consistency * change
        return loss

    @torch.no_grad()
    def _factorise(self, observations: Observations) -> tuple[Tensor, Tensor]:
        """Return codes (K_1, F) and cameras (3, 2, F) in double precision on the CPU."""
        batches = torch.split(self._on_device(observations).columns, _BATCH, dim=2)
        parts = [self.network.factorise(batch.contiguous()) for batch in batches]
        codes, cameras = zip(*parts, strict=True)
        return torch.cat(codes, dim=1).double().cpu(), torch.cat(cameras, dim=2).double().cpu()

    def _on_device(self, observations: Observations) -> NormalisedViews:
        return self._views(observations).to(self.device, torch.float32)

    def _views(self, observations: Observations) -> NormalisedViews:
        return views_of_observations(observations, self._frame_scale(observations))

    def _frame_scale(self, observations: Observations) -> Floats:
        """Return the length (F,) in the unit of the shapes that is 1 in that of the points."""
        if self.params.frame_unit == "data":
            return np.full(observations.frames, self.scale)
        longer = box_edges(observations).max(axis=1)
        if not (longer > 0).all():
            frame = int(np.argmin(longer > 0))
            raise ValueError(
                f"frame_unit 'box' needs boxes with an extent, that of frame {frame} has none"
            )
        scale: Floats = self.scale / longer
        return scale
