"""The 58 keypoints of a car model: read from a file of the user's, or derived from its mesh."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from liftbench.types import Floats
from liftbench_datasets.apollocar3d.models import NAMES, CarModel
from liftbench_datasets.apollocar3d.skeleton import SKELETON
from liftbench_datasets.geometry.ray_mesh import crossings
from liftbench_datasets.reading.array_fields import finite_field
from liftbench_datasets.reading.one_line_errors import one_line_errors

POINTS = len(SKELETON.points)
# Derived points get other names, so that no result with them passes for one with the release's.
DERIVED_SKELETON = replace(SKELETON, points=tuple(f"derived_{name}" for name in SKELETON.points))

# Where the keypoints on the left side of a usual car lie from the middle of its box, in half sizes
# of the box: to the left, up, forward. They are the mean over the cars of `synthetic.car`.
_LEFT_DIRECTIONS = (
    *((0.66, 0.07, 0.96), (0.64, -0.11, 0.98), (0.92, 0.11, 0.81), (0.86, -0.07, 0.84)),
    *((0.74, -0.44, 0.92), (0.74, -0.58, 0.92), (1.0, -0.58, 0.78), (0.97, -0.58, 0.62)),
    *((0.62, 0.91, 0.19), (0.97, 0.32, 0.41), (1.0, -0.6, 0.37), (0.67, 0.88, -0.05)),
    *((0.97, 0.35, -0.05), (1.0, 0.19, 0.06), (1.0, 0.19, -0.02), (1.0, -0.6, -0.05)),
    *((0.67, 0.84, -0.48), (1.0, 0.19, -0.38), (1.0, 0.19, -0.46), (1.0, -0.6, -0.37)),
    *((0.97, -0.58, -0.57), (1.0, -0.58, -0.73), (0.95, 0.26, -0.88), (0.91, 0.04, -0.89)),
    *((0.6, 0.9, -0.63), (0.68, 0.26, -0.99), (0.68, 0.04, -0.99), (0.66, -0.16, -0.99)),
    (0.77, -0.56, -0.95),
)
DIRECTIONS: Floats = np.concatenate(
    [
        np.array(_LEFT_DIRECTIONS) * [-1, -1, 1],
        np.array(_LEFT_DIRECTIONS)[::-1] * [1, -1, 1],
    ]
)
_INNER = 0.5  # in half sizes of the box: nearer to its middle lie seats, not the body


def derive_keypoints(model: CarModel) -> Floats:
    """Return where rays from the middle of a model's box last cross its mesh, (58, 3).

    A ray points to where the keypoint lies on a usual car (`DIRECTIONS`, in half sizes of the
    box), so that points correspond from model to model. Where the mesh has a hole, the vertex in
    the nearest direction is taken.
    """
    low, high = model.vertices.min(axis=0), model.vertices.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    scaled = (model.vertices - middle) / half
    at = crossings(DIRECTIONS, scaled[model.faces])
    last = np.fmax.reduce(at, axis=1, initial=0.0)[:, None]
    hole = (last * np.abs(DIRECTIONS)).max(axis=1) < _INNER
    on_body = last * DIRECTIONS
    on_body[hole] = _nearest_vertices(scaled, DIRECTIONS[hole])
    points: Floats = middle + half * on_body
    return points


def read_keypoints(path: Path) -> dict[int, Floats]:
    """Read a user's keypoints: a JSON object from model names to 58 rows x, y, z.

    Row i is the release's keypoint i, in the frame of the model's file, metres.

    Returns:
        The keypoints (58, 3) of each car_id.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged, or a name in it is not that of a model of the release.
    """
    with one_line_errors(path, f"an object from names of car models to {POINTS} rows x, y, z"):
        stored = json.loads(path.read_bytes())
        unknown = sorted(set(stored) - set(NAMES))
        if unknown or not stored:
            raise ValueError(f"no car model is named '{unknown[0]}'" if unknown else "no model")
        return {
            NAMES.index(name): finite_field(rows, name, (POINTS, 3))
            for name, rows in stored.items()
        }


def _nearest_vertices(scaled: Floats, directions: Floats) -> Floats:
    """Return the vertex of the outer body that is nearest in each direction, (P, 3)."""
    outer = scaled[np.abs(scaled).max(axis=1) >= _INNER]
    cosine = directions @ (outer / np.linalg.norm(outer, axis=1, keepdims=True)).T
    nearest: Floats = outer[cosine.argmax(axis=1)]
    return nearest
