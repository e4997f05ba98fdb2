"""The losses of To The Point that compare points, masks and poses (section 3.4)."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import grid_sample

from liftbench.types import Bools

_LARGEST_COSINE = 1 - 1e-6  # the gradient of the angle is infinite at 1


def distance_fields(masks: Bools) -> Tensor:
    """Return the distance (B, H, W) of each pixel from the mask, in pixels; 0 inside.

    An empty mask has zeros, so that it pulls nowhere.
    """
    fields = np.zeros(masks.shape, dtype=np.float32)
    for number, mask in enumerate(masks):
        if mask.any():
            fields[number] = distance_transform_edt(~mask)
    return torch.from_numpy(fields)


def outside_loss(positions: Tensor, fields: Tensor) -> Tensor:
    """Return the mean distance (B,) of positions from the masks: silhouette consistency.

    Beyond the picture, the distance from the picture is added.

    Args:
        positions: u (B, N, 2) in pixels from the upper left corner.
        fields: (B, H, W), see `distance_fields`.
    """
    size = positions.new_tensor([fields.shape[2], fields.shape[1]])
    inside = positions.clamp_min(0.5).minimum(size - 0.5)
    grid = 2 * inside / size - 1
    at = grid_sample(fields[:, None].to(positions), grid[:, None], align_corners=False)[:, 0, 0]
    beyond = (positions - inside).square().sum(dim=2)
    # The root has no slope at 0.
    away = torch.where(beyond > 0, beyond, 1).sqrt() * (beyond > 0)
    return (at + away).mean(dim=1)


def coverage_loss(positions: Tensor, samples: Tensor, drawn: Tensor) -> Tensor:
    """Return the mean distance (B,) of places in the mask from the nearest position.

    Args:
        positions: u (B, N, 2).
        samples: p (B, M, 2), places inside the masks.
        drawn: (B,), false for images with an empty mask, whose loss is 0.
    """
    # Gradients of all distances would take half of a training's time.
    with torch.no_grad():
        nearest = torch.cdist(samples, positions).argmin(dim=2)
    gap = samples - positions.gather(1, nearest[..., None].expand_as(samples))
    return torch.where(drawn, torch.linalg.vector_norm(gap, dim=2).mean(dim=1), 0)


def cycle_loss(positions: Tensor, projected: Tensor) -> Tensor:
    """Return the mean squared distance (B,) of positions u from the projected vertices π(V)."""
    return (positions - projected).square().sum(dim=2).mean(dim=1)


def visibility_loss(visibility: Tensor, seen: Tensor) -> Tensor:
    """Return the mean difference (B,) of predicted visibility from that of the z-buffer."""
    return (visibility - seen.to(visibility)).abs().mean(dim=1)


def turn_loss(rotation: Tensor, expected: Tensor) -> Tensor:
    """Return the angle (B,) between rotations (B, 3, 3), in radians."""
    cosine = 0.5 * ((rotation * expected).sum(dim=(1, 2)) - 1)
    return torch.arccos(cosine.clamp(-_LARGEST_COSINE, _LARGEST_COSINE))


def point_loss(positions: Tensor, expected: Tensor, visible: Tensor) -> Tensor:
    """Return the mean L1 distance (B,) of the visible points (B, P, 2) from the expected ones."""
    error = torch.where(visible[..., None], positions - expected, 0).abs().sum(dim=(1, 2))
    return error / visible.sum(dim=1).clamp_min(1)
