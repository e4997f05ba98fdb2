"""Occlusion of points by convex parts of a body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Bools, Floats


@dataclass(frozen=True)
class Part:
    """A convex part of F bodies: all points p with normals @ p <= offsets.

    Attributes:
        normals: (F, K, 3) outward unit normals of the faces.
        offsets: (F, K) in the unit of the points.
        skin: depth below a face where the part begins to hide points; the points lie on the part.
    """

    normals: Floats
    offsets: Floats
    skin: float

    def hides(self, points: Floats, eyes: Floats) -> Bools:
        """Return which points (F, P, 3) the part hides from the eyes (F, 3), as (F, P).

        The segment from a point to the eye is cut by the face planes (Cyrus and Beck, 1978).
        """
        outward = self.normals.swapaxes(1, 2)
        above = points @ outward - (self.offsets - self.skin)[:, None]
        rise = (eyes[:, None] - points) @ outward
        rise = np.where(rise == 0, np.finfo(np.float64).tiny, rise)
        with np.errstate(over="ignore"):  # a segment along a face meets it at infinity
            cut = -above / rise
        enters = np.where(rise < 0, cut, 0).max(axis=2)
        leaves = np.where(rise > 0, cut, 1).min(axis=2)
        hidden: Bools = enters < leaves
        return hidden
