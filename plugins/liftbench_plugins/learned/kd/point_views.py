"""Frames as points-only students see them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from liftbench import Observations
from liftbench_plugins.learned.kd import TrainingParams
from liftbench_plugins.learned.pictures.similarity import Similarity, draw_turns, partners


class PointViews:
    """The points of F frames, about the middle of their bounding box of edge 1.

    Args:
        observations: F frames.
        device: of the tensors.
    """

    def __init__(self, observations: Observations, device: str) -> None:
        shown = observations.visible[..., None]
        low = np.where(shown, observations.points_2d, np.inf).min(axis=1)
        high = np.where(shown, observations.points_2d, -np.inf).max(axis=1)
        # A frame that shows nothing has its middle at 0, and one without extent has the edge 1.
        low, high = (np.where(np.isfinite(end), end, 0) for end in (low, high))
        middle, size = (low + high) / 2, (high - low).max(axis=1)
        size = np.where(size > 0, size, 1)
        points = (observations.points_2d - middle[:, None]) / size[:, None, None]
        self.device = device
        self.middle = torch.from_numpy(middle).float().to(device)
        self.size = torch.from_numpy(size).float().to(device)
        self.points = torch.from_numpy(np.where(shown, points, 0)).float().to(device)
        self.visible = torch.from_numpy(observations.visible.astype(np.float32)).to(device)
        self.partner = partners(observations.skeleton).to(device)

    def lift(self, network: nn.Module, frames: Tensor) -> Tensor:
        """Return coordinates (B, P, 3) of the frames, in the unit of the observations."""
        lifted = network(self.points[frames], self.visible[frames], *self._beside(frames))
        return self._place(lifted, frames)

    def lift_changed(
        self,
        network: nn.Module,
        frames: Tensor,
        params: TrainingParams,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the same, predicted from mirrored and turned frames, back in the true frames."""
        change = draw_turns(len(frames), params.flip, params.rotation, self.partner, generator)
        points, visible = change.move(self.points[frames]), change.rename(self.visible[frames])
        beside = self._beside_changed(frames, change, generator)
        lifted = network(points * visible[..., None], visible, *beside)
        return self._place(change.undo(lifted), frames)

    def _beside(self, frames: Tensor) -> tuple[Any, ...]:
        """Return what the network sees of frames beside their points."""
        return ()

    def _beside_changed(
        self, frames: Tensor, change: Similarity, generator: torch.Generator
    ) -> tuple[Any, ...]:
        """Return what the network sees of changed frames, in training."""
        return ()

    def _place(self, lifted: Tensor, frames: Tensor) -> Tensor:
        middle = torch.nn.functional.pad(self.middle[frames], (0, 1))
        return lifted * self.size[frames, None, None] + middle[:, None]
