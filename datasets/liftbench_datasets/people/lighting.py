"""Light of several lamps on dull surfaces.

Directions are in the world's frame, in which y points up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from liftbench.types import Floats


@dataclass(frozen=True)
class Lamps:
    """Lamps that are far away, and the light that comes from everywhere.

    Attributes:
        towards: (L, 3) unit vectors towards the lamps; the first lamp casts shadows.
        colours: (L, 3) brightness of the lamps.
        sky: (3,) brightness from above; half of it comes from the side.
        ground: (3,) brightness from below.
    """

    towards: Floats
    colours: Floats
    sky: Floats
    ground: Floats


def draw_lamps(rng: np.random.Generator) -> Lamps:
    """Draw a bright lamp overhead, a weaker one from the other side, and one low lamp."""
    around = rng.uniform(0, 2 * np.pi) + np.array([0, np.pi, rng.uniform(0.5, 1.5) * np.pi])
    around = around + rng.uniform(-0.7, 0.7, 3)
    above = np.radians(rng.uniform((45, 25, 5), (58, 55, 30)))
    flat = np.cos(above)
    return Lamps(
        towards=np.stack([flat * np.sin(around), np.sin(above), flat * np.cos(around)], axis=1),
        colours=np.repeat([[0.85], [0.16], [0.08]], 3, axis=1),
        sky=np.full(3, 0.30),
        ground=np.full(3, 0.16),
    )


def vary_lamps(rng: np.random.Generator, lamps: Lamps) -> Lamps:
    """Return the lamps on another day: moved by a few degrees, in other strengths and tints."""
    strength = rng.uniform(0.8, 1.2, (5, 1)) * (1 + rng.normal(0, 0.04, (5, 3)))
    return Lamps(
        towards=unit_vectors(lamps.towards + rng.normal(0, 0.05, lamps.towards.shape)),
        colours=lamps.colours * strength[:3],
        sky=lamps.sky * strength[3],
        ground=lamps.ground * strength[4],
    )


def brightness(lamps: Lamps, normals: Floats, lit: Floats) -> Floats:
    """Return the light (N, 3) on a dull surface.

    Args:
        lamps: the lamps.
        normals: (N, 3) unit normals.
        lit: (N,) share of the first lamp that no shadow takes away.
    """
    shares = (normals @ lamps.towards.T).clip(0)
    shares[:, 0] *= lit
    above = (0.5 + 0.5 * normals[:, 1])[:, None]
    light: Floats = shares @ lamps.colours + above * lamps.sky + (1 - above) * lamps.ground
    return light


def vertex_normals(vertices: Floats, faces: NDArray[np.int64]) -> Floats:
    """Return normals (V, 3) that point out of a surface, longer where its faces are larger."""
    first, second, third = np.moveaxis(vertices[faces], 1, 0)
    across = np.cross(second - first, third - first)
    corners = sparse.csr_array(
        (np.ones(faces.size), (faces.T.ravel(), np.tile(np.arange(len(faces)), 3))),
        shape=(len(vertices), len(faces)),
    )
    normals: Floats = corners @ across
    return normals


def unit_vectors(vectors: Floats) -> Floats:
    """Return vectors (N, 3) at length 1; those without a length keep it."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = vectors / np.maximum(length, 1e-12)
    return unit
