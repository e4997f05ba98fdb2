"""Pictures of scenes: a coloured square at each point, and masks of all squares."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from liftbench.images import Images
from liftbench.types import Floats, Observations

_BODY = 28.0  # pixels of the longer side of a body
_SIZES = ((44, 40), (40, 48), (52, 44))  # of the pictures, in turn
_SQUARE = 1.5  # half an edge, pixels
_FLOOR, _SPREAD = 40, 180  # levels of the background, and how much colours rise with x or y


def add_pictures(observations: Observations, points_2d: Floats, folder: Path) -> Observations:
    """Return observations with pictures, masks, boxes and the places of the points in pictures.

    Args:
        observations: of F frames.
        points_2d: (F, P, 2), also of the hidden points, which pictures show too.
        folder: where the files are written.
    """
    low, size = points_2d.min(axis=1), np.ptp(points_2d, axis=1)
    pixel = size.max(axis=1) / _BODY
    edges = np.array(_SIZES)[np.arange(len(pixel)) % len(_SIZES)]
    origin = edges / 2 - (low + size / 2) / pixel[:, None]
    names = [folder / f"{frame:03}" for frame in range(len(pixel))]
    files = tuple(f"{name}.png" for name in names)
    masks = tuple(f"{name}_mask.png" for name in names)
    folder.mkdir(parents=True, exist_ok=True)
    places = points_2d / pixel[:, None, None] + origin[:, None]
    for file, mask, points, (width, height) in zip(files, masks, places, edges, strict=True):
        cover = _cover(points, width, height)
        _write(file, _paint(cover))
        _write(mask, np.asarray(cover.any(axis=0)))
    return replace(
        observations,
        images=Images(files, masks),
        box=np.concatenate([low, size], axis=1),
        pixel=pixel,
        origin=origin,
    )


def _cover(points: Floats, width: int, height: int) -> NDArray[np.bool_]:
    """Return which pixels (P, height, width) the square of each point covers."""
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    near_x = np.abs(x - points[:, :1]) <= _SQUARE
    near_y = np.abs(y - points[:, 1:]) <= _SQUARE
    cover: NDArray[np.bool_] = near_y[:, :, None] & near_x[:, None]
    return cover


def _paint(cover: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return a picture in which each point has a colour of its own."""
    picture = np.full((*cover.shape[1:], 3), _FLOOR, dtype=np.uint8)
    for number, square in enumerate(cover):
        share = number / len(cover)
        colour = [share, 1 - share, abs(1 - 2 * share)]
        picture[square] = _FLOOR + np.rint(_SPREAD * np.array(colour))
    return picture


def _write(file: str, pixels: NDArray[np.generic]) -> None:
    """Write a picture that is not there yet; other processes may write the same."""
    if not Path(file).is_file():
        part = Path(f"{file}.{os.getpid()}.png")
        Image.fromarray(pixels).save(part)
        part.replace(file)
