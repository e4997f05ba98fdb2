"""C3DPO in plain PyTorch layers: 1x1 convolutions, batch normalisation, matrix exponentials.

`c3dpo_step.py` and its test compare the fast network with this one; both have the same weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from liftbench_plugins.learned.c3dpo.loss import rotate_image
from liftbench_plugins.learned.c3dpo.network import C3dpoNetwork, Trunk
from liftbench_plugins.learned.rotations import random_cameras

_TURNS = 4
_HUBER = 0.01


def plain_loss(
    network: C3dpoNetwork, points: Tensor, visible: Tensor, generator: torch.Generator
) -> Tensor:
    """Return the sum of the reprojection and the canonicalisation loss.

    Args:
        network: has the weights.
        points: centred image points (B, P, 2), finite where hidden.
        visible: (B, P) of ones and zeros.
        generator: draws the rotations.
    """
    first, second = (rotate_image(points, generator).transpose(1, 2) for _ in range(2))
    mask = visible[:, None]
    copies, masks = torch.cat([first, second]), torch.cat([mask, mask])
    inputs = torch.cat([copies * masks, masks], dim=1).transpose(1, 2).flatten(1)
    feature = _trunk(network.phi, inputs[..., None])
    coefficients = _convolve(network.phi_coefficients, feature)
    rotation = torch.linalg.matrix_exp(_skew(_convolve(network.phi_rotation, feature)[..., 0]))
    shape = _shape(network, coefficients[len(points) :])
    seen = (rotation[: len(points)] @ shape)[:, :2]
    seen = seen - (seen * mask).sum(dim=2, keepdim=True) / mask.sum(dim=2, keepdim=True)
    distances = _huber((seen - first).square().sum(dim=1, keepdim=True))
    reprojection = (distances * mask).sum() / mask.sum()
    return reprojection + _canonicalisation(network, shape, generator)


def _canonicalisation(network: C3dpoNetwork, shape: Tensor, generator: torch.Generator) -> Tensor:
    """Return how far Psi is from undoing four random rotations of shapes (B, 3, P)."""
    psi, coefficients = network.psi, network.psi_coefficients
    assert psi is not None
    assert coefficients is not None
    shapes = shape.repeat(_TURNS, 1, 1)
    turns = random_cameras(3, shapes.permute(1, 2, 0), generator).permute(2, 1, 0)
    turned = (turns @ shapes).transpose(1, 2).flatten(1)
    found = _shape(network, _convolve(coefficients, _trunk(psi, turned[..., None])))
    return _huber((found - shapes).square().sum(dim=1)).mean()


def _trunk(trunk: Trunk, inputs: Tensor) -> Tensor:
    """Return the features (B, C, 1) of inputs (B, C, 1)."""
    feature = torch.relu(_normalise(trunk.first, inputs))
    for block in trunk.blocks:
        assert isinstance(block, nn.Sequential)
        inner = torch.relu(_normalise(block[0], feature))
        inner = torch.relu(_normalise(block[2], inner))
        feature = torch.relu(feature + _normalise(block[4], inner))
    return feature


def _normalise(layer: nn.Module, inputs: Tensor) -> Tensor:
    assert isinstance(layer, nn.Sequential)
    linear, norm = layer
    assert isinstance(linear, nn.Linear)
    assert isinstance(norm, nn.BatchNorm1d)
    return functional.batch_norm(
        _convolve(linear, inputs), None, None, norm.weight, norm.bias, training=True
    )


def _convolve(linear: nn.Linear, inputs: Tensor) -> Tensor:
    return functional.conv1d(inputs, linear.weight[..., None], linear.bias)


def _shape(network: C3dpoNetwork, coefficients: Tensor) -> Tensor:
    """Return the centred shapes (B, 3, P) of coefficients (B, K, 1)."""
    flat = _convolve(network.shape, coefficients)
    shape = flat.view(len(flat), network.points, 3).transpose(1, 2)
    return shape - shape.mean(dim=2, keepdim=True)


def _skew(vectors: Tensor) -> Tensor:
    """Return the matrices (B, 3, 3) of cross products whose exponentials turn row vectors back."""
    x, y, z = vectors.unbind(dim=1)
    zero = torch.zeros_like(x)
    rows = [[zero, z, -y], [-z, zero, x], [y, -x, zero]]
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)


def _huber(square: Tensor) -> Tensor:
    return ((1 + square / _HUBER**2).sqrt() - 1) * _HUBER
