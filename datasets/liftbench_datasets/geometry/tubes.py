"""Closed tubes of rings around bones, from which the surfaces of bodies are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Bools, Floats

SIDES = 16  # vertices of a ring
Place = tuple[float, float, float]


@dataclass(frozen=True)
class Ring:
    """A ring of a tube.

    Attributes:
        bone: the bone that the ring belongs to.
        middle: its middle, from the start of the bone.
        half: half its width and half its depth across the tube.
        other: a second bone that moves it.
        share: weight of the second bone in its motion.
    """

    bone: str
    middle: Place
    half: tuple[float, float]
    other: str = ""
    share: float = 0.0


def tube_faces(rings: Sequence[int]) -> NDArray[np.int64]:
    """Return the faces (T, 3) of tubes whose rings are listed one after another.

    Two neighbours on a ring and the two next to them on the following ring make two triangles.
    Every tube begins and ends in a ring without width, whose first vertex stands for all.

    Args:
        rings: number of rings of each tube.
    """
    firsts = np.cumsum([0, *rings])
    used = np.arange(SIDES * firsts[-1]).reshape(-1, SIDES)
    for end in (*firsts[:-1], *(firsts[1:] - 1)):
        used[end] = used[end, 0]
    beside = np.roll(used, -1, axis=1)
    first = np.setdiff1d(np.arange(firsts[-1]), firsts[1:] - 1)
    a, b, c, d = used[first], beside[first], used[first + 1], beside[first + 1]
    faces = np.stack([np.stack([a, b, c], axis=2), np.stack([b, d, c], axis=2)], axis=1)
    whole = (np.diff(np.sort(faces, axis=-1), axis=-1) > 0).all(axis=-1)
    return faces[whole]


def outward_faces(
    vertices: Floats, faces: NDArray[np.int64], tube: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the faces (T, 3), reversed where a tube would be inside out.

    Args:
        vertices: (V, 3).
        faces: (T, 3) of closed tubes.
        tube: (T,) number of the tube of each face.
    """
    volumes = np.bincount(tube, weights=np.linalg.det(vertices[faces]))
    return np.where(volumes[tube, None] < 0, faces[:, ::-1], faces)


def bone_weights(rings: Sequence[Ring], bones: Sequence[str]) -> Floats:
    """Return the weight of each bone at each vertex of the rings, (V, J)."""
    weights = np.zeros((len(rings), len(bones)))
    for row, ring in zip(weights, rings, strict=True):
        row[bones.index(ring.bone)] += 1 - ring.share
        row[bones.index(ring.other or ring.bone)] += ring.share
    return np.repeat(weights, SIDES, axis=0)


def ring_vertices(middles: Floats, halves: Floats, across_z: Bools) -> Floats:
    """Return the vertices (F, V, 3) of rings.

    Widths run along x, depths along z, or along y in rings across z. The first vertex of a ring is
    at its largest x; the next ones go around, first to its largest depth.

    Args:
        middles: (F, R, 3).
        halves: (F, R, 2) half widths and depths.
        across_z: (R,) rings that lie across z.
    """
    angle = 2 * np.pi * np.arange(SIDES) / SIDES
    side, depth = halves[..., :1] * np.cos(angle), halves[..., 1:] * np.sin(angle)
    flat = np.zeros_like(side)
    across_y = np.stack([side, flat, depth], axis=-1)
    ring = np.where(across_z[:, None, None], np.stack([side, depth, flat], axis=-1), across_y)
    vertices: Floats = middles[:, :, None] + ring
    return vertices.reshape(len(vertices), -1, 3)
