"""A small network of C3DPO and views for it."""

from __future__ import annotations

import torch
from tests.plugins.learned.conftest import seeded
from torch import Tensor

from liftbench_plugins.learned.c3dpo.loss import centre_visible
from liftbench_plugins.learned.c3dpo.network import C3dpoNetwork

POINTS, FRAMES = 7, 5


def make_network(*, canonical: bool = True) -> C3dpoNetwork:
    """Return a network in double precision."""
    network = C3dpoNetwork(
        POINTS,
        basis=4,
        width=16,
        bottleneck=8,
        blocks=2,
        canonical=canonical,
        generator=seeded(),
    )
    return network.double()


def make_views(seed: int = 1) -> tuple[Tensor, Tensor]:
    """Return centred points (B, P, 2) and visibility (B, P), at least three points each."""
    visible = (torch.rand(FRAMES, POINTS, generator=seeded(seed)) > 0.4).double()
    visible[:, :3] = 1
    points = torch.randn(FRAMES, POINTS, 2, generator=seeded(seed), dtype=torch.float64)
    return centre_visible(points, visible), visible
