"""Pictures, masks and key points as To The Point learns from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations
from liftbench.crops import Crops, make_crops
from liftbench.images import Images
from liftbench.types import Floats
from liftbench_plugins.learned.pictures.augmentation import Augmentation, warp
from liftbench_plugins.learned.pictures.similarity import Similarity, partners


@dataclass(frozen=True, eq=False)
class Views:
    """B pictures, changed at random. Positions are from -1 to 1 in the picture.

    Attributes:
        pictures: (B, 3, N, N) from 0 to 1.
        masks: (B, N, N), from 0 to 1.
        points: (B, P, 2) key points; what is hidden has any number.
        visible: (B, P).
        linear: (B, 2, 2) of the change from the picture as it was.
        shift: (B, 2) of that change.
    """

    pictures: Tensor
    masks: Tensor
    points: Tensor
    visible: Tensor
    linear: Tensor
    shift: Tensor


class MaskedPictures:
    """The pictures and masks of F frames, cropped about their boxes.

    Args:
        observations: F frames with images, and masks where `masks` says so.
        size: edge of a crop in pixels.
        device: of the tensors.
        masks: False for frames to predict, which show none.
    """

    def __init__(
        self, observations: Observations, size: int, device: str, *, masks: bool = True
    ) -> None:
        seen = observations.in_pixels()
        images = observations.images
        if images is None:
            raise ValueError("To The Point needs images")
        self.device = device
        self.crops = make_crops(images, seen.box, size)
        self.masks = make_crops(_mask_images(images), seen.box, size) if masks else None
        self.partner = partners(observations.skeleton)
        points = 2 * self.crops.to_crop(seen.points_2d) / size - 1
        self.points = _tensor(np.where(seen.visible[..., None], points, 0))
        self.visible = torch.tensor(seen.visible)

    def pictures(self, frames: Tensor) -> Tensor:
        """Return the crops (B, 3, N, N) from 0 to 1."""
        return _read(self.crops, frames).to(self.device)

    def whole_masks(self) -> Tensor:
        """Return the masks (F, N, N) from 0 to 1 of all frames."""
        return _read(self._masks(), torch.arange(len(self.points)))[:, 0].to(self.device)

    def changed_views(self, frames: Tensor, how: Augmentation, generator: torch.Generator) -> Views:
        """Return the frames, moved, mirrored and recoloured at random."""
        frames = frames.cpu()
        size = self.crops.size
        change = how.draw(len(frames), size, self.partner, generator)
        pictures = _read(self.crops, frames)
        # One warp for both, as the masks move with the pictures.
        both = torch.cat([pictures, _read(self._masks(), frames)[:, :1]], dim=1)
        moved = warp(both, change)
        # Positions from -1 to 1, of which the middle of the picture is the origin.
        shift = 2 * (change.shift + change.linear.sum(dim=2) * size / 2) / size - 1
        unit = Similarity(change.linear, shift, self.partner)
        parts = (
            how.recolour(moved[:, :3], generator),
            moved[:, 3],
            unit.move(self.points[frames]),
            unit.rename(self.visible[frames]),
            change.linear,
            shift,
        )
        return Views(*(part.to(self.device) for part in parts))

    def _masks(self) -> Crops:
        if self.masks is None:
            raise ValueError("To The Point learns from masks; these frames have none")
        return self.masks


def _read(crops: Crops, frames: Tensor) -> Tensor:
    # A new memory map each time: one that is kept would fill memory with what was read.
    pixels = torch.from_numpy(crops.pixels[frames.cpu().numpy()])
    return pixels.permute(0, 3, 1, 2).float() / 255


def _mask_images(images: Images) -> Images:
    if images.masks is None:
        raise ValueError("To The Point learns from masks; these images have none")
    return Images(images.masks)


def _tensor(array: Floats) -> Tensor:
    return torch.from_numpy(np.asarray(array, dtype=np.float32))
