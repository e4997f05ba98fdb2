"""The fast network computes what the plain network computes."""

from __future__ import annotations

import torch

from liftbench_plugins.learned.deep_nrsfm.network import BlockSparseNetwork
from liftbench_plugins.learned.factorisation import normalise_views, reprojection_loss
from plain_network import plain_loss


def test_both_networks_have_the_same_loss_and_gradients() -> None:
    generator = torch.Generator().manual_seed(3)
    network = BlockSparseNetwork(9, 2, (16, 12, 6), "bst", "projection", 1.0, generator).double()
    with torch.no_grad():
        for parameter in (*network.thresholds, *network.biases):
            parameter.uniform_(0.0, 0.3, generator=generator)
    image = torch.randn(9, 2, 10, generator=generator, dtype=torch.float64)
    views = normalise_views(image)
    fast = reprojection_loss(views, *network(views.columns))
    fast_gradients = torch.autograd.grad(fast, list(network.parameters()))
    plain = plain_loss(network, views.image.permute(2, 0, 1).contiguous())
    plain_gradients = torch.autograd.grad(plain, list(network.parameters()))
    torch.testing.assert_close(fast, plain)
    for ours, reference in zip(fast_gradients, plain_gradients, strict=True):
        torch.testing.assert_close(ours, reference)
        assert ours.abs().sum() > 0
