"""How far a deformation is from rigid, piece by piece (section 3.4; Sorkine, Alexa, SGP 2007)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_LEAST_AREA = 1e-12


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The pairs of neighbouring vertices of a mesh, each in both directions.

    Attributes:
        vertex: (L,) index i.
        other: (L,) index j.
        weight: (L,) cotangent weight w_ij.
    """

    vertex: Tensor
    other: Tensor
    weight: Tensor

    def to(self, device: str) -> Neighbours:
        """Return the neighbours on a device."""
        return Neighbours(self.vertex.to(device), self.other.to(device), self.weight.to(device))


def find_neighbours(template: Tensor, faces: Tensor) -> Neighbours:
    """Return the neighbours in a mesh, with half the sum of the cotangents of opposite angles.

    Args:
        template: (N, 3).
        faces: (T, 3).

    Raises:
        ValueError: a triangle has no area.
    """
    corners = template[faces]
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = torch.linalg.vector_norm(torch.linalg.cross(one, two), dim=1)
    size = (template - template.mean(dim=0)).square().sum(dim=1).mean()
    flat = (area <= _LEAST_AREA * size).nonzero()
    if len(flat):
        raise ValueError(
            f"triangle {int(flat[0])} of the mesh has no area; expected three corners apart from "
            "each other, not on one line"
        )
    pairs, weights = [], []
    for corner in range(3):
        i, j = faces[:, (corner + 1) % 3], faces[:, (corner + 2) % 3]
        at = corners[:, corner]
        product = ((template[i] - at) * (template[j] - at)).sum(dim=1)
        pairs += [torch.stack([i, j]), torch.stack([j, i])]
        weights += [0.5 * product / area] * 2
    each, number = torch.unique(torch.cat(pairs, dim=1), dim=1, return_inverse=True)
    total = template.new_zeros(each.shape[1]).index_add(0, number, torch.cat(weights))
    return Neighbours(each[0], each[1], total)


def rigidity_loss(template: Tensor, shapes: Tensor, neighbours: Neighbours) -> Tensor:
    """Return how far shapes are from locally rigid motions of the template (B,), L_arap.

    The rotation of each vertex is the best one for the squared differences and is held fixed in
    gradients, as in the alternation of Sorkine and Alexa. Obtuse angles give negative weights;
    they count as 0, so that no deformation lowers the loss below 0.

    Args:
        template: T (N, 3).
        shapes: V (B, N, 3).
        neighbours: of the template's mesh.
    """
    i, j = neighbours.vertex, neighbours.other
    weight = neighbours.weight.clamp_min(0)
    before, after = template[i] - template[j], shapes[:, i] - shapes[:, j]
    turns = _best_rotations(before, after.detach(), i, weight, len(template))
    left = after - (turns[:, i] @ before[..., None])[..., 0]
    length = (left.square().sum(dim=2) + 1e-16).sqrt() - 1e-8
    return (weight * length).sum(dim=1) / len(template)


def _best_rotations(
    before: Tensor, after: Tensor, vertex: Tensor, weight: Tensor, vertices: int
) -> Tensor:
    """Return the rotations (B, N, 3, 3) that take edges (L, 3) nearest to edges (B, L, 3)."""
    products = (weight[:, None] * after)[..., None] * before[:, None]
    sums = after.new_zeros(len(after), vertices, 3, 3).index_add(1, vertex, products)
    left, _, right = torch.linalg.svd(sums)
    sign = torch.linalg.det(left @ right).sign()
    left = torch.cat([left[..., :2], left[..., 2:] * sign[..., None, None]], dim=3)
    rotations: Tensor = left @ right
    return rotations
