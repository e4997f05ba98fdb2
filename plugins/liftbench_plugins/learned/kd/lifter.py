"""Trains a student and lifts frames with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations, Reconstruction, RunContext
from liftbench.types import Floats
from liftbench_plugins.learned.kd import Lesson, Look
from liftbench_plugins.learned.kd.looks import Views, make_network, make_views
from liftbench_plugins.learned.kd.targets import Target, distilled_depth, taught_depth, true_depth
from liftbench_plugins.learned.training import Schedule, train

_PREDICT_BATCH = 256


class Student:
    """A network that looks at frames in one way and learns one lesson."""

    device: str

    def __init__(self, look: Look, lesson: Lesson, params: Any) -> None:  # noqa: ANN401 of both
        self.look, self.lesson, self.params = look, lesson, params

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Train the network on frames that are mirrored and turned at random."""
        self.device = context.device
        params = self._possible(observations)
        target = self._target(observations, context)
        views = make_views(self.look, params, observations, self.device)
        points = len(observations.skeleton.points)
        generator = torch.Generator().manual_seed(context.seed)
        self.network = make_network(self.look, params, points, generator).to(self.device)

        def batch_loss(frames: Tensor, generator: torch.Generator) -> Tensor:
            coordinates = views.lift_changed(self.network, frames, params, generator)
            return target.loss(coordinates, frames).mean()

        schedule = Schedule(
            params.steps, params.batch_size, params.learning_rate, params.final_rate
        )
        self.network.train()
        train(self.network, batch_loss, observations.frames, schedule, context)
        self.network.eval()

    def predict(self, observations: Observations) -> Reconstruction:
        """Lift every frame by one pass through the network."""
        views = make_views(self.look, self.params, observations, self.device)
        points_3d = self._lift_all(views, observations.frames)
        flat = np.where(observations.visible[..., None], observations.points_2d, points_3d[..., :2])
        return Reconstruction(np.concatenate([flat, points_3d[..., 2:]], axis=2))

    @torch.no_grad()
    def _lift_all(self, views: Views, frames: int) -> Floats:
        batches = torch.split(torch.arange(frames, device=self.device), _PREDICT_BATCH)
        lifted = [views.lift(self.network, batch) for batch in batches]
        points_3d: Floats = torch.cat(lifted).double().cpu().numpy()
        return points_3d

    def _possible(self, observations: Observations) -> Any:  # noqa: ANN401
        """Return the parameters, without mirrored frames where no points come in pairs."""
        paired = bool(observations.skeleton.left_right)
        return self.params if paired else replace(self.params, flip=0.0)

    def _target(self, observations: Observations, context: RunContext) -> Target:
        if self.lesson == "true_depth":
            if context.truth is None:
                raise ValueError("a supervised student needs the true points of its frames")
            return true_depth(context.truth, observations, self.device)
        params = self.params
        teacher = context.fitted(params.teacher, params.teacher_params)
        if self.lesson == "taught_depth":
            return taught_depth(teacher, observations, self.device)
        return distilled_depth(teacher, observations, params.weight, self.device)
