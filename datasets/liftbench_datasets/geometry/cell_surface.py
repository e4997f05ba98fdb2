"""Closed surfaces of solids that fill cells of a grid.

They are manifolds: every edge belongs to two triangles, and every vertex has one fan of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise, product

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from liftbench.types import Bools, Floats, Mesh

_ROUNDS = 10  # of smoothing
_MERGED = 0.1  # of a step, up to which ends of boxes count as one
Lines = tuple[Floats, Floats, Floats]
"""Where the walls of the cells lie along x, y and z."""


def union_surface(boxes: Floats, step: float) -> Mesh:
    """Return the surface of all boxes (B, 2, 3) together, lower and upper corners.

    Args:
        boxes: B boxes that have a volume.
        step: largest edge of a cell.
    """
    x, y, z = (_walls(boxes[:, :, axis].ravel(), step) for axis in range(3))
    middles = np.stack(np.meshgrid(*map(_middles, (x, y, z)), indexing="ij"), axis=-1)
    within = (middles[..., None, :] > boxes[:, 0]) & (middles[..., None, :] < boxes[:, 1])
    solid: Bools = np.any(np.all(within, axis=-1), axis=-1)
    return cell_surface(solid, (x, y, z))


def soup_surface(mesh: Mesh, step: float) -> Mesh:
    """Return a closed surface about triangles that need not be closed or joined.

    Every cell that a triangle or its mirror image in x meets, and all that such cells enclose, are
    solid; their steps are smoothed away.

    Args:
        mesh: any triangles.
        step: edge of a cell.
    """
    places = np.concatenate(list(_cover(mesh, step / 2)))
    low = places.min(axis=0) - step / 2
    half = int(np.abs(places[:, 0]).max() / step) + 1
    low[0] = -step * half
    cells = np.floor((places - low) / step).astype(np.int64)
    shell = np.zeros((2 * half, *cells.max(axis=0)[1:] + 1), dtype=np.bool_)
    shell[tuple(cells.T)] = True
    shell |= shell[::-1]
    x, y, z = (
        start + step * np.arange(count + 1) for start, count in zip(low, shell.shape, strict=True)
    )
    vertices, quads = _cell_walls(binary_fill_holes(shell), (x, y, z))
    return Mesh(_smooth(vertices, quads), _split(quads))


def cell_surface(solid: Bools, lines: Lines) -> Mesh:
    """Return the surface of the solid cells (X, Y, Z), counter-clockwise as seen from outside.

    Cells that meet at an edge or a corner alone are joined by their neighbours first.

    Args:
        solid: the cells.
        lines: X + 1, Y + 1 and Z + 1 walls.
    """
    vertices, quads = _cell_walls(solid, lines)
    return Mesh(vertices, _split(quads))


def _cell_walls(solid: Bools, lines: Lines) -> tuple[Floats, NDArray[np.int64]]:
    """Return the vertices (V, 3) and the quadrangles (Q, 4) of a surface."""
    corners = np.concatenate(list(_quads(_join_cells(np.pad(solid, 1)))))
    places, quads = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    vertices = [line[place] for line, place in zip(lines, places.T, strict=True)]
    return np.stack(vertices, axis=1), quads.reshape(-1, 4)


def _split(quads: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return two triangles (2 Q, 3) for each quadrangle."""
    return quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


def _smooth(vertices: Floats, quads: NDArray[np.int64]) -> Floats:
    """Return vertices without steps, which enclose about the same volume (Taubin, 1995).

    Diagonals of quadrangles do not count: they would pull to one side.
    """
    pairs = np.stack([quads, np.roll(quads, 1, axis=1)], axis=2).reshape(-1, 2)
    count = np.bincount(pairs[:, 0], minlength=len(vertices))[:, None]
    for share in (0.5, -0.53) * _ROUNDS:
        sums = np.zeros_like(vertices)
        np.add.at(sums, pairs[:, 0], vertices[pairs[:, 1]])
        vertices = vertices + share * (sums / count - vertices)
    return vertices


def _cover(mesh: Mesh, gap: float) -> Iterator[Floats]:
    """Yield places (N, 3) on all triangles, at most a gap apart."""
    corners = mesh.vertices[mesh.faces]
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    counts = np.ceil(edges / gap).astype(np.int64).clip(1)
    for count in np.unique(counts):
        first, second = (grid.ravel() for grid in np.indices((count + 1, count + 1)) / count)
        inside = first + second <= 1 + 1e-9
        weights = np.stack([1 - first - second, first, second], axis=1)[inside]
        yield (weights @ corners[counts == count]).reshape(-1, 3)


def _walls(ends: Floats, step: float) -> Floats:
    """Return walls at all ends, and between them no farther apart than a step."""
    ordered = np.sort(ends)
    groups = np.split(ordered, np.flatnonzero(np.diff(ordered) > _MERGED * step) + 1)
    kept = [float(group.mean()) for group in groups]
    parts = [
        np.linspace(low, high, int(np.ceil((high - low) / step)), endpoint=False)
        for low, high in pairwise(kept)
    ]
    return np.concatenate([*parts, kept[-1:]])


def _middles(walls: Floats) -> Floats:
    middles: Floats = (walls[:-1] + walls[1:]) / 2
    return middles


def _join_cells(solid: Bools) -> Bools:
    """Fill blocks of cells that meet at an edge or a corner alone, until there are none."""
    while True:
        filled = solid.copy()
        for shape in (*_squares(), (2, 2, 2)):
            offsets = list(product(*map(range, shape)))
            cells = np.stack([_one_of_each(solid, offset, shape) for offset in offsets])
            for corner in _touching(cells):
                for offset in offsets:
                    _one_of_each(filled, offset, shape)[corner] = True
        if (filled == solid).all():
            return solid
        solid = filled


def _squares() -> Iterator[tuple[int, ...]]:
    for first, second in combinations(range(3), 2):
        yield tuple(2 if axis in (first, second) else 1 for axis in range(3))


def _one_of_each(solid: Bools, offset: tuple[int, ...], shape: tuple[int, ...]) -> Bools:
    """Return a view of one cell of every block."""
    spans = zip(offset, shape, solid.shape, strict=True)
    return solid[tuple(slice(o, length - size + 1 + o) for o, size, length in spans)]


def _touching(cells: Bools) -> Iterator[Bools]:
    """Yield the masks of blocks (N, ...) of which two opposite cells alone are solid or empty."""
    half = len(cells) // 2
    for first in range(half):
        pair = np.zeros(len(cells), dtype=np.bool_)
        pair[[first, len(cells) - 1 - first]] = True
        like = pair.reshape(-1, 1, 1, 1)
        yield (cells == like).all(axis=0)
        if len(cells) == 8:
            yield (cells == ~like).all(axis=0)


def _quads(padded: Bools) -> Iterator[NDArray[np.int64]]:
    """Yield corners (N, 4, 3) of the walls between solid and empty cells, in numbers of lines."""
    for axis in range(3):
        change = np.diff(padded.astype(np.int8), axis=axis)
        one, two = (np.eye(3, dtype=np.int64)[(axis + turn) % 3] for turn in (1, 2))
        round_the_axis = np.array([0 * one, one, one + two, two])
        for sign, order in ((-1, round_the_axis), (1, round_the_axis[::-1])):
            first = np.argwhere(change == sign) - one - two
            yield first[:, None] + order
