"""The model that stands for its category, with key points on its surface."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from liftbench.arrays import Arrays, cache_arrays
from liftbench.files import checksum
from liftbench.types import Floats, Mesh, Template
from liftbench_datasets.geometry.cell_surface import soup_surface
from liftbench_datasets.pascal3d.cad import cad_models, keypoint_mask
from liftbench_datasets.pascal3d.surfaces import cad_meshes

_STEP = 0.035  # of the diagonal, edge of a cell of a CAD model
_NEAREST = 8  # vertices that make a key point
_FLAT = 1e-6  # share of their spread up to which they count as lying in a plane


def cad_template(path: Path, category: str) -> Template:
    """Return a closed surface about the CAD model of a category that has most key points.

    CAD models are heaps of triangles, see `soup_surface`. Key points that the model lacks are at
    the mean place that others have them.

    Args:
        path: `CAD/<category>.mat`.
        category: its name.
    """
    models = cad_models(path, category)
    known = keypoint_mask(models)
    chosen = int(known.sum(axis=1).argmax())

    def make() -> Arrays:
        mesh = soup_surface(cad_meshes(path, category, len(models))[chosen], _STEP)
        return {"vertices": mesh.vertices, "faces": mesh.faces}

    mesh = Mesh(**cache_arrays("pascal3d-template-1", checksum([path]), make))
    sums = np.where(known[..., None], models, 0).sum(axis=0)
    means = sums / known.sum(axis=0).clip(1)[:, None]
    return mark_points(mesh, np.where(known[chosen, :, None], models[chosen], means))


def mark_points(mesh: Mesh, places: Floats) -> Template:
    """Return a template whose key points are at places (P, 3), or nearest to them.

    Each is combined of the nearest vertices with weights of the sum 1, as even as can be.
    """
    points = np.zeros((len(places), len(mesh.vertices)))
    for row, place in zip(points, places, strict=True):
        away = mesh.vertices - place
        near = np.argsort(np.square(away).sum(axis=1), kind="stable")[:_NEAREST]
        middle = away[near].mean(axis=0)
        # Change even weights by as little as moves the mean to the place; the changes add up to 0.
        row[near] = 1 / len(near) - np.linalg.pinv((away[near] - middle).T, rcond=_FLAT) @ middle
    return Template(mesh, points)
