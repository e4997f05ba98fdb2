"""Strips of pictures along the edges of a skeleton."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

LENGTH, WIDTH = 10, 8
"""Samples along a strip and across it."""
_BEYOND, _HALF = 0.035, 0.07  # before and after an edge, and to each side; see `strip_places`
_LEAST_SPREAD = 0.05  # of the logarithms of a strip; less is noise of the sensor


def read_strips(
    pictures: Tensor, places: Tensor, visible: Tensor, edges: Sequence[tuple[int, int]]
) -> Tensor:
    """Return the logarithms of the brightness (B, E, LENGTH * WIDTH) along edges of a skeleton.

    Each strip has the mean 0 and about the spread 1, less where hardly anything is to be seen. It
    turns with its edge, so that what it shows depends on how a limb is lit and hidden, hardly on
    its direction in the picture. It is 0 if a point of the edge is hidden.

    Args:
        pictures: (B, 3, N, N) from 0 to 1.
        places: (B, P, 2) in pixels from the upper left corner; of any value where hidden.
        visible: (B, P) ones and zeros.
        edges: E pairs of points.
    """
    first, second = torch.tensor(edges, dtype=torch.long).reshape(-1, 2).to(places.device).unbind(1)
    shown = visible[:, first] * visible[:, second]
    grid = strip_places(places, visible, first, second)
    grid = 2 * grid.flatten(1, 2) / pictures.shape[-1] - 1
    grey = pictures.mean(dim=1, keepdim=True)
    found = grid_sample(grey, grid, padding_mode="border", align_corners=False)[:, 0]
    strips = torch.log1p(255 * found).view(*shown.shape, LENGTH * WIDTH)
    strips = strips - strips.mean(dim=2, keepdim=True)
    spread = strips.square().mean(dim=2, keepdim=True).sqrt()
    return strips / (spread + _LEAST_SPREAD) * shown[..., None]


def strip_places(places: Tensor, visible: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Return where the samples (B, E, LENGTH, WIDTH, 2) of the strips lie.

    A strip reaches a little beyond both ends of its edge. Its width is a share of the longer side
    of the box about the visible points.

    Args:
        places: (B, P, 2) in pixels; of any value where hidden.
        visible: (B, P) ones and zeros.
        first: (E,) indices of the points where the edges start.
        second: (E,) where they end.
    """
    shown = visible[..., None] > 0
    low = torch.where(shown, places, torch.inf).amin(dim=1)
    high = torch.where(shown, places, -torch.inf).amax(dim=1)
    size = (high - low).amax(dim=1).clamp_min(0)[:, None, None]
    starts, ends = places[:, first], places[:, second]
    along = ends - starts
    length = torch.linalg.vector_norm(along, dim=2, keepdim=True)
    along = torch.where(length > 0, along / length.clamp_min(1e-6), along.new_tensor([0.0, 1.0]))
    across = torch.stack([-along[..., 1], along[..., 0]], dim=2)
    starts, reach = starts - _BEYOND * size * along, length + 2 * _BEYOND * size
    down = torch.linspace(0, 1, LENGTH).to(places)[:, None, None]
    side = torch.linspace(-1, 1, WIDTH).to(places)[:, None]
    middles = starts[:, :, None, None] + (reach * along)[:, :, None, None] * down
    samples: Tensor = middles + (_HALF * size * across)[:, :, None, None] * side
    return samples
