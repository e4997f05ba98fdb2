"""The networks of C3DPO."""

from __future__ import annotations

import pytest
import roma
import torch
from tests.plugins.learned.c3dpo.scenes import FRAMES, POINTS, make_network, make_views
from torch import nn


def test_rotations_are_rotations_and_shapes_are_centred() -> None:
    factors = make_network().factorise(*make_views())
    assert roma.is_rotation_matrix(factors.rotation, epsilon=1e-10)
    shapes = make_network().shapes(factors.coefficients)
    assert shapes.shape == (FRAMES, POINTS, 3)
    assert float(shapes.detach().mean(dim=1).abs().max()) < 1e-12


def test_coordinates_of_hidden_points_are_not_read() -> None:
    network, (points, visible) = make_network(), make_views()
    moved = points + 100 * (1 - visible)[..., None]
    for found, expected in zip(
        network.factorise(moved, visible), network.factorise(points, visible), strict=True
    ):
        torch.testing.assert_close(found, expected)


def test_the_visibility_itself_is_read() -> None:
    network, (points, visible) = make_network(), make_views()
    shown = points * visible[..., None]
    other = network.factorise(shown, torch.ones_like(visible))
    assert not torch.allclose(other.coefficients, network.factorise(shown, visible).coefficients)


def test_phi_and_psi_share_the_shape_basis() -> None:
    network, shape = make_network(), torch.randn(FRAMES, POINTS, 3, dtype=torch.float64)
    with torch.no_grad():
        network.shape.weight.zero_()
        network.shape.bias.copy_(torch.arange(3.0 * POINTS))
    mean = torch.arange(3.0 * POINTS, dtype=torch.float64).view(POINTS, 3)
    found = network.canonicalise(shape)
    torch.testing.assert_close(found, (mean - mean.mean(dim=0)).expand(FRAMES, -1, -1))


def test_a_network_without_psi_refuses_to_canonicalise() -> None:
    with pytest.raises(ValueError, match="no canonicalisation"):
        make_network(canonical=False).canonicalise(torch.zeros(1, POINTS, 3))


def test_weights_are_drawn_from_a_narrow_normal_distribution_and_biases_are_zero() -> None:
    layers = [m for m in make_network().modules() if isinstance(m, nn.Linear)]
    weights = torch.cat([layer.weight.detach().flatten() for layer in layers])
    assert float(weights.std()) == pytest.approx(0.01, rel=0.1)
    assert abs(float(weights.mean())) < 0.001
    assert all(layer.bias is None or not layer.bias.any() for layer in layers)


def test_a_block_adds_to_what_it_gets() -> None:
    """With zero weights in the last layer of its blocks, a trunk is its first layer."""
    network, (points, visible) = make_network(), make_views()
    inputs = torch.cat([points, visible[..., None]], dim=2).flatten(1)
    with torch.no_grad():
        for block in network.phi.blocks:
            for parameter in block[-1].parameters():  # type: ignore[index]
                parameter.zero_()
    torch.testing.assert_close(network.phi(inputs), torch.relu(network.phi.first(inputs)))
