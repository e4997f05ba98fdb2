"""C3DPO computes what its plain port computes."""

from __future__ import annotations

import torch

from liftbench_plugins.learned.c3dpo.loss import (
    canonicalisation_loss,
    centre_visible,
    reprojection_loss,
)
from liftbench_plugins.learned.c3dpo.network import C3dpoNetwork
from plain_c3dpo import plain_loss


def test_both_networks_have_the_same_loss_and_gradients() -> None:
    generator = torch.Generator().manual_seed(3)
    network = C3dpoNetwork(
        9, basis=4, width=16, bottleneck=8, blocks=2, canonical=True, generator=generator
    ).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    visible = (torch.rand(10, 9, generator=generator) > 0.3).double()
    visible[:, 0] = 1
    points = torch.randn(10, 9, 2, generator=generator, dtype=torch.float64)
    points = centre_visible(points, visible)
    reprojection, shape = reprojection_loss(network, points, visible, generator.manual_seed(4))
    ours = reprojection + canonicalisation_loss(network, shape, generator)
    plain = plain_loss(network, points, visible, generator.manual_seed(4))
    torch.testing.assert_close(ours, plain, rtol=1e-5, atol=1e-5)
    for one, other in zip(
        torch.autograd.grad(ours, list(network.parameters())),
        torch.autograd.grad(plain, list(network.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
        assert one.abs().sum() > 0
