"""Consistency between views: a lifted shape, seen from elsewhere, must be lifted to itself again.

PR-RRN, section 4.3, with uniformly random rotations in place of those of the batch, which the
paper names as a slightly better alternative. It serves every camera model and hidden points.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from liftbench_plugins.learned.factorisation import NormalisedViews, norms, views_from
from liftbench_plugins.learned.rotations import random_cameras

Lift = Callable[[NormalisedViews], tuple[Tensor, Tensor]]
"""From B views to shape (P, 3, B) and camera (3, a, B)."""
_JUDGED_FRAMES = 1000


def consistency_loss(
    lift: Lift,
    views: NormalisedViews,
    shape: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Return how much shapes and cameras change when they are seen from elsewhere (eq. 17).

    The mean over frames of ‖S - S'‖_F / ‖S‖_F + ‖M - M'‖_F. A random camera M sees S, with the
    visible points of another frame and, if it is perspective, at that frame's place in the image;
    S' and M' are lifted from this view. Gradients flow through the image of S too.

    Args:
        lift: the network's map from views to shapes and cameras.
        views: the batch that the shapes were lifted from.
        shape: S, (P, 3, B).
        generator: draws cameras and frames.
    """
    of_shape, of_camera = _changes(lift, views, shape, generator)
    return of_shape + of_camera


@torch.no_grad()
def inconsistency(lift: Lift, views: NormalisedViews) -> float:
    """Return how much reconstructed shapes change when they are seen from elsewhere and lifted.

    The first term of `consistency_loss`, on up to 1000 frames of `views`. It shows without any
    truth that a network contradicts itself.
    """
    generator = torch.Generator().manual_seed(0)
    frames = torch.randperm(views.frames, generator=generator)[:_JUDGED_FRAMES]
    views = views.select(frames.to(views.columns.device))
    shape, _ = lift(views)
    return float(_changes(lift, views, shape, generator)[0])


def _changes(
    lift: Lift, views: NormalisedViews, shape: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return the mean relative change of the shape and the mean change of the camera."""
    shape = shape - shape.mean(dim=0, keepdim=True)
    camera = random_cameras(views.columns.shape[1], shape, generator)
    others = torch.randperm(views.frames, generator=generator).to(shape.device)
    again, camera_again = lift(views_from(shape, camera, views.select(others)))
    change = norms(again - shape) / norms(shape)
    return change.mean(), norms(camera_again - camera).mean()
