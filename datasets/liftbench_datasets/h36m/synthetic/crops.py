"""Squares of a camera's image around a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Floats

# Edge of a square, in lengths of the longer side of the box of the person's joints, and how far
# the middle of the square lies from that of the box at most, in edges.
_EDGE, _SHIFT = (1.16, 1.36), 0.05


@dataclass(frozen=True, eq=False)
class Crop:
    """A square of a camera's image, resized to `size` pixels.

    Attributes:
        corner: (2,) its upper left corner in the image, pixels.
        side: its edge in the image, pixels.
        size: its edge in the picture, pixels.
    """

    corner: Floats
    side: float
    size: int

    def place(self, pixels: Floats) -> Floats:
        """Return positions (..., 2) in the picture of pixels; they are 0 at its upper left."""
        placed: Floats = (pixels - self.corner) * (self.size / self.side)
        return placed

    def pixels(self, places: Floats) -> Floats:
        """Return the pixels (..., 2) of positions in the picture."""
        pixels: Floats = places * (self.side / self.size) + self.corner
        return pixels


@dataclass(frozen=True, eq=False)
class Crops:
    """The squares of F frames.

    Attributes:
        corner: (F, 2) see `Crop`.
        side: (F,) see `Crop`.
        size: their edge in the pictures, pixels.
    """

    corner: Floats
    side: Floats
    size: int

    def __getitem__(self, frame: int) -> Crop:
        return Crop(self.corner[frame], float(self.side[frame]), self.size)

    def place(self, pixels: Floats) -> Floats:
        """Return positions (F, P, 2) in the pictures of pixels; they are 0 at the upper left."""
        placed: Floats = (pixels - self.corner[:, None]) * (self.size / self.side)[:, None, None]
        return placed


def draw_crops(rng: np.random.Generator, joints: Floats, size: int) -> Crops:
    """Return squares that hold all joints, of random size and place.

    Args:
        rng: the draws of a frame do not depend on the number of frames.
        joints: (F, J, 2) in the camera's image, pixels.
        size: edge of the pictures, pixels.
    """
    low, high = joints.min(axis=1), joints.max(axis=1)
    draws = rng.random((len(joints), 3))
    side = (high - low).max(axis=1) * (_EDGE[0] + (_EDGE[1] - _EDGE[0]) * draws[:, 0])
    middle = (low + high) / 2 + _SHIFT * (2 * draws[:, 1:] - 1) * side[:, None]
    return Crops(middle - side[:, None] / 2, side, size)
