"""The losses of C3DPO: reprojection under rotations in the image, and canonicalisation."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from liftbench_plugins.learned.c3dpo.network import C3dpoNetwork
from liftbench_plugins.learned.rotations import random_cameras

_HUBER_SCALE = 0.01
_LARGEST_TURN = math.pi / 8  # of the rotations in the image
_TURNED_SHAPES = 4  # random rotations of each shape that Psi must undo


def pseudo_huber(square: Tensor, scale: float = _HUBER_SCALE) -> Tensor:
    """Return (sqrt(1 + d^2 / s^2) - 1) s of squared distances: d far from zero, smooth at zero."""
    return ((1 + square / scale**2).sqrt() - 1) * scale


def reprojection_loss(
    network: C3dpoNetwork, points: Tensor, visible: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return the reprojection loss of a batch, and its shapes (B, P, 3).

    Two copies of each view are rotated in the image. The rotation comes from the first and the
    coefficients from the second, so that coefficients do not depend on rotations in the image.

    Args:
        network: Phi and the shape basis.
        points: centred image points (B, P, 2), finite where hidden.
        visible: (B, P) of ones and zeros.
        generator: draws the rotations in the image.
    """
    first, second = (rotate_image(points, generator) for _ in range(2))
    both = network.factorise(torch.cat([first, second]), torch.cat([visible, visible]))
    shape = network.shapes(both.coefficients[len(points) :])
    seen = (shape @ both.rotation[: len(points)])[..., :2]
    square = (centre_visible(seen, visible) - first).square().sum(dim=2)
    return (pseudo_huber(square) * visible).sum() / visible.sum(), shape


def canonicalisation_loss(
    network: C3dpoNetwork, shape: Tensor, generator: torch.Generator
) -> Tensor:
    """Return how far Psi is from undoing random rotations of shapes (B, P, 3)."""
    shapes = shape.repeat(_TURNED_SHAPES, 1, 1)
    rotations = random_cameras(3, shapes.permute(1, 2, 0), generator).permute(2, 0, 1)
    found = network.canonicalise(shapes @ rotations)
    return pseudo_huber((found - shapes).square().sum(dim=2)).mean()


def rotate_image(points: Tensor, generator: torch.Generator) -> Tensor:
    """Rotate each view of (B, P, 2) in the image, by an angle between 0 and pi / 8."""
    angle = torch.rand(len(points), generator=generator).to(points) * _LARGEST_TURN
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([cos, sin], dim=1), torch.stack([-sin, cos], dim=1)], dim=1)
    return points @ turn


def centre_visible(points: Tensor, visible: Tensor) -> Tensor:
    """Move each view of (B, P, D) so that the mean of its visible points is zero."""
    shown = visible[..., None]
    return points - (points * shown).sum(dim=1, keepdim=True) / shown.sum(dim=1, keepdim=True)
