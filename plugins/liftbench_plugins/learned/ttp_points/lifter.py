"""Learns template and basis from key points, and lifts points with them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations, Reconstruction, RunContext
from liftbench.cameras import subtract_mean
from liftbench.types import Floats
from liftbench_plugins.learned.optimiser import ClippedAdam
from liftbench_plugins.learned.training import Schedule, Stages, train
from liftbench_plugins.learned.ttp_points import TtpPointsParams
from liftbench_plugins.learned.ttp_points.shape_model import ShapeModel, completion_loss, hold_out
from liftbench_plugins.learned.ttp_points.views import (
    PointViews,
    shared_spread,
    sizes_differ,
    views_of,
)

_PREDICT_BATCH = 2048
_JUDGED_FRAMES = 500
_LARGEST_GRADIENT = 1.0
_START_PACE = 10.0  # how much faster than later a random template changes


class TtpPoints:
    """Finds pose and deformation of a learned shape model by the layer of To The Point.

    A perspective camera is taken for a weak perspective one. The model learns by completion:
    points that are visible, but not shown to the layer, must lie where the shape that it finds from
    the others puts them.
    """

    model: ShapeModel
    unit: float | None  # of all frames, in the data's unit; None if each frame has its own
    device: str

    def __init__(self, params: TtpPointsParams) -> None:
        self.params = params

    def fit(self, observations: Observations, context: RunContext) -> None:
        """Learn from the template of the data, else from the best of several random ones.

        Raises:
            ValueError: the points of every frame coincide.
        """
        params, self.device = self.params, context.device
        differ = sizes_differ(observations) if params.sizes == "auto" else params.sizes == "each"
        spread = shared_spread(observations)
        self.unit = None if differ else spread
        views = views_of(observations, self.unit, self.device)
        models = self._starts(observations, context.seed)
        several = len(models) > 1
        first = params.starts * params.start_steps if several else 0
        stages = Stages(context, first + params.steps)
        if several:
            for model in models:
                # A random template that deforms at once explains views by deformations.
                model.deforms = False
                rate = _START_PACE * params.learning_rate
                self._train(model, views, params.start_steps, rate, stages)
        self.model = min(models, key=lambda model: self._misses(model, views))
        self.model.deforms = True
        self._train(self.model, views, params.steps, params.learning_rate, stages)

    @torch.no_grad()
    def predict(self, observations: Observations) -> Reconstruction:
        """Lift every frame; visible points keep the x and y that are observed."""
        views = views_of(observations, self.unit, self.device)
        batches = zip(
            torch.split(views.points, _PREDICT_BATCH),
            torch.split(views.visible, _PREDICT_BATCH),
            strict=True,
        )
        fits = [self.model.find(*batch) for batch in batches]
        placed = _floats(torch.cat([fit.place(fit.shape) for fit in fits]))
        rotation = _floats(torch.cat([fit.rotation for fit in fits]))
        points = placed * views.unit[:, None, None]
        points[..., :2] += views.middle[:, None]
        shown = observations.visible[..., None]
        points[..., :2] = np.where(shown, observations.points_2d, points[..., :2])
        return Reconstruction(
            points_3d=points,
            rotation=rotation,
            canonical_3d=subtract_mean(points) @ rotation,
        )

    def _starts(self, observations: Observations, seed: int) -> list[ShapeModel]:
        """Return the models before any training."""
        known, count = observations.template, observations.points_2d.shape[1]
        models = []
        for draw in range(1 if known else self.params.starts):
            generator = torch.Generator().manual_seed(seed * self.params.starts + draw)
            template = torch.randn(count, 3, generator=generator, dtype=torch.float64)
            if known:
                template = torch.tensor(known.points_3d)
            model = ShapeModel(
                template - template.mean(dim=0),
                self.params.basis,
                generator,
                own_sizes=self.unit is None,
            )
            models.append(model.to(self.device))
        return models

    def _train(
        self, model: ShapeModel, views: PointViews, steps: int, rate: float, stages: Stages
    ) -> None:
        params = self.params

        def batch_loss(frames: Tensor, generator: torch.Generator) -> Tensor:
            visible = views.visible[frames]
            shown = hold_out(visible, params.held_out, generator)
            return completion_loss(model, views.points[frames], visible, shown, params.given)

        train(
            model,
            batch_loss,
            len(views.points),
            Schedule(steps, params.batch_size, rate),
            stages.begin(steps),
            ClippedAdam(model, _LARGEST_GRADIENT),
        )

    @torch.no_grad()
    def _misses(self, model: ShapeModel, views: PointViews) -> float:
        """Return the loss on some frames, the same ones for every model."""
        generator = torch.Generator().manual_seed(0)
        frames = torch.randperm(len(views.points), generator=generator)[:_JUDGED_FRAMES]
        visible = views.visible[frames.to(self.device)]
        points = views.points[frames.to(self.device)]
        shown = hold_out(visible, self.params.held_out, generator)
        return float(completion_loss(model, points, visible, shown, self.params.given))


def _floats(tensor: Tensor) -> Floats:
    array: Floats = tensor.double().cpu().numpy()
    return array
