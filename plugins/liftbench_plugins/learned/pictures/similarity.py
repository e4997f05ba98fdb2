"""Mirrored, turned, scaled and shifted frames, and the way back of what was predicted in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from liftbench import Skeleton


@dataclass(frozen=True, eq=False)
class Similarity:
    """Maps of positions, one per frame: turns and scales, for some frames mirrored.

    A mirrored picture of a body is the picture of the mirrored body: left and right points swap
    their names, and depths stay. A scaled picture has scaled depths.

    Attributes:
        linear: (B, 2, 2).
        shift: (B, 2).
        partner: (P,) index of the point on the other side of the body.
    """

    linear: Tensor
    shift: Tensor
    partner: Tensor

    def move(self, points: Tensor) -> Tensor:
        """Return the new positions (B, P, 2) of points, under their new names."""
        moved = points @ self.linear.transpose(1, 2) + self.shift[:, None]
        return self._swap_names(moved)

    def rename(self, values: Tensor) -> Tensor:
        """Return values (B, P) of points, under the new names of the points."""
        return self._swap_names(values[..., None])[..., 0]

    def undo(self, coordinates: Tensor) -> Tensor:
        """Return what coordinates (B, P, 3) in the changed frames are in the frames as they were.

        Depths are scaled back; mirrored points get their own names back.
        """
        back = torch.linalg.inv(self.linear)
        x_y = (coordinates[..., :2] - self.shift[:, None]) @ back.transpose(1, 2)
        z = coordinates[..., 2:] / self._factor()[:, None, None]
        return self._swap_names(torch.cat([x_y, z], dim=2))

    @property
    def mirrored(self) -> Tensor:
        """Which frames (B,) are mirrored."""
        return self._determinant() < 0

    def _factor(self) -> Tensor:
        return self._determinant().abs().sqrt()

    def _determinant(self) -> Tensor:
        a, b = self.linear[:, 0].unbind(dim=1)
        c, d = self.linear[:, 1].unbind(dim=1)
        return a * d - b * c

    def _swap_names(self, values: Tensor) -> Tensor:
        mirrored = self.mirrored[:, None, None]
        return torch.where(mirrored, values[:, self.partner], values)


def partners(skeleton: Skeleton) -> Tensor:
    """Return the index (P,) of the point on the other side of the body, or of the point itself."""
    partner = np.arange(len(skeleton.points))
    for left, right in skeleton.left_right:
        partner[left], partner[right] = right, left
    return torch.from_numpy(partner)


def draw_turns(
    frames: int, flip: float, rotation: float, partner: Tensor, generator: torch.Generator
) -> Similarity:
    """Return random maps that turn about the origin and mirror some frames left to right.

    Args:
        frames: B.
        flip: share of frames that are mirrored.
        rotation: standard deviation of the angle, in degrees; twice as much is the largest.
        partner: (P,), see `partners`.
        generator: draws on the CPU.
    """
    angle = normal_within_two((frames,), generator) * np.deg2rad(rotation)
    mirrored = torch.rand(frames, generator=generator) < flip
    cos, sin = angle.cos(), angle.sin()
    sign = torch.where(mirrored, -1.0, 1.0)
    linear = torch.stack([cos * sign, -sin, sin * sign, cos], dim=1).view(-1, 2, 2)
    return Similarity(
        linear.to(partner.device), torch.zeros(frames, 2, device=partner.device), partner
    )


def normal_within_two(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return normally distributed numbers; those beyond 2 become 2."""
    return torch.randn(shape, generator=generator).clamp(-2, 2)
