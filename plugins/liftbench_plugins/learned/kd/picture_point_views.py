"""Frames as students see them that look at points, and at pictures along the edges."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations
from liftbench.crops import Crops, make_crops
from liftbench_plugins.learned.kd.point_views import PointViews
from liftbench_plugins.learned.pictures.similarity import Similarity, partners
from liftbench_plugins.learned.pictures.strips import read_strips

_BATCH = 256


class PicturePointViews(PointViews):
    """The points of F frames, and the strips of their pictures.

    Strips turn with their edges, so that they are read once. For 16 edges they take 2.5 kB a frame,
    and as much again in training.

    Args:
        observations: F frames with images.
        size: edge of a crop of a picture.
        device: of the tensors.
    """

    def __init__(self, observations: Observations, size: int, device: str) -> None:
        super().__init__(observations, device)
        self._seen = observations.in_pixels()
        if self._seen.images is None:
            raise ValueError("a student that looks at pictures needs images")
        self._crops = make_crops(self._seen.images, self._seen.box, size)

    @cached_property
    def strips(self) -> Tensor:
        """The strips (F, E, LENGTH * WIDTH), in half precision."""
        return self._read(mirrored=False)

    @cached_property
    def mirrored_strips(self) -> Tensor:
        """The same of the mirrored pictures, which only training needs."""
        return self._read(mirrored=True)

    def _read(self, *, mirrored: bool) -> Tensor:
        batches = _strips_of_batches(self._crops, self._seen, mirrored=mirrored)
        return torch.cat(list(batches)).to(self.device)

    def _beside(self, frames: Tensor) -> tuple[Any, ...]:
        return (self.strips[frames].float(),)

    def _beside_changed(
        self, frames: Tensor, change: Similarity, generator: torch.Generator
    ) -> tuple[Any, ...]:
        mirrored = change.mirrored[:, None, None]
        strips = torch.where(mirrored, self.mirrored_strips[frames], self.strips[frames])
        return strips.float(), generator


def _strips_of_batches(crops: Crops, seen: Observations, *, mirrored: bool) -> Iterator[Tensor]:
    """Yield the strips (B, E, LENGTH * WIDTH) of batches of frames, in half precision."""
    places = torch.from_numpy(np.where(seen.visible[..., None], crops.to_crop(seen.points_2d), 0))
    visible = torch.from_numpy(np.array(seen.visible))
    if mirrored:
        partner, width = partners(seen.skeleton), places.new_tensor([crops.size, 0])
        places = (width + places * places.new_tensor([-1, 1]))[:, partner]
        visible = visible[:, partner]
    edges = seen.skeleton.edges
    for frames in torch.split(torch.arange(seen.frames), _BATCH):
        # A new memory map each time: one that is kept would fill memory with what was read.
        pictures = torch.from_numpy(crops.pixels[frames.numpy()]).permute(0, 3, 1, 2).float() / 255
        pictures = pictures.flip(3) if mirrored else pictures
        shown = places[frames].float(), visible[frames].float()
        yield read_strips(pictures, *shown, edges).half()
