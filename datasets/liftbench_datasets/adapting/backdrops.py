"""Blurred backgrounds of drawn pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from liftbench.types import Floats

_SCENES = ((0.30, 0.42, 0.20), (0.45, 0.50, 0.32), (0.62, 0.74, 0.86), (0.50, 0.42, 0.32))
_BLOBS = 5  # along an edge


def draw_backdrop(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Return blobs of light and colour about the tone of grass, soil or sky."""
    scene = np.array(_SCENES[rng.integers(len(_SCENES))])
    light, tint = rng.normal(0, 0.09, (_BLOBS, _BLOBS, 1)), rng.normal(0, 0.03, (_BLOBS, _BLOBS, 3))
    image = Image.fromarray(to_bytes(scene + light + tint))
    return image.resize((width, height), Image.Resampling.BICUBIC)


def to_bytes(colours: Floats) -> NDArray[np.uint8]:
    """Return colours from 0 to 1 as numbers from 0 to 255."""
    levels: Floats = np.rint(255 * colours.clip(0, 1))
    return levels.astype(np.uint8)
