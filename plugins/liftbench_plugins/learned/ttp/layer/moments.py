"""What the fit of pose and deformation needs to know about the points: their second moments."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

_LEAST_WEIGHT = 1e-12


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the points of B images, weighted by visibility, about the weighted means.

    With M = 3 (K + 1) coordinates per point: x, y, z of the template, then of each basis shape.
    After that, no step of the fit depends on the number of points.

    Attributes:
        model: (B, M, M), of the coordinates.
        cross: (B, M, 2), of coordinates and image positions.
        image: (B,), sum of the squared distances of image positions from their mean.
        model_mean: (B, M).
        image_mean: (B, 2).
    """

    model: Tensor
    cross: Tensor
    image: Tensor
    model_mean: Tensor
    image_mean: Tensor

    def repeat(self, count: int) -> Self:
        """Return the moments of the same images several times, one after the other."""
        return type(self)(*(torch.cat([part] * count) for part in self._parts()))

    def detach(self) -> Self:
        """Return the moments without their history."""
        return type(self)(*(part.detach() for part in self._parts()))

    @property
    def shapes(self) -> int:
        """K + 1, the template and the basis shapes."""
        return self.model.shape[1] // 3

    def _parts(self) -> list[Tensor]:
        return [getattr(self, part.name) for part in fields(self)]


def take_moments(positions: Tensor, visibility: Tensor, template: Tensor, basis: Tensor) -> Moments:
    """Return the moments of image positions, template and basis.

    Args:
        positions: u (B, N, 2).
        visibility: v (B, N), at least 0.
        template: T (N, 3).
        basis: (K, N, 3).
    """
    model = torch.cat([template[None], basis]).permute(1, 0, 2).flatten(1)
    # About a mean that all images share first: sums of large squares would lose digits.
    middle = model.mean(dim=0)
    model = model - middle
    total = visibility.sum(dim=1).clamp_min(_LEAST_WEIGHT)
    share = visibility / total[:, None]
    model_mean = share @ model
    image_mean = torch.einsum("bn,bni->bi", share, positions)
    centred = positions - image_mean[:, None]
    weighted = visibility[..., None] * centred
    seen = visibility[..., None] * model
    outer = torch.einsum("b,bm,bk->bmk", total, model_mean, model_mean)
    return Moments(
        model=model.t() @ seen - outer,
        cross=model.t() @ weighted,
        image=(weighted * centred).sum(dim=(1, 2)),
        model_mean=model_mean + middle,
        image_mean=image_mean,
    )
