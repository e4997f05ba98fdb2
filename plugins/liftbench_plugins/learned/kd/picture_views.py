"""Frames as students see them that look at pictures."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from liftbench import Observations
from liftbench.crops import make_crops
from liftbench.types import Floats
from liftbench_plugins.learned.kd import PictureParams
from liftbench_plugins.learned.pictures.augmentation import Augmentation, warp
from liftbench_plugins.learned.pictures.backbones import normalise
from liftbench_plugins.learned.pictures.integral_regression import IntegralRegression
from liftbench_plugins.learned.pictures.similarity import partners


class PictureViews:
    """The pictures of F frames, cropped about their boxes.

    Args:
        observations: F frames with images; `pixel` and `origin` say where their points lie in them.
        params: the size of a crop.
        device: of the tensors.
    """

    def __init__(self, observations: Observations, params: PictureParams, device: str) -> None:
        seen = observations.in_pixels()
        pixel, origin, images = observations.pixel, observations.origin, observations.images
        if pixel is None or origin is None or images is None:
            raise ValueError("a student that looks at pictures needs images, `pixel` and `origin`")
        crops = make_crops(images, seen.box, params.image_size)
        self.crops, self.device = crops, device
        self.partner = partners(observations.skeleton).to(device)
        self.unit = _tensor(crops.edge / crops.size * pixel, device)
        self.corner = _tensor((crops.corner - origin) * pixel[:, None], device)

    def lift(self, network: IntegralRegression, frames: Tensor) -> Tensor:
        """Return coordinates (B, P, 3) of the frames, in the unit of the observations."""
        return self._place(network(normalise(self._pictures(frames))), frames)

    def lift_changed(
        self,
        network: IntegralRegression,
        frames: Tensor,
        params: PictureParams,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the same, predicted from changed pictures, back in the true frames."""
        how = Augmentation(params.flip, params.rotation, params.scale, params.shift, params.colour)
        change = how.draw(len(frames), self.crops.size, self.partner, generator)
        pictures = how.recolour(warp(self._pictures(frames), change), generator)
        return self._place(change.undo(network(normalise(pictures))), frames)

    def _pictures(self, frames: Tensor) -> Tensor:
        """Return the crops (B, 3, N, N) from 0 to 1."""
        # A new memory map each time: one that is kept would fill memory with what was read.
        pixels = torch.from_numpy(self.crops.pixels[frames.cpu().numpy()]).to(self.device)
        return pixels.permute(0, 3, 1, 2).float() / 255

    def _place(self, lifted: Tensor, frames: Tensor) -> Tensor:
        """Return coordinates in pixels of crops in the unit of the observations."""
        return lifted * self.unit[frames, None, None] + pad(self.corner[frames], (0, 1))[:, None]


def _tensor(array: Floats, device: str) -> Tensor:
    return torch.from_numpy(np.asarray(array, dtype=np.float32)).to(device)
