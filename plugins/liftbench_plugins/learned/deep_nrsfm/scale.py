"""The scale t_z of each frame and its correction (Deep NRSfM++, section 5 and supplement II)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations
from liftbench.types import Floats
from liftbench_plugins.learned.deep_nrsfm import ScaleMeasure, ShapeScale
from liftbench_plugins.learned.factorisation import norms


def shape_scale(observations: Observations, choice: ShapeScale) -> Floats:
    """Return t_z (F,) of every frame up to one factor for all of them.

    It is 1 for orthographic points, which are in the data's length unit already.

    Raises:
        ValueError: a box has no extent.
    """
    if choice == "constant" or observations.camera == "orthographic":
        return np.ones(observations.frames)
    edges = box_edges(observations)
    length = edges.max(axis=1) if choice == "box_max" else edges.min(axis=1)
    if not (length > 0).all():
        frame = int(np.argmin(length > 0))
        raise ValueError(
            f"shape_scale '{choice}' needs boxes with an extent, that of frame {frame} has none"
        )
    scale: Floats = 1 / length
    return scale


def box_edges(observations: Observations) -> Floats:
    """Return width and height (F, 2) of the box, or of the visible points if there is no box."""
    if observations.box is not None:
        return observations.box[:, 2:]
    edges: Floats = np.nanmax(observations.points_2d, axis=1) - np.nanmin(
        observations.points_2d, axis=1
    )
    return edges


def shape_size(shape: Tensor, measure: ScaleMeasure, edges: Sequence[tuple[int, int]]) -> Tensor:
    """Return the size (B,) of shapes (P, 3, B), which is the same in all frames if t_z is right.

    Args:
        shape: shapes of B frames.
        measure: `norm` is the Frobenius norm of the centred shape, `bones` the mean bone length.
        edges: the bones, pairs of point indices.
    """
    if measure == "norm":
        return norms(shape - shape.mean(dim=0, keepdim=True))
    ends = torch.tensor(edges, device=shape.device)
    bones = shape[ends[:, 0]] - shape[ends[:, 1]]
    return bones.square().sum(dim=1).sqrt().mean(dim=0)
