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
    above = np.radians(rng.uniform((42, 25, 5), (68, 55, 30)))
    tint = 1 + rng.normal(0, 0.04, (3, 3))
    strength = rng.uniform((0.60, 0.12, 0.05), (0.85, 0.28, 0.15))
    flat = np.cos(above)
    return Lamps(
        towards=np.stack([flat * np.sin(around), np.sin(above), flat * np.cos(around)], axis=1),
        colours=strength[:, None] * tint,
        sky=rng.uniform(0.32, 0.48) * (1 + rng.normal(0, 0.03, 3)),
        ground=rng.uniform(0.16, 0.26) * (1 + rng.normal(0, 0.05, 3)),
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
