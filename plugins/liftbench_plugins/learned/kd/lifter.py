"""Trains a student and lifts frames with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations, Reconstruction, RunContext
from liftbench.types import Floats
from liftbench_plugins.learned.kd import Lesson, Look
from liftbench_plugins.learned.kd.looks import Views, make_network, make_views
from liftbench_plugins.learned.kd.targets import (
    Target,
    distilled_depth,
    seen_points,
    taught_depth,
    true_depth,
)
from liftbench_plugins.learned.training import Schedule, train

_PREDICT_BATCH = 256
_SNAPSHOTS = 10


@dataclass(frozen=True, eq=False)
class _Part:
    """A data set that a student learns from."""

    views: Views
    target: Target

    def draw(self, batch: int, generator: torch.Generator) -> Tensor:
        """Return indices of frames of a further data set: half as many as of the first."""
        frames = len(self.target.frames.scale)
        drawn = torch.randint(frames, (max(1, batch // 2),), generator=generator)
        return drawn.to(self.target.frames.scale.device)


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
        generator = torch.Generator().manual_seed(context.seed)
        network = make_network(self.look, params, observations.skeleton, generator)
        self.network = network.to(self.device)

        parts = [_Part(views, target)]
        if context.extra is not None:
            extra = make_views(self.look, params, context.extra, self.device)
            parts.append(_Part(extra, seen_points(context.extra, target.frames, self.device)))

        def batch_loss(frames: Tensor, generator: torch.Generator) -> Tensor:
            self.network.train()  # a snapshot leaves it in the state for predictions
            chosen = [frames, *(part.draw(len(frames), generator) for part in parts[1:])]
            losses = [
                part.target.loss(
                    part.views.lift_changed(self.network, frames, params, generator), frames
                )
                for part, frames in zip(parts, chosen, strict=True)
            ]
            return torch.stack([loss.mean() for loss in losses]).sum()

        schedule = Schedule(
            params.steps, params.batch_size, params.learning_rate, params.final_rate
        )
        train(
            self.network, batch_loss, observations.frames, schedule, self._with_snapshots(context)
        )

    def predict(self, observations: Observations) -> Reconstruction:
        """Lift every frame by one pass through the network."""
        self.network.eval()
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

    def _with_snapshots(self, context: RunContext) -> RunContext:
        """Return a context whose reports of progress take snapshots too, ten in a training."""
        taken = 0

        def progress(step: int, steps: int, loss: float) -> None:
            nonlocal taken
            context.progress(step, steps, loss)
            if step * _SNAPSHOTS // steps > taken:
                taken = step * _SNAPSHOTS // steps
                context.snapshot(step, self)

        return replace(context, progress=progress)

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
