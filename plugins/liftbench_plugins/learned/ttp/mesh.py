"""The template of a category as the losses need it: normalised, with neighbours and partners."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from liftbench import Template
from liftbench_plugins.learned.ttp.arap import Neighbours, find_neighbours
from liftbench_plugins.learned.ttp.silhouette import Edges, find_edges

_SAME = 0.02  # of the template's size, up to which a vertex is the mirror image of another


@dataclass(frozen=True, eq=False)
class CategoryMesh:
    """A closed mesh whose vertices have the mean 0 and a mean square of 1 along an axis.

    Attributes:
        vertices: T (N, 3).
        faces: (L, 3).
        points: (P, N) weights that make the key points from the vertices.
        edges: of the faces.
        neighbours: of the vertices.
        partner: (N,) vertex at the mirrored place; None if the template is not symmetric in x.
        middle: (3,) mean of the vertices in the template's own unit.
        unit: length 1 in this unit.
    """

    vertices: Tensor
    faces: Tensor
    points: Tensor
    edges: Edges
    neighbours: Neighbours
    partner: Tensor | None
    middle: Tensor
    unit: Tensor

    def original(self, shapes: Tensor) -> Tensor:
        """Return shapes (B, N, 3) in the frame and unit of the template."""
        return shapes * self.unit + self.middle


def prepare(template: Template, device: str) -> CategoryMesh:
    """Return the template of a category in the unit of the layer.

    Raises:
        ValueError: the mesh is open, not a manifold or has a triangle without area.
    """
    vertices = torch.tensor(template.mesh.vertices, dtype=torch.float32)
    middle = vertices.mean(dim=0)
    unit = (vertices - middle).square().mean().sqrt()
    vertices = (vertices - middle) / unit
    faces = torch.tensor(template.mesh.faces)
    edges, neighbours = find_edges(faces), find_neighbours(vertices, faces)
    partner = find_partners(vertices)
    points = torch.tensor(template.points, dtype=torch.float32)
    return CategoryMesh(
        vertices.to(device),
        faces.to(device),
        points.to(device),
        edges.to(device),
        neighbours.to(device),
        None if partner is None else partner.to(device),
        middle.to(device),
        unit.to(device),
    )


def find_partners(vertices: Tensor) -> Tensor | None:
    """Return the vertex (N,) nearest to the mirror image in x of each vertex (N, 3).

    None where one of them has no such vertex, or two have the same.
    """
    mirrored = vertices * vertices.new_tensor([-1, 1, 1])
    distance, partner = torch.cdist(mirrored, vertices).min(dim=1)
    size = vertices.square().mean().sqrt()
    whole = bool((partner[partner] == torch.arange(len(partner))).all())
    return partner if whole and float(distance.max()) <= _SAME * float(size) else None
