"""Meshes that tests of To The Point share."""

from __future__ import annotations

import numpy as np
import roma
import torch
from scipy.spatial import ConvexHull
from tests.plugins.learned.conftest import draw
from torch import Tensor


def closed_mesh(points: int = 200) -> tuple[Tensor, Tensor]:
    """Return vertices (V, 3) and triangles (T, 3) of a closed body that is not convex."""
    step = np.arange(points) + 0.5
    polar, around = np.arccos(1 - 2 * step / points), np.pi * (1 + 5**0.5) * step
    ball = np.stack(
        [np.cos(around) * np.sin(polar), np.sin(around) * np.sin(polar), np.cos(polar)], axis=1
    )
    faces = ConvexHull(ball).simplices.copy()
    corners = ball[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = (normals * corners.mean(axis=1)).sum(axis=1) < 0
    faces[inward] = faces[inward][:, ::-1]
    body = ball * [1.0, 0.5, 0.4] * (1 + 0.3 * np.sin(3 * ball[:, :1]))
    return torch.from_numpy(body), torch.from_numpy(faces.astype(np.int64))


def posed_meshes(images: int, size: int, points: int = 200) -> tuple[Tensor, Tensor]:
    """Return vertices (B, V, 3) in pixels of images of a size, from random sides, and faces."""
    body, faces = closed_mesh(points)
    turns = roma.unitquat_to_rotmat(torch.nn.functional.normalize(draw(images, 4, seed=1)))
    posed = body @ turns.transpose(1, 2) * size / 3 + draw(images, 1, 3, seed=2)
    return posed + torch.tensor([size / 2, size / 2, 0.0], dtype=torch.float64), faces
