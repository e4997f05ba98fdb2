"""What learned methods share: views of observations, the choice of a start, reconstructions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from liftbench import Observations, Reconstruction, RunContext
from liftbench.cameras import subtract_mean
from liftbench.types import Floats
from liftbench_plugins.learned.consistency import Lift, inconsistency
from liftbench_plugins.learned.factorisation import (
    NormalisedViews,
    normalise_views,
    reprojection_loss,
)
from liftbench_plugins.learned.mirror_images import log_odds
from liftbench_plugins.learned.rotations import full_rotation, polar_factor
from liftbench_plugins.learned.start_schedule import StartSchedule
from liftbench_plugins.learned.training import Schedule, Stages, train

_PREDICT_BATCH = 4096
_SEEDS = 1_000_003  # above any seed, so that the second turn shares no start with another seed
_LOST = math.sqrt(2)  # the inconsistency of unrelated shapes of one size
_LEAST_SPREAD = 1e-4  # relative spread of shapes, below which a network has one shape for all


class LiftingNetwork(nn.Module):
    """A network that lifts the columns (P, a, B) of normalised views.

    Attributes:
        fill_rounds: how often hidden points are filled in from the reconstruction and the completed
            views are lifted again.
        odds: log odds of reconstructions against their mirror images; None while they are learned,
            see `NormalisedViews.choose_mirror_images`.
    """

    fill_rounds: int = 0
    odds: float | None = 0.0

    def lift(self, views: NormalisedViews) -> tuple[Tensor, Tensor]:
        """Return shapes (P, 3, B) and cameras (3, a, B)."""
        shape, camera = self(self.fill(views).columns)
        return shape, camera

    def fill(self, views: NormalisedViews) -> NormalisedViews:
        """Return the views that are lifted last, with their hidden points filled in."""
        filled = views
        if views.visible is not None:
            for _ in range(self.fill_rounds):
                shape, camera = self(filled.columns)
                filled = views.fill_hidden_points(shape, camera, self.odds)
        return filled


Network = TypeVar("Network", bound=LiftingNetwork)


def views_of_observations(
    observations: Observations, t_z: Floats, *, perspective: bool = False, columns: int = 3
) -> NormalisedViews:
    """Return the normalised views of observations, in double precision.

    Args:
        observations: F frames.
        t_z: (F,), the factor of each frame's points, or their depth if `perspective`.
        perspective: the points are those of a perspective camera.
        columns: 2 or 3 columns of perspective views, see `NormalisedViews`.
    """
    points, visible = observations.points_2d, observations.visible
    complete = bool(visible.all())
    if complete and not perspective:
        points = subtract_mean(points)
    points = np.where(visible[..., None], points, 0)
    if not perspective:
        points = points * t_z[:, None, None]
    return normalise_views(
        _frames_last(points),
        None if complete else _frames_last(visible.astype(np.float64)),
        torch.from_numpy(t_z) if perspective else None,
        columns=columns,
    )


def image_spread(views: NormalisedViews) -> float:
    """Return the root mean square of the coordinates of visible points.

    Raises:
        ValueError: it is zero.
    """
    square = views.image.square()
    mean = square.mean() if views.visible is None else square.sum() / (2 * views.visible.sum())
    if not mean > 0:
        raise ValueError("a lifter needs points that differ: those of every frame coincide")
    return float(mean.sqrt())


def train_best_start(
    start: Callable[[int, int], Network],
    loss: Callable[[Network, NormalisedViews, torch.Generator], Tensor],
    views: NormalisedViews,
    schedule: StartSchedule,
    context: RunContext,
    choose: Callable[[Sequence[Network], NormalisedViews], Network] | None = None,
) -> Network:
    """Train several starts for a while, then the best of them to the end.

    Reprojection alone can settle on shapes that change with the view. Such a start has a low
    loss and a high error, but it contradicts itself, which shows without the truth: see `misfit`.
    All is repeated once with other starts if the result has one shape for all frames, because the
    units of a layer died, or if lifting its shapes from elsewhere gives unrelated shapes.

    Args:
        start: returns a new network, given the number of a draw and the turn, 0 or 1.
        loss: returns the loss of a network on a batch; it draws from the generator.
        views: all frames.
        schedule: the number of starts and the steps.
        context: the context of the run.
        choose: returns the best of networks; None: `least_misfit`.
    """
    stages = Stages(context, schedule.starts * schedule.start_steps + schedule.steps)
    choose = choose or least_misfit
    trainer = _Trainer(loss, views, schedule, stages, choose)

    def best_start(turn: int) -> Network:
        first = (context.seed + turn * _SEEDS) * schedule.starts
        return trainer.train_best([start(first + draw, turn) for draw in range(schedule.starts)])

    found = best_start(turn=0)
    if is_collapsed(found.lift, views) or inconsistency(found.lift, views) > _LOST:
        stages.steps *= 2
        found = choose([found, best_start(turn=1)], views)
    if found.odds is None:
        found.odds = mirror_odds(found.lift, views)
    return found


@dataclass(frozen=True)
class _Trainer(Generic[Network]):
    """Trains networks on the same views; see `train_best_start`."""

    loss: Callable[[Network, NormalisedViews, torch.Generator], Tensor]
    views: NormalisedViews
    schedule: StartSchedule
    stages: Stages
    choose: Callable[[Sequence[Network], NormalisedViews], Network]

    def train_best(self, networks: list[Network]) -> Network:
        """Train every network for a while, then the best of them to the end."""
        for network in networks:
            self.train(network, self.schedule.start_steps)
        best = self.choose(networks, self.views)
        self.train(best, self.schedule.steps)
        return best

    def train(self, network: Network, steps: int) -> None:
        """Train a network in place, as the next stage."""

        def batch_loss(frames: Tensor, generator: torch.Generator) -> Tensor:
            return self.loss(network, self.views.select(frames), generator)

        schedule = Schedule(steps, self.schedule.batch_size, self.schedule.learning_rate)
        train(network, batch_loss, self.views.frames, schedule, self.stages.begin(steps))


def least_misfit(networks: Sequence[Network], views: NormalisedViews) -> Network:
    """Return the network with the least `misfit`."""
    return min(networks, key=lambda network: misfit(network.lift, views, network.odds))


@torch.no_grad()
def is_collapsed(lift: Lift, views: NormalisedViews) -> bool:
    """Return whether a network gives one shape to all frames, whatever their images."""
    shapes, _ = lift_all(lift, views)
    spread = (shapes - shapes.mean(dim=2, keepdim=True)).norm()
    return bool(spread <= _LEAST_SPREAD * shapes.norm())


@torch.no_grad()
def misfit(lift: Lift, views: NormalisedViews, odds: float | None = 0.0) -> float:
    """Return the sum of reprojection error and inconsistency, by which starts are compared.

    Shapes that change with the view may have a low reprojection error, and one shape for all
    frames is consistent; only right shapes have a low sum.
    """
    return float(reprojection_loss(views, *lift_all(lift, views), odds)) + inconsistency(
        lift, views
    )


def mirror_odds(lift: Lift, views: NormalisedViews) -> float | None:
    """Return the log odds of reconstructions against mirror images; None if there is no choice."""
    evidence = views.mirror_evidence(*lift_all(lift, views))
    return None if evidence is None else float(log_odds(evidence))


@torch.no_grad()
def lift_all(lift: Lift, views: NormalisedViews) -> tuple[Tensor, Tensor]:
    """Lift all views in large batches and return shapes (P, 3, F) and cameras (3, a, F)."""
    frames = torch.arange(views.frames, device=views.columns.device)
    batches = [lift(views.select(batch)) for batch in torch.split(frames, _PREDICT_BATCH)]
    shapes, cameras = zip(*batches, strict=True)
    return torch.cat(shapes, dim=2), torch.cat(cameras, dim=2)


def reconstruction(
    network: LiftingNetwork, views: NormalisedViews, scale: float | Floats
) -> Reconstruction:
    """Lift all views and return the reconstruction, whose shapes are divided by `scale`.

    Args:
        network: lifts the views.
        views: F frames.
        scale: of all frames, or (F, 1, 1) of each.
    """
    shape, camera = views.choose_mirror_images(*lift_all(network.lift, views), network.odds)
    shape, camera = _without_lost(views, shape, camera)
    canonical = _frames_first(shape) / scale
    # Orthonormalised in double precision: a camera in single precision is so to about 1e-5.
    camera = polar_factor(camera[:, :2].double())
    # A rotation of row vectors: points (P, 3) times R (3, 3); transposed it maps columns.
    rotation = _frames_first(full_rotation(camera))
    return Reconstruction(
        points_3d=canonical @ rotation,
        rotation=rotation.swapaxes(1, 2),
        canonical_3d=canonical,
    )


def is_lost(camera: Tensor) -> Tensor:
    """Return which cameras (3, a, B) are zero, as those of codes that are all zero are."""
    return camera.square().sum(dim=(0, 1)) < 1


def nearest_cameras(shape: Tensor, image: Tensor) -> Tensor:
    """Return the cameras (3, 2, B) under which a shape (P, 3) is most like images (P, 2, B)."""
    return polar_factor(torch.einsum("pi,pab->iab", shape, image))


def _without_lost(views: NormalisedViews, shape: Tensor, camera: Tensor) -> tuple[Tensor, Tensor]:
    """Return shapes and cameras, in which frames without a code have the mean shape of the others.

    A code that is all zero has no camera, since the polar factor of zero is zero. The mean shape is
    turned to where its image is most like that of the frame.
    """
    lost = is_lost(camera)
    if not lost.any() or lost.all():
        return shape, camera
    mean = shape[..., ~lost].mean(dim=2)
    shape, camera = shape.clone(), camera[:, :2].clone()
    shape[..., lost] = mean[..., None]
    camera[..., lost] = nearest_cameras(mean, views.image[..., lost])
    return shape, camera


def _frames_last(array: Floats) -> Tensor:
    """Return (F, ...) values as a tensor (..., F)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, 0, -1)))


def _frames_first(tensor: Tensor) -> Floats:
    array: Floats = tensor.permute(2, 0, 1).double().cpu().numpy()
    return array
