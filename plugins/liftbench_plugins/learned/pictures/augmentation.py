"""Random changes of pictures in training: mirrors, turns, sizes, places and colours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from liftbench_plugins.learned.pictures.similarity import (
    Similarity,
    draw_turns,
    normal_within_two,
)


@dataclass(frozen=True)
class Augmentation:
    """How much pictures are changed; spreads are standard deviations, and twice as much the most.

    Attributes:
        flip: share of pictures that are mirrored left to right.
        rotation: spread of the angle about the middle, in degrees.
        scale: spread of the factor of the size, about 1.
        shift: spread of the shift along each axis, in edges of the picture.
        colour: spread of the factors of the three colours, about 1.
    """

    flip: float
    rotation: float
    scale: float
    shift: float
    colour: float

    def draw(
        self, frames: int, size: int, partner: Tensor, generator: torch.Generator
    ) -> Similarity:
        """Return random changes of positions in pictures.

        Args:
            frames: B.
            size: edge of a picture in pixels.
            partner: (P,), see `similarity.partners`.
            generator: draws on the CPU.
        """
        turn = draw_turns(frames, self.flip, self.rotation, partner, generator)
        factor = 1 + self.scale * normal_within_two((frames,), generator)
        shift = size * self.shift * normal_within_two((frames, 2), generator)
        linear = turn.linear * factor.to(turn.linear)[:, None, None]
        middle = torch.full((2,), size / 2).to(linear)
        return replace(turn, linear=linear, shift=middle - linear @ middle + shift.to(linear))

    def recolour(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """Return pictures (B, 3, N, N) from 0 to 1 with other strengths of the three colours."""
        drawn = normal_within_two((len(pictures), 3, 1, 1), generator)
        return (pictures * (1 + self.colour * drawn.to(pictures))).clamp(0, 1)


def warp(pictures: Tensor, change: Similarity) -> Tensor:
    """Return pictures (B, 3, N, N) in which what was at p is where `change` moves p.

    Positions are counted from the upper left corner, with the middle of the first pixel at 0.5.
    Black comes in from outside.
    """
    size = pictures.shape[-1]
    back = torch.linalg.inv(change.linear)
    # The same map in coordinates from -1 to 1, from the new picture to the old one.
    place = (back @ (1 - 2 * change.shift / size)[..., None]) - 1
    grid = affine_grid(torch.cat([back, place], dim=2), list(pictures.shape), align_corners=False)
    return grid_sample(pictures, grid, align_corners=False)
