"""Drawn objects before an orthographic camera, at random places of photographs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from liftbench.cameras import subtract_mean
from liftbench.seeds import named_rng
from liftbench.types import Floats, Mesh
from liftbench_datasets.geometry.viewpoints import viewpoint_rotations
from liftbench_datasets.pascal3d.categories import CATEGORIES, POINTS
from liftbench_datasets.pascal3d.synthetic.bodies import (
    Bodies,
    Draw,
    Sketch,
    box_surface,
    draw_bodies,
)
from liftbench_datasets.pascal3d.synthetic.furniture import (
    bottle,
    chair,
    diningtable,
    sofa,
    tvmonitor,
)
from liftbench_datasets.pascal3d.synthetic.pictures import HEIGHT, WIDTH, Scene
from liftbench_datasets.pascal3d.synthetic.vehicles import (
    aeroplane,
    bicycle,
    boat,
    bus,
    car,
    motorbike,
    train,
)

KEY = "synthetic_pascal3d"
BATCH = 256  # objects drawn at once; were it to change, all frames would
SKETCHES: Mapping[str, Callable[[Draw], Sketch]] = {
    f.__name__: f
    for f in (
        *(aeroplane, car, tvmonitor, sofa, motorbike, diningtable),
        *(chair, bus, bottle, boat, bicycle, train),
    )
}

# Mean and spread in degrees: cameras are held a little above most objects.
ELEVATION = (8.0, 7.0)
ELEVATIONS = {
    "aeroplane": (-2.0, 14.0),
    "chair": (16.0, 9.0),
    "diningtable": (22.0, 9.0),
    "sofa": (15.0, 7.0),
}
THETA_SPREAD = 4.0
THETA_SPREADS = {"aeroplane": 12.0}
ELEVATION_RANGE = (-40.0, 60.0)

# Pixels, of photographs as large as those of PASCAL VOC.
_IMAGE = np.array([WIDTH, HEIGHT], dtype=np.float64)
SIZE, SIZE_SPREAD, SIZE_RANGE = 240.0, 0.35, (70.0, 480.0)  # larger side of the points' box
PLACE_SPREAD = 0.1  # of the image's sides


@dataclass(frozen=True, eq=False)
class Batch:
    """Some objects of a category before the camera.

    Attributes:
        bodies: the objects.
        turn: (F, 3, 3) rotation from the model frame to the camera frame.
        points: (F, P, 3) keypoints in pixels, with a mean depth of zero.
        scale: (F,) pixels per unit of the model.
        shift: (F, 3) place of the model's origin, pixels.
    """

    bodies: Bodies
    turn: Floats
    points: Floats
    scale: Floats
    shift: Floats

    def mesh(self, number: int) -> Mesh:
        """Return the surface of an object in its model frame."""
        return box_surface(self.bodies.solids[number])

    def scene(self, number: int, category: str) -> Scene:
        """Return an object as its photograph shows it."""
        wheels = [i for i, name in enumerate(POINTS[category]) if "wheel" in name]
        return Scene(
            self.bodies.solids[number],
            self.turn[number],
            float(self.scale[number]),
            self.shift[number],
            self.bodies.points[number, wheels],
        )


@lru_cache(maxsize=len(CATEGORIES))
def draw_batch(category: str, seed: int, batch: int) -> Batch:
    """Return a batch of the endless list of objects of a category."""
    rng = named_rng(KEY, "objects", seed, category, batch)
    bodies = draw_bodies(rng, SKETCHES[category], BATCH, category)
    turn = _draw_turns(rng, category)
    return Batch(bodies, turn, *_in_image(rng, bodies.points @ turn.swapaxes(1, 2)))


def _draw_turns(rng: np.random.Generator, category: str) -> Floats:
    """Return the rotations from the model frame to the camera frame, (F, 3, 3)."""
    azimuth = rng.uniform(0, 360, BATCH)
    elevation = rng.normal(*ELEVATIONS.get(category, ELEVATION), BATCH).clip(*ELEVATION_RANGE)
    theta = rng.normal(0, THETA_SPREADS.get(category, THETA_SPREAD), BATCH)
    return viewpoint_rotations(azimuth, elevation, theta)


def _in_image(rng: np.random.Generator, points: Floats) -> tuple[Floats, Floats, Floats]:
    """Return rotated points (F, P, 3) at a random place of the image, scale (F,) and shift (F, 3).

    All are in pixels.
    """
    size = (SIZE * np.exp(rng.normal(0, SIZE_SPREAD, len(points)))).clip(*SIZE_RANGE)
    place = rng.normal(_IMAGE / 2, PLACE_SPREAD * _IMAGE, (len(points), 2))
    scale: Floats = size / np.ptp(points[..., :2], axis=1).max(axis=1)
    placed: Floats = subtract_mean(points) * scale[:, None, None]
    placed[..., :2] += place[:, None]
    shift = np.pad(place, ((0, 0), (0, 1))) - scale[:, None] * points.mean(axis=1)
    return placed, scale, shift
