"""The residual-recursive networks of PR-RRN; the frames are the last axis of tensors."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from liftbench_plugins.learned.lifting import LiftingNetwork
from liftbench_plugins.learned.matrix_product import matrix_product
from liftbench_plugins.learned.pr_rrn import PrRrnParams
from liftbench_plugins.learned.rotations import polar_factor

# ReLU halves the energy of a signal, which a gain of sqrt(2) makes up for. A recursive layer adds
# to its input, so that its weights start smaller.
_GAIN, _RECURSIVE_GAIN = math.sqrt(2), 0.6


class ResidualRecursiveNetwork(LiftingNetwork):
    """Shape network F and rotation network G (PR-RRN, section 4.1).

    The input's channels are the points and its width the two image axes; features are (C, 2, B). A
    module applies one layer T times, x <- x_0 + ReLU(C x + b), and then halves the channels. The
    decoder mirrors the encoder, with the transposed weights and its own biases.

    Args:
        points: number of points P.
        params: sizes and structure.
        generator: draws the initial weights.
    """

    def __init__(self, points: int, params: PrRrnParams, generator: torch.Generator) -> None:
        super().__init__()

        def draw(rows: int, columns: int, gain: float = _GAIN) -> nn.Parameter:
            bound = gain * math.sqrt(3 / columns)
            return nn.Parameter(bound * (2 * torch.rand(rows, columns, generator=generator) - 1))

        channels = params.channels
        first, last = channels[0], channels[-1]
        self.points = points
        self.residual = params.structure == "residual_recursive"
        self.recursions = params.recursions if self.residual else 1
        self.stem = draw(first, points)
        gain = _RECURSIVE_GAIN if self.residual else _GAIN
        self.recursive = nn.ParameterList(draw(c, c, gain) for c in channels)
        self.halving = nn.ParameterList(draw(low, high) for high, low in pairwise(channels))
        self.middle = draw(last, 2 * last, gain=1.0)
        self.shape_layer = draw(3 * points, first, gain=1.0)
        self.stem_bias = _zeros(first)
        self.recursive_biases = nn.ParameterList(_zeros(c) for c in (*channels, *channels))
        self.halving_biases = nn.ParameterList(_zeros(c) for c in (*channels[1:], *channels[:-1]))
        self.middle_bias, self.shape_bias = _zeros(last), _zeros(3 * points)
        sizes = (2 * points, *params.rotation_channels)
        self.rotation = nn.ParameterList(draw(low, high) for high, low in pairwise(sizes))
        self.rotation_biases = nn.ParameterList(_zeros(size) for size in sizes[1:])
        self.rotation_out = draw(6, sizes[-1], gain=1.0)
        self.rotation_bias = _zeros(6)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return shape (P, 3, B) and camera (3, 2, B) of centred image points (P, 2, B)."""
        return self.decode(self.represent(image)), self.camera(image)

    def represent(self, image: Tensor) -> Tensor:
        """Return the shape representation h (C_n, B), the output of the middle layer."""
        frames, levels = image.shape[2], len(self.recursive)
        feature = _layer(self.stem, image.reshape(self.points, -1), self.stem_bias)
        for level in range(levels):
            feature = self._recur(feature, self.recursive[level], self.recursive_biases[level])
            if level + 1 < levels:
                feature = _layer(self.halving[level], feature, self.halving_biases[level])
        feature = feature.view(-1, frames)
        return matrix_product(self.middle, feature) + self.middle_bias

    def decode(self, code: Tensor) -> Tensor:
        """Return the shape (P, 3, B) of representations (C_n, B)."""
        levels, feature = len(self.recursive), code
        for level in reversed(range(levels)):
            bias = self.recursive_biases[levels + level]
            feature = self._recur(feature, self.recursive[level].t(), bias)
            if level:
                bias = self.halving_biases[levels + level - 2]
                feature = _layer(self.halving[level - 1].t(), feature, bias)
        points = matrix_product(self.shape_layer, feature) + self.shape_bias
        return points.view(self.points, 3, -1)

    def camera(self, image: Tensor) -> Tensor:
        """Return the camera's two columns (3, 2, B) (eqs. 5, 6)."""
        feature = image.reshape(2 * self.points, -1)
        for weights, bias in zip(self.rotation, self.rotation_biases, strict=True):
            feature = _layer(weights, feature, bias)
        matrix = matrix_product(self.rotation_out, feature) + self.rotation_bias
        return polar_factor(matrix.view(3, 2, -1))

    def _recur(self, feature: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        start = feature
        for _ in range(self.recursions):
            update = _layer(weights, feature, bias)
            feature = start + update if self.residual else update
        return feature


def _layer(weights: Tensor, feature: Tensor, bias: Tensor) -> Tensor:
    return torch.relu(matrix_product(weights, feature) + bias)


def _zeros(size: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(size, 1))
