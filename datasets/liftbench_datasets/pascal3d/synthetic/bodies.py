"""Rigid objects of 12 categories in many shapes: their keypoints, and the boxes they consist of.

Model frame, as in PASCAL3D+: z up, the front at -y, left points at negative x. Sketches are in any
unit. The box around a body has its middle at the origin and measures 1 from corner to corner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from liftbench.types import Bools, Floats, Mesh
from liftbench_datasets.geometry.convex_occlusion import Part
from liftbench_datasets.pascal3d.categories import POINTS, mirror_name

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
        points: places by name; a missing right point is the mirror image of the left one.
        boxes: boxes that hide points.
        thin: boxes too thin to hide points.
    """

    points: Mapping[str, Place]
    boxes: Sequence[Box]
    thin: Sequence[Box] = ()


@dataclass(frozen=True)
class Bodies:
    """F objects of one category.

    Attributes:
        points: (F, P, 3) keypoints.
        parts: boxes that hide points.
        solids: (F, B, 2, 3) lower and upper corners of all boxes that have a volume.
    """

    points: Floats
    parts: tuple[Part, ...]
    solids: Floats

    def visible(self, directions: Floats) -> Bools:
        """Return which points (F, P) are visible to far eyes in the directions (F, 3)."""
        hidden = [part.hides(self.points, _FAR * directions) for part in self.parts]
        shown: Bools = ~np.any(hidden, axis=0)
        return shown


def draw_bodies(
    rng: np.random.Generator, sketch: Callable[[Draw], Sketch], count: int, category: str
) -> Bodies:
    """Draw `count` objects of a category, with every measure uniform between its ends."""
    return _bodies(sketch(lambda low, high: rng.uniform(low, high, count)), count, category)


def middle_body(sketch: Callable[[Draw], Sketch], category: str) -> Bodies:
    """Return the one object of a category with every measure half way between its ends."""
    return _bodies(sketch(lambda low, high: np.array([(low + high) / 2])), 1, category)


def _bodies(drawn: Sketch, count: int, category: str) -> Bodies:
    points = np.stack([_array(_place(drawn.points, n), count) for n in POINTS[category]], axis=1)
    low, high = (_corners(drawn.boxes, end, count) for end in (0, 1))
    least = np.minimum(points.min(axis=1), low.min(axis=1))
    most = np.maximum(points.max(axis=1), high.max(axis=1))
    middle, size = (least + most)[:, None] / 2, np.linalg.norm(most - least, axis=1)[:, None, None]
    points, low, high = ((corner - middle) / size for corner in (points, low, high))
    thin = (
        (_corners(drawn.thin, end, count).reshape(count, -1, 3) - middle) / size for end in (0, 1)
    )
    ends = [np.concatenate(pair, axis=1) for pair in zip((low, high), thin, strict=True)]
    solids = np.stack(ends, axis=2)
    return Bodies(
        points,
        tuple(_part(*ends) for ends in zip(*map(_by_box, (low, high)), strict=True)),
        solids[:, (solids[:, :, 0] < solids[:, :, 1]).all(axis=(0, 2))],
    )


def around(points: Mapping[str, Place], names: str, margins: Place) -> Box:
    """Return the box around some points, grown at each side.

    Args:
        points: of a sketch.
        names: of the points, with spaces between them.
        margins: along x, y and z.
    """
    places = zip(*(_place(points, name) for name in names.split()), strict=True)
    x, y, z = (_span(along, margin) for along, margin in zip(places, margins, strict=True))
    return x, y, z


def box_surface(boxes: Floats) -> Mesh:
    """Return the closed surfaces of boxes (B, 2, 3), lower and upper corners.

    Each has two triangles for the sides at -x, +x, -y, +y, -z and +z.
    """
    corners = np.where(_CORNERS[..., None, :] == 0, boxes[:, 0], boxes[:, 1])
    faces = _FACES + len(_CORNERS) * np.arange(len(boxes))[:, None, None]
    return Mesh(corners.swapaxes(0, 1).reshape(-1, 3), faces.reshape(-1, 3))


def _span(measures: Sequence[Measure], margin: Measure) -> Span:
    along = np.broadcast_arrays(*measures)
    return np.min(along, axis=0) - margin, np.max(along, axis=0) + margin


def _corners(boxes: Sequence[Box], end: int, count: int) -> Floats:
    """Return one end of each box, (F, B, 3)."""
    corners = [_array([span[end] for span in box], count) for box in boxes]
    return np.stack(corners, axis=1) if corners else np.zeros((count, 0, 3))


def _by_box(corners: Floats) -> Floats:
    return corners.swapaxes(0, 1)


def _place(points: Mapping[str, Place], name: str) -> Place:
    if name in points:
        return points[name]
    x, y, z = points[mirror_name(name)]
    return -x, y, z


def _array(place: Sequence[Measure], count: int) -> Floats:
    """Return a place on each of `count` objects, (F, 3)."""
    return np.stack([np.broadcast_to(m, count) for m in place], axis=1).astype(np.float64)


def _part(low: Floats, high: Floats) -> Part:
    """Return boxes between corners (F, 3)."""
    normals = np.tile(np.concatenate([np.eye(3), -np.eye(3)]), (len(low), 1, 1))
    return Part(normals, np.concatenate([high, -low], axis=1), SKIN)


# The corners of a box, 0 for the lower end of an axis, and its sides as seen from outside.
_CORNERS = np.array(list(product((0, 1), repeat=3)))
_FACES = np.array(
    [
        [[0, 1, 3], [0, 3, 2]],
        [[4, 6, 7], [4, 7, 5]],
        [[0, 4, 5], [0, 5, 1]],
        [[2, 3, 7], [2, 7, 6]],
        [[0, 2, 6], [0, 6, 4]],
        [[1, 5, 7], [1, 7, 3]],
    ]
).reshape(12, 3)
