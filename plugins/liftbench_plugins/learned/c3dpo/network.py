"""The networks of C3DPO: Phi factorises keypoints, Psi finds the canonical view of a shape."""

from __future__ import annotations

from typing import NamedTuple

import roma
import torch
from torch import Tensor, nn

_WEIGHT_SPREAD = 0.01  # standard deviation of the initial weights


class Factors(NamedTuple):
    """What Phi says of views: shape coefficients (B, K) and rotations (B, 3, 3) of row vectors."""

    coefficients: Tensor
    rotation: Tensor


class Trunk(nn.Module):
    """A layer to `width` channels, and residual blocks that pass a bottleneck, all normalised.

    Args:
        inputs: channels of the input.
        width: channels of the features.
        bottleneck: channels inside a block.
        blocks: number of residual blocks.
    """

    def __init__(self, inputs: int, width: int, bottleneck: int, blocks: int) -> None:
        super().__init__()
        self.first = _normalised_layer(inputs, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                _normalised_layer(width, bottleneck),
                nn.ReLU(),
                _normalised_layer(bottleneck, bottleneck),
                nn.ReLU(),
                _normalised_layer(bottleneck, width),
            )
            for _ in range(blocks)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the features (B, width) of inputs (B, C)."""
        feature = torch.relu(self.first(inputs))
        for block in self.blocks:
            feature = torch.relu(feature + block(feature))
        return feature


class C3dpoNetwork(nn.Module):
    """Phi with the shape basis, and Psi where shapes are to be canonical.

    Args:
        points: number of points P.
        basis: number of basis shapes K.
        width, bottleneck, blocks: sizes of both trunks.
        canonical: whether there is a canonicalisation network Psi.
        generator: draws the initial weights.
    """

    def __init__(
        self,
        points: int,
        *,
        basis: int,
        width: int,
        bottleneck: int,
        blocks: int,
        canonical: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.points = points
        self.phi = Trunk(3 * points, width, bottleneck, blocks)
        self.phi_coefficients = nn.Linear(width, basis)
        self.phi_rotation = nn.Linear(width, 3)
        self.shape = nn.Linear(basis, 3 * points)
        self.psi = Trunk(3 * points, width, bottleneck, blocks) if canonical else None
        self.psi_coefficients = nn.Linear(width, basis) if canonical else None
        _draw_weights(self, generator)

    def factorise(self, points: Tensor, visible: Tensor) -> Factors:
        """Return the factors of centred points (B, P, 2) with visibility (B, P) of ones and zeros.

        The input of Phi is x v, y v and v.
        """
        shown = visible[..., None]
        inputs = torch.cat([points * shown, shown], dim=2)
        feature = self.phi(inputs.flatten(1))
        rotation = roma.rotvec_to_rotmat(self.phi_rotation(feature))
        return Factors(self.phi_coefficients(feature), rotation)

    def shapes(self, coefficients: Tensor) -> Tensor:
        """Return the centred shapes (B, P, 3) of coefficients (B, K)."""
        shape: Tensor = self.shape(coefficients).view(-1, self.points, 3)
        return shape - shape.mean(dim=1, keepdim=True)

    def canonicalise(self, shape: Tensor) -> Tensor:
        """Return the shape (B, P, 3) in its canonical view, whatever the rotation it comes in.

        Raises:
            ValueError: the network was made without Psi.
        """
        if self.psi is None or self.psi_coefficients is None:
            raise ValueError("this network has no canonicalisation")
        return self.shapes(self.psi_coefficients(self.psi(shape.flatten(1))))


def _normalised_layer(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs))


def _draw_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of all layers from N(0, 0.01); their biases start at zero."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=_WEIGHT_SPREAD, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
