"""The shadows that a closed surface casts on itself, on a floor and on walls.

Directions are in the world's frame, in which y points up; lengths are metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from liftbench.meshes.rasteriser import rasterise
from liftbench.types import Floats

BIAS = 0.025  # by which a surface must lie before a point to shade it
# Height at which a body takes a third of the light that it takes at the floor, and the blur.
_REACH, _SPREAD = 0.30, 0.07


@dataclass(frozen=True)
class ShadowMap:
    """The surface that a lamp sees.

    Attributes:
        axes: (3, 3) rows right, down and away from the lamp.
        low: (2,) place of the first texel on the first two axes, metres.
        texel: width of a texel, metres.
        depth: (H, W) place along the third axis; infinite where the lamp sees no surface.
    """

    axes: Floats
    low: Floats
    texel: float
    depth: Floats

    def lit(self, points: Floats) -> Floats:
        """Return the share (N,) of the lamp's light at points (N, 3): 0 in the shadow, else 1.

        Between the middles of texels, shares are interpolated.
        """
        seen = points @ self.axes.T
        cell = (seen[:, :2] - self.low) / self.texel
        far = np.array(self.depth.shape[::-1])
        near = np.flatnonzero(((cell > -1) & (cell < far)).all(axis=1))
        share = np.ones(len(points))
        share[near] = self._share(cell[near], seen[near, 2])
        return share

    def _share(self, cell: Floats, away: Floats) -> Floats:
        corner = np.floor(cell).astype(np.int64)
        right, down = (cell - corner).T
        share = np.zeros(len(cell))
        for x, wide in ((0, 1 - right), (1, right)):
            for y, high in ((0, 1 - down), (1, down)):
                share += wide * high * (away < self._at(corner + np.array([x, y])) + BIAS)
        return share

    def _at(self, cell: NDArray[np.int64]) -> Floats:
        height, width = self.depth.shape
        column, row = cell.T
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        depth = np.full(len(cell), np.inf)
        depth[inside] = self.depth[row[inside], column[inside]]
        return depth


def cast_shadow(
    vertices: Floats, faces: NDArray[np.int64], towards: Floats, texel: float
) -> ShadowMap:
    """Return the shadow of a closed surface under a far lamp.

    Args:
        vertices: (V, 3) metres.
        faces: (T, 3) counter-clockwise as seen from outside.
        towards: (3,) unit vector towards the lamp.
        texel: width of a texel, metres.
    """
    axes = lamp_axes(towards)
    seen = vertices @ axes.T
    low = seen[:, :2].min(axis=0) - texel
    seen[:, :2] = (seen[:, :2] - low) / texel
    width, height = np.ceil(seen[:, :2].max(axis=0)).astype(np.int64) + 2
    shown = rasterise(seen, faces, (int(height), int(width)))
    depth = np.full((height, width), np.inf)
    depth[shown.row, shown.column] = shown.between(seen[:, 2:], faces)[:, 0]
    return ShadowMap(axes, low, texel, depth)


def lamp_axes(towards: Floats) -> Floats:
    """Return rows right, down and away (3, 3) of a lamp that shines from `towards`."""
    aside = np.eye(3)[np.argmin(np.abs(towards))]
    right = np.cross(aside, towards)
    right = right / np.linalg.norm(right)
    axes: Floats = np.array([right, np.cross(-towards, right), -towards])
    return axes


def contact_shade(
    vertices: Floats, faces: NDArray[np.int64], points: Floats, texel: float = 0.04
) -> Floats:
    """Return the share (N,) of the light from above that a body takes from points on the floor.

    The share falls with the height of the body above the floor and is blurred by `_SPREAD`.

    Args:
        vertices: (V, 3) metres; the floor is y = 0.
        faces: (T, 3).
        points: (N, 2) x and z on the floor.
        texel: width of a texel, metres.
    """
    below = cast_shadow(vertices, faces, np.array([0.0, -1.0, 0.0]), texel)
    near = np.exp(-np.maximum(below.depth, 0) / _REACH)
    pad = int(3 * _SPREAD / texel)
    near = gaussian_filter(np.pad(near, pad), _SPREAD / texel)
    flat = np.stack([points[:, 0], np.zeros(len(points)), points[:, 1]], axis=1) @ below.axes.T
    cell = np.rint((flat[:, :2] - below.low) / texel).astype(np.int64) + pad
    column, row = cell.T
    inside = (row >= 0) & (row < near.shape[0]) & (column >= 0) & (column < near.shape[1])
    share = np.zeros(len(points))
    share[inside] = near[row[inside], column[inside]]
    return share
