"""Annotated frames in a unit of length of their own, and what the x and y of a student cost."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class AnnotatedFrames:
    """The 2D annotation of F frames, in the unit that losses are measured in.

    Attributes:
        scale: (F,) this unit in the unit of the observations.
        image: (F, P, 2) annotated points, 0 where hidden.
        visible: (F, P).
        reference: (F,) index of the point that depths are measured from: the root, or the first
            visible point of a frame that hides its root.
    """

    scale: Tensor
    image: Tensor
    visible: Tensor
    reference: Tensor

    def select(self, frames: Tensor) -> Self:
        """Return the frames with the given indices."""
        return type(self)(*(part.index_select(0, frames) for part in self._parts()))

    def to(self, device: str) -> Self:
        """Return the frames on a device."""
        return type(self)(*(part.to(device) for part in self._parts()))

    def _parts(self) -> list[Tensor]:
        return [getattr(self, part.name) for part in fields(self)]

    @property
    def constrained(self) -> Tensor:
        """Points (F, P) whose depth counts: visible ones except the reference point."""
        return self.visible.scatter(1, self.reference[:, None], value=False)

    def relative(self, depth: Tensor) -> Tensor:
        """Return depths (F, P) from those of the reference points, 0 where they do not count."""
        differences = depth - depth.gather(1, self.reference[:, None])
        return torch.where(self.constrained, differences, 0)

    def spread(self) -> Tensor:
        """Return the root mean square distance (F,) of the visible points from their mean."""
        shown = self.visible[..., None]
        count = shown.sum(dim=1, keepdim=True).clamp_min(1)
        mean = (self.image * shown).sum(dim=1, keepdim=True) / count
        square = ((self.image - mean) * shown).square().sum(dim=(1, 2))
        return (square / count[:, 0, 0]).sqrt()

    def image_loss(self, positions: Tensor) -> Tensor:
        """Return the L1 distance (F,) of positions (F, P, 2) from the visible points (eq. 15)."""
        error = (positions - self.image).abs()
        return (error * self.visible[..., None]).sum(dim=(1, 2))


def annotate(points: Tensor, visible: Tensor, scale: Tensor, root: int) -> AnnotatedFrames:
    """Return annotated frames in units of `scale`.

    Args:
        points: (F, P, 2), finite where visible.
        visible: (F, P).
        scale: (F,) lengths in the unit of `points`.
        root: index of the point that depths are measured from.
    """
    image = torch.where(visible[..., None], points / scale[:, None, None], 0)
    first = visible.to(torch.int64).argmax(dim=1)
    return AnnotatedFrames(scale, image, visible, torch.where(visible[:, root], root, first))
