"""Guesses of the views in masks: the silhouette of the template that is most like each mask.

Without key points, a training from random positions explains all pictures by one view. Guessed
views are a start; the paper has none, and calls them camera hypotheses where others use them.
"""

from __future__ import annotations

from dataclasses import dataclass

import roma
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from liftbench_plugins.learned.pictures.similarity import Similarity
from liftbench_plugins.learned.ttp.picture_views import Views
from liftbench_plugins.learned.ttp.rasteriser import rasterise

_AZIMUTHS = 24
_TILTS = (-30.0, 0.0, 30.0)  # degrees, of elevations and of turns in the image
_DRAWN, _COMPARED = 64, 32  # edges of silhouettes in pixels
_FILL = 0.7  # of the picture's half edge, to the farthest vertex
_WINDOW = 1.5  # half edge of what is compared, in roots of the mask's area


@dataclass(frozen=True, eq=False)
class GuessedViews:
    """Where the vertices of the template may lie in F pictures.

    Attributes:
        flat: (V, N, 2), the template in V views.
        view: (F,), number of the view of each picture.
        scale: (F,), of the view in the picture.
        shift: (F, 2).
        found: (F,), false where there is no mask.
    """

    flat: Tensor
    view: Tensor
    scale: Tensor
    shift: Tensor
    found: Tensor

    def positions(self, frames: Tensor) -> Tensor:
        """Return the guessed positions (B, N, 2) from -1 to 1 in the pictures."""
        moved = self.scale[frames, None, None] * self.flat[self.view[frames]]
        return moved + self.shift[frames, None]

    def distance(
        self, positions: Tensor, frames: Tensor, views: Views, partner: Tensor | None
    ) -> Tensor:
        """Return the mean distance (B,) of positions in changed pictures from the guessed ones.

        It is 0 where there is no guess: without a mask, and in mirrored pictures if no vertex has
        a partner on the other side.

        Args:
            positions: u (B, N, 2).
            frames: (B,), numbers of the pictures.
            views: the changed pictures.
            partner: (N,), see `CategoryMesh`.
        """
        found = self.found[frames]
        if partner is None:
            partner = torch.arange(positions.shape[1], device=positions.device)
            found = found & (torch.linalg.det(views.linear) > 0)
        change = Similarity(views.linear, views.shift, partner)
        gap = (positions - change.move(self.positions(frames))).abs().sum(dim=2).mean(dim=1)
        return torch.where(found, gap, 0)


def upright_views(farthest: float) -> Tensor:
    """Return rotations (V, 3, 3) from the template's frame to the camera's.

    The template's z is up and its front at -y; the camera's y points down and its z away. The views
    go round the template, each from below, level and above, and turned in the image either way.

    Args:
        farthest: largest angle from the front, in degrees; 180 for views from all sides.
    """
    degrees = torch.arange(_AZIMUTHS) * (360 / _AZIMUTHS)
    angles = torch.deg2rad(degrees[torch.minimum(degrees, 360 - degrees) <= farthest])
    tilts = torch.deg2rad(torch.tensor(_TILTS))
    azimuth, elevation, roll = torch.cartesian_prod(angles, tilts, tilts).unbind(dim=1)
    level = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    return _turn(2, roll) @ _turn(0, elevation) @ level @ _turn(2, azimuth)


def guess_views(
    vertices: Tensor, faces: Tensor, masks: Tensor, farthest: float = 180.0
) -> GuessedViews:
    """Return, for each mask, the view whose silhouette overlaps it most (IoU).

    Both are moved to a common middle and scaled to a common area first.

    Args:
        vertices: (N, 3) of the template.
        faces: (T, 3).
        masks: (F, M, M), from 0 to 1.
        farthest: see `upright_views`. Bodies of two like sides look alike in masks from before on
            one side and from behind on the other.
    """
    flat = vertices @ upright_views(farthest).to(vertices).mT
    flat = flat * (_FILL / torch.linalg.vector_norm(vertices, dim=1).max())
    corners = torch.cat([flat[..., :2] + 1, flat[..., 2:]], dim=2) * (_DRAWN / 2)
    drawn = rasterise(corners, faces, _DRAWN, _DRAWN).covered.to(vertices)
    middle, size = _place(drawn)
    mask_middle, mask_size = _place(masks)
    silhouettes, found = _normalise(drawn, middle, size), mask_size > 0
    views = _normalise(masks, mask_middle, mask_size)
    shared = views @ silhouettes.mT
    whole = views.sum(dim=1)[:, None] + silhouettes.sum(dim=1) - shared
    best = (shared / whole).argmax(dim=1)
    scale = mask_size / size[best]
    shift = mask_middle - scale[:, None] * middle[best]
    return GuessedViews(flat[..., :2], best, scale, shift, found)


def _turn(axis: int, angle: Tensor) -> Tensor:
    """Return the rotations (V, 3, 3) about an axis by angles (V,)."""
    turns: Tensor = roma.rotvec_to_rotmat(angle[:, None] * torch.eye(3)[axis])
    return turns


def _place(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Return the middle (F, 2) and the root of the area (F,) of masks, in half edges."""
    edge = masks.shape[-1]
    across = (torch.arange(edge).to(masks) + 0.5) * 2 / edge - 1
    total = masks.sum(dim=(1, 2))
    x = (masks.sum(dim=1) @ across) / total.clamp_min(1)
    y = (masks.sum(dim=2) @ across) / total.clamp_min(1)
    return torch.stack([x, y], dim=1), total.sqrt() * 2 / edge


def _normalise(masks: Tensor, middle: Tensor, size: Tensor) -> Tensor:
    """Return masks (F, C) about their middles, with a common area."""
    half = (_WINDOW * size)[:, None, None]
    theta = torch.cat([half * torch.eye(2).to(masks), middle[..., None]], dim=2)
    shape = [len(masks), 1, _COMPARED, _COMPARED]
    grid = affine_grid(theta, shape, align_corners=False)
    return grid_sample(masks[:, None], grid, align_corners=False).flatten(1)
