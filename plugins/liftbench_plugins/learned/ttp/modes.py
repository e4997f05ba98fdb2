"""Smooth deformations of a mesh: the slowest waves on its surface."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import eigsh
from torch import Tensor

from liftbench_plugins.learned.ttp.arap import Neighbours

_DENSE = 1500  # vertices, up to which all eigenvectors are found at once
_SHIFT = -1e-3  # of the weights' scale: the Laplacian itself is singular


def smooth_modes(neighbours: Neighbours, vertices: int, count: int) -> Tensor:
    """Return eigenvectors (N, M) of the Laplacian with the least eigenvalues above 0.

    They are orthogonal and have a mean square of 1. Negative weights count as 0.

    Args:
        neighbours: of a mesh of one piece.
        vertices: N.
        count: M; if there are fewer, all of them are returned.
    """
    count = min(count, vertices - 1)
    weights = neighbours.weight.clamp_min(0).double().cpu().numpy()
    places = (neighbours.vertex.cpu().numpy(), neighbours.other.cpu().numpy())
    links = coo_array((weights, places), shape=(vertices, vertices)).tocsr()
    laplacian = diags_array(links.sum(axis=1)) - links
    if vertices <= _DENSE:
        vectors = np.linalg.eigh(laplacian.toarray())[1][:, 1 : count + 1]
    else:
        # A start that is drawn would give other signs each time.
        start = np.linspace(-1, 1, vertices)
        shift = _SHIFT * weights.mean()
        vectors = eigsh(laplacian.tocsc(), count + 1, sigma=shift, v0=start)[1][:, 1:]
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(count)])
    return torch.from_numpy(vectors * signs * np.sqrt(vertices)).float()


def smooth_fields(vertices: Tensor, modes: Tensor) -> Tensor:
    """Return fields (N, R) that span the places of all shapes that modes deform smoothly.

    Where such a shape is seen in an image is a sum of them, from whatever side: they span the
    coordinates of the template, 1 and the modes. They are orthogonal, with a mean square of 1.

    Args:
        vertices: (N, 3) of the template.
        modes: (N, M), see `smooth_modes`.
    """
    all_of_them = torch.cat([vertices.new_ones(len(vertices), 1), vertices, modes], dim=1)
    fields: Tensor = torch.linalg.qr(all_of_them.double()).Q * len(vertices) ** 0.5
    return fields.to(vertices)
