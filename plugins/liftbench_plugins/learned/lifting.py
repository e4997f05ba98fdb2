"""What learned lifters share: views of observations, the choice of a start, reconstructions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from liftbench import Observations, Reconstruction, RunContext
from liftbench.cameras import subtract_mean
from liftbench.types import Floats
from liftbench_plugins.learned.consistency import Lift, inconsistency
from liftbench_plugins.learned.factorisation import (
    NormalisedViews,
    normalised_views,
    reprojection_loss,
)
from liftbench_plugins.learned.mirror_images import log_odds
from liftbench_plugins.learned.rotations import full_rotation, polar_factor
from liftbench_plugins.learned.start_schedule import StartSchedule
from liftbench_plugins.learned.training import Schedule, Stages, train

_PREDICT_BATCH = 4096
_SEEDS = 1_000_003  # no run has more, so that starts of a second round are those of no other seed
_LOST = math.sqrt(2)  # the inconsistency of shapes of one size that have nothing in common
_LEAST_SPREAD = 1e-4  # of the shapes of a network that tells frames apart


class LiftingNetwork(nn.Module):
    """A network that lifts the columns (P, a, B) of normalised views.

    Attributes:
        fill_rounds: how often hidden points are put where the reconstruction has them, and the
            completed views are lifted again.
        odds: of reconstructions against their mirror images; None while they are learned, see
            `NormalisedViews.told_apart`.
    """

    fill_rounds: int = 0
    odds: float | None = 0.0

    def lift(self, views: NormalisedViews) -> tuple[Tensor, Tensor]:
        """Return shapes (P, 3, B) and cameras (3, a, B)."""
        shape, camera = self(views.columns)
        if views.visible is not None:
            for _ in range(self.fill_rounds):
                shape, camera = self(views.filled(shape, camera, self.odds).columns)
        return shape, camera


Network = TypeVar("Network", bound=LiftingNetwork)


def observed_views(
    observations: Observations, t_z: Floats, *, perspective: bool = False, columns: int = 3
) -> NormalisedViews:
    """Return the normalised views of observations, in double precision.

    Args:
        observations: of F frames.
        t_z: (F,), what the points are multiplied with.
        perspective: the points are taken for those of a perspective camera, at the depth t_z.
        columns: of perspective views, 2 or 3, see `NormalisedViews`.
    """
    points, visible = observations.points_2d, observations.visible
    complete = bool(visible.all())
    if complete and not perspective:
        points = subtract_mean(points)
    points = np.where(visible[..., None], points, 0)
    if not perspective:
        points = points * t_z[:, None, None]
    return normalised_views(
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
) -> Network:
    """Train several starts for a while, then the best of them to the end.

    Reprojection alone can settle on shapes that change with the view. Such a start has a low
    loss and a high error, but it contradicts itself, which needs no truth to be seen: see
    `misfit`. Where the result has one shape for all frames, since the units of a layer died, or
    shapes that have nothing to do with what is seen of them from elsewhere, all is done once more
    with other starts.

    Args:
        start: from the number of a draw, and the turn, 0 or 1, to a network that lifts columns
            of views.
        loss: of a network on a batch, with the generator of the step's draws.
        views: of all frames.
        schedule: of starts and of the training that follows.
        context: of the run.
    """
    stages = Stages(context, schedule.starts * schedule.start_steps + schedule.steps)

    def trained(network: Network, steps: int) -> Network:
        def batch_loss(frames: Tensor, generator: torch.Generator) -> Tensor:
            return loss(network, views.select(frames), generator)

        stage = Schedule(steps, schedule.batch_size, schedule.learning_rate)
        train(network, batch_loss, views.frames, stage, stages.begin(steps))
        return network

    def judged(network: Network) -> float:
        return misfit(network.lift, views, network.odds)

    def result(turn: int) -> Network:
        first = (context.seed + turn * _SEEDS) * schedule.starts
        networks = [start(first + number, turn) for number in range(schedule.starts)]
        starts = [trained(network, schedule.start_steps) for network in networks]
        return trained(min(starts, key=judged), schedule.steps)

    found = result(turn=0)
    if is_collapsed(found.lift, views) or inconsistency(found.lift, views) > _LOST:
        stages.steps *= 2
        found = min(found, result(turn=1), key=judged)
    if found.odds is None:
        found.odds = mirror_odds(found.lift, views)
    return found


@torch.no_grad()
def is_collapsed(lift: Lift, views: NormalisedViews) -> bool:
    """Return whether all frames have one shape, whatever their images."""
    shapes, _ = lifted(lift, views)
    spread = (shapes - shapes.mean(dim=2, keepdim=True)).norm()
    return bool(spread <= _LEAST_SPREAD * shapes.norm())


@torch.no_grad()
def misfit(lift: Lift, views: NormalisedViews, odds: float | None = 0.0) -> float:
    """Return reprojection error and inconsistency, by which starts are judged.

    Shapes that change with the view may have a low reprojection error, and one shape for all
    frames is consistent; only the right ones are low in both.
    """
    return float(reprojection_loss(views, *lifted(lift, views), odds)) + inconsistency(lift, views)


def mirror_odds(lift: Lift, views: NormalisedViews) -> float | None:
    """Return the log odds of reconstructions against their mirror images, None without a choice."""
    evidence = views.mirror_evidence(*lifted(lift, views))
    return None if evidence is None else float(log_odds(evidence))


@torch.no_grad()
def lifted(lift: Lift, views: NormalisedViews) -> tuple[Tensor, Tensor]:
    """Return shapes (P, 3, F) and cameras (3, a, F) of all views, lifted in large batches."""
    frames = torch.arange(views.frames, device=views.columns.device)
    batches = [lift(views.select(batch)) for batch in torch.split(frames, _PREDICT_BATCH)]
    shapes, cameras = zip(*batches, strict=True)
    return torch.cat(shapes, dim=2), torch.cat(cameras, dim=2)


def reconstruction(network: LiftingNetwork, views: NormalisedViews, scale: float) -> Reconstruction:
    """Return the shapes and cameras of all views; `scale` is that of the lifted shapes."""
    shape, camera = views.told_apart(*lifted(network.lift, views), network.odds)
    shape, camera = _without_lost(views, shape, camera)
    canonical = _frames_first(shape) / scale
    # Once more in double precision: a camera of single precision is orthonormal to 1e-5 or so.
    camera = polar_factor(camera[:, :2].double())
    # A rotation of row vectors: points (P, 3) times R (3, 3); transposed it maps columns.
    rotation = _frames_first(full_rotation(camera))
    return Reconstruction(
        points_3d=canonical @ rotation,
        rotation=rotation.swapaxes(1, 2),
        canonical_3d=canonical,
    )


def _without_lost(views: NormalisedViews, shape: Tensor, camera: Tensor) -> tuple[Tensor, Tensor]:
    """Return shapes and cameras; frames whose code is all zero have the mean shape of the others.

    Such a code has no camera, the polar factor of zero. They are turned to where the mean shape's
    image is most like theirs.
    """
    lost = camera.square().sum(dim=(0, 1)) < 1
    if not lost.any() or lost.all():
        return shape, camera
    mean = shape[..., ~lost].mean(dim=2)
    nearest = torch.einsum("pi,pab->iab", mean, views.image[..., lost])
    shape, camera = shape.clone(), camera[:, :2].clone()
    shape[..., lost], camera[..., lost] = mean[..., None], polar_factor(nearest)
    return shape, camera


def _frames_last(array: Floats) -> Tensor:
    """Return (F, ...) values as a tensor (..., F)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, 0, -1)))


def _frames_first(tensor: Tensor) -> Floats:
    array: Floats = tensor.permute(2, 0, 1).double().cpu().numpy()
    return array
