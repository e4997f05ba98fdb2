"""Rasterisation: which pixels a surface covers, and which triangle each of them shows.

A pixel belongs to a triangle that contains its middle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Bools, Floats


@dataclass(frozen=True)
class Fragments:
    """The N pixels whose middle a surface covers.

    Attributes:
        row: (N,) of the pixel.
        column: (N,) of the pixel.
        face: (N,) index of the nearest triangle in the pixel.
        weights: (N, 3) barycentric weights of its corners.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    face: NDArray[np.int64]
    weights: Floats

    def between(self, values: Floats, faces: NDArray[np.int64]) -> Floats:
        """Return values of vertices (V, D), interpolated at the pixels, (N, D)."""
        blended: Floats = np.einsum("nc,ncd->nd", self.weights, values[faces[self.face]])
        return blended


def rasterise(vertices: Floats, faces: NDArray[np.int64], shape: tuple[int, int]) -> Fragments:
    """Return the pixels that a closed surface covers, with its nearest triangle in each.

    Args:
        vertices: (V, 3); x and y are pixels from the middle of the first pixel, z points away
            from the camera.
        faces: (T, 3) indices of vertices, all counter-clockwise as seen from outside the surface.
        shape: height and width of the image.
    """
    front = np.flatnonzero(_area(vertices[faces]) < 0)  # clockwise, as y points down
    corners = vertices[faces[front]]
    row, column, face = _within_boxes(corners[..., :2], shape)
    along, across = _coordinates(corners, row, column, face)
    inside = (along >= 0) & (across >= 0) & (along + across <= 1)
    row, column, face = row[inside], column[inside], face[inside]
    weights = np.stack([1 - along - across, along, across], axis=1)[inside]
    depth = np.einsum("nc,nc->n", weights, corners[face, :, 2])
    far_first = np.argsort(-depth, kind="stable")
    nearest = np.full(shape, -1)
    nearest[row[far_first], column[far_first]] = far_first  # the last one written to a pixel stays
    shown = nearest[nearest >= 0]
    return Fragments(row[shown], column[shown], front[face[shown]], weights[shown])


def covered_pixels(vertices: Floats, faces: NDArray[np.int64], shape: tuple[int, int]) -> Bools:
    """Return the mask (height, width) of a surface, which need not be closed.

    Args:
        vertices: (V, 2) or more coordinates, as in `rasterise`.
        faces: (T, 3) indices of vertices in any order.
        shape: height and width of the image.
    """
    corners = vertices[faces, :2]
    corners = corners[_area(corners) != 0]
    row, column, face = _within_boxes(corners, shape)
    along, across = _coordinates(corners, row, column, face)
    inside = (along >= 0) & (across >= 0) & (along + across <= 1)
    mask = np.zeros(shape, dtype=np.bool_)
    mask[row[inside], column[inside]] = True
    return mask


def _within_boxes(
    corners: Floats, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return row, column and triangle (N,) of every pixel in the box of each triangle (T, 3, 2)."""
    low = np.ceil(corners.min(axis=1)).clip(0).astype(np.int64)
    high = np.floor(corners.max(axis=1)).clip(max=(shape[1] - 1, shape[0] - 1)).astype(np.int64)
    width, height = (high - low + 1).clip(0).T
    counts = width * height
    face = np.repeat(np.arange(len(corners)), counts)
    within = np.arange(len(face)) - np.repeat(np.cumsum(counts) - counts, counts)
    down, right = np.divmod(within, width[face])
    return low[face, 1] + down, low[face, 0] + right, face


def _coordinates(
    corners: Floats, row: NDArray[np.int64], column: NDArray[np.int64], face: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return the weights (N,) of the second and third corner at pixels of triangles (T, 3, 3)."""
    area = _area(corners)
    (x, y), (x1, y1), (x2, y2) = np.moveaxis(corners[..., :2], 0, 2)
    right, down = column - x[face], row - y[face]
    along = right * ((y2 - y) / area)[face] - down * ((x2 - x) / area)[face]
    across = down * ((x1 - x) / area)[face] - right * ((y1 - y) / area)[face]
    return along, across


def _area(corners: Floats) -> Floats:
    """Return twice the signed areas (T,) of triangles (T, 3, 3) in the image."""
    (ax, ay), (bx, by) = np.moveaxis(corners[:, 1:, :2] - corners[:, :1, :2], 0, 2)
    area: Floats = ax * by - ay * bx
    return area
