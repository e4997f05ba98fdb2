"""Rigid objects of 12 categories in many shapes: their keypoints, and boxes that hide them.

Model frame, as in PASCAL3D+: z up, the front at -y, points called left at negative x. Sketches
are in any unit; bodies measure 1 from corner to corner of their box, about their middle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from liftbench.types import Bools, Floats
from liftbench_datasets.car_occlusion import Part
from liftbench_datasets.pascal3d_categories import POINTS, mirrored

Measure = Floats | float
Place = tuple[Measure, Measure, Measure]
Span = tuple[Measure, Measure]
Box = tuple[Span, Span, Span]  # of x, y and z
Draw = Callable[[float, float], Floats]

SKIN = 0.004
_FAR = 100.0


@dataclass(frozen=True)
class Sketch:
    """The shapes of F objects; measures are (F,) or the same for all.

    Attributes:
        points: places by name; a right point that is not there mirrors its left one.
        boxes: what hides points.
    """

    points: Mapping[str, Place]
    boxes: Sequence[Box]


@dataclass(frozen=True)
class Bodies:
    """F objects of one category.

    Attributes:
        points: (F, P, 3) keypoints.
        parts: boxes that hide points.
    """

    points: Floats
    parts: tuple[Part, ...]

    def visible(self, directions: Floats) -> Bools:
        """Return which points (F, P) show to far eyes in the directions (F, 3)."""
        hidden = [part.hides(self.points, _FAR * directions) for part in self.parts]
        shown: Bools = ~np.any(hidden, axis=0)
        return shown


def draw_bodies(
    rng: np.random.Generator, sketch: Callable[[Draw], Sketch], count: int, category: str
) -> Bodies:
    """Draw `count` objects of a category, every measure evenly between its ends."""
    drawn = sketch(lambda low, high: rng.uniform(low, high, count))
    points = np.stack([_array(_place(drawn, n), count) for n in POINTS[category]], axis=1)
    low, high = (
        np.stack([_array([span[end] for span in box], count) for box in drawn.boxes], axis=1)
        for end in (0, 1)
    )
    least = np.minimum(points.min(axis=1), low.min(axis=1))
    most = np.maximum(points.max(axis=1), high.max(axis=1))
    middle, size = (least + most)[:, None] / 2, np.linalg.norm(most - least, axis=1)[:, None, None]
    points, low, high = ((corner - middle) / size for corner in (points, low, high))
    return Bodies(
        points, tuple(_part(*ends) for ends in zip(*map(_by_box, (low, high)), strict=True))
    )


def _by_box(corners: Floats) -> Floats:
    return corners.swapaxes(0, 1)


def _place(drawn: Sketch, name: str) -> Place:
    if name in drawn.points:
        return drawn.points[name]
    x, y, z = drawn.points[mirrored(name)]
    return -x, y, z


def _array(place: Sequence[Measure], count: int) -> Floats:
    """Return (F, 3)."""
    return np.stack([np.broadcast_to(m, count) for m in place], axis=1).astype(np.float64)


def _part(low: Floats, high: Floats) -> Part:
    """Return boxes between corners (F, 3)."""
    normals = np.tile(np.concatenate([np.eye(3), -np.eye(3)]), (len(low), 1, 1))
    return Part(normals, np.concatenate([high, -low], axis=1), SKIN)
