"""The hierarchical block-sparse coding network of Deep NRSfM and Deep NRSfM++.

The frames are the last axis of tensors. A block code of K atoms is (K, 3, a, B): one 3xa block per
atom and frame, a = 2 for an orthographic camera and 3 for a perspective one. In this layout every
level is one matrix product without a permutation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function

from liftbench_plugins.learned.deep_nrsfm import CodeReading, Nonlinearity
from liftbench_plugins.learned.lifting import LiftingNetwork
from liftbench_plugins.learned.matrix_product import matrix_product
from liftbench_plugins.learned.rotations import nearest_rotation, polar_factor

# Keeps a dead block differentiable; far below any code.
_SMALLEST_NORM = 1e-6


class BlockSparseNetwork(LiftingNetwork):
    """An encoder and a decoder that share the dictionaries D_1 .. D_L (Deep NRSfM++, section 4).

    Args:
        points: number of points P.
        columns: a, the columns of a block: 2 (orthographic) or 3 (perspective).
        sizes: dictionary sizes K_1 .. K_L.
        nonlinearity: `bst`, block soft thresholding (eq. 22), or `relu` with one bias per atom as
            in Deep NRSfM, where the encoder's codes are nonnegative.
        code: how the bottleneck blocks Psi_L become the code phi_L: `linear`, a learned linear
            map of all their entries (Kong and Lucey), or `projection`, the least-squares
            solution of Psi_L = phi_L (x) R for the camera R that was found first.
        gain: the initial weights are uniform with the variance gain / (3 fan-in).
        generator: draws the weights.
    """

    def __init__(
        self,
        points: int,
        columns: int,
        sizes: Sequence[int],
        nonlinearity: Nonlinearity,
        code: CodeReading,
        gain: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()

        def draw(*shape: int, fan_in: int, gain: float) -> nn.Parameter:
            bound = math.sqrt(gain / fan_in)
            return nn.Parameter(bound * (2 * torch.rand(*shape, generator=generator) - 1))

        first, last = sizes[0], sizes[-1]
        self.points, self.columns, self.sizes = points, columns, tuple(sizes)
        self.nonlinearity, self.code = nonlinearity, code
        # D_1: one row per atom, its shape, with one coordinate of all points after the other.
        self.first = draw(first, 3 * points, fan_in=points, gain=gain)
        self.deeper = nn.ParameterList(
            draw(k, below, fan_in=below, gain=gain) for below, k in pairwise(sizes)
        )
        self.thresholds = nn.ParameterList(nn.Parameter(torch.zeros(k)) for k in sizes)
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(k)) for k in sizes[:-1])
        self.camera_weights = draw(1, last, fan_in=last, gain=1.0)
        if code == "linear":
            entries = 3 * columns * last
            self.code_weights = draw(last, entries, fan_in=entries, gain=1.0)

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Lift the columns (P, a, B) of normalised views.

        Returns:
            The canonical shape S (P, 3, B) and the first a columns of the rotation (3, a, B),
            which turns the rows of S into the camera's frame.
        """
        blocks = self.encode(views)
        camera = self.camera(blocks)
        return self.decode(self.bottleneck(blocks, camera)), camera

    def encode(self, views: Tensor) -> Tensor:
        """Return the bottleneck blocks Psi_L (K_L, 3, a, B) of columns (P, a, B) (eq. 24)."""
        return self.encode_products(self.products(views))

    def products(self, views: Tensor) -> Tensor:
        """Return D_1^T times columns (P, a, B): a 3xa block for each atom (K_1, 3a, B)."""
        product = matrix_product(self.first.view(-1, self.points), views.reshape(self.points, -1))
        return product.view(-1, 3 * self.columns, views.shape[2])

    def encode_products(self, products: Tensor) -> Tensor:
        """Return the bottleneck blocks Psi_L (K_L, 3, a, B) of `products` (K_1, 3a, B)."""
        frames, entries = products.shape[2], 3 * self.columns
        blocks = self._shrink(products, 0)
        for level, dictionary in enumerate(self.deeper, start=1):
            blocks = matrix_product(dictionary, blocks.view(self.sizes[level - 1], -1))
            blocks = self._shrink(blocks.view(-1, entries, frames), level)
        return blocks.view(-1, 3, self.columns, frames)

    def camera(self, blocks: Tensor) -> Tensor:
        """Return the rotation columns (3, a, B) nearest to a learned combination of the blocks."""
        mixed = self.camera_weights @ blocks.view(self.sizes[-1], -1)
        mixed = mixed.view(3, self.columns, -1)
        return polar_factor(mixed) if self.columns == 2 else nearest_rotation(mixed)

    def bottleneck(self, blocks: Tensor, camera: Tensor) -> Tensor:
        """Return the code phi_L (K_L, B) of the blocks."""
        if self.code == "linear":
            return self.code_weights @ blocks.view(self.code_weights.shape[1], -1)
        return (blocks * camera).sum(dim=(1, 2)) / self.columns

    def decode(self, code: Tensor) -> Tensor:
        """Return the canonical shape (P, 3, B) of codes phi_L (K_L, B) (eq. 25)."""
        return self.shape_of(self.expand(code))

    def expand(self, code: Tensor) -> Tensor:
        """Return the codes phi_1 (K_1, B) of codes phi_L (K_L, B)."""
        for dictionary, bias in zip(reversed(self.deeper), reversed(self.biases), strict=True):
            code = torch.relu(matrix_product(dictionary.t(), code) + bias[:, None])
        return code

    def shape_of(self, code: Tensor) -> Tensor:
        """Return the canonical shape D_1 phi_1 (P, 3, B) of codes phi_1 (K_1, B)."""
        shape = matrix_product(self.first.t(), code)
        return shape.view(3, self.points, -1).transpose(0, 1)

    def dictionary(self) -> Tensor:
        """Return D_1 (3P, K_1): point after point, x y z of each."""
        return self.first.detach().view(-1, 3, self.points).permute(2, 1, 0).flatten(0, 1)

    def _shrink(self, blocks: Tensor, level: int) -> Tensor:
        """Apply the nonlinearity of a level to blocks (K, 3a, B)."""
        threshold = self.thresholds[level][:, None]
        if self.nonlinearity == "bst":
            return block_soft_threshold(blocks, threshold)
        return torch.relu(blocks - threshold[:, None])


def block_soft_threshold(blocks: Tensor, threshold: Tensor) -> Tensor:
    """Return (1 - lambda / ‖Pi‖_F)^+ Pi for every block (Deep NRSfM++, eq. 22).

    Args:
        blocks: (K, N, B), N entries a block.
        threshold: lambda of each atom, (K, 1).
    """
    shrunk: Tensor = _BlockSoftThreshold.apply(blocks, threshold)  # type: ignore[no-untyped-call]
    return shrunk


class _BlockSoftThreshold(Function):
    """Has its own gradient, which passes over the large blocks half as often as autograd's."""

    @staticmethod
    def forward(ctx: Any, blocks: Tensor, threshold: Tensor) -> Tensor:  # noqa: ANN401 torch's
        norm = blocks.square().sum(dim=1).sqrt_().clamp_min_(_SMALLEST_NORM)
        factor = torch.relu(1 - threshold / norm)
        ctx.save_for_backward(blocks, threshold, norm, factor)
        return blocks * factor[:, None]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401 torch's
        blocks, threshold, norm, factor = ctx.saved_tensors
        # Where alive, d factor / d norm = lambda / norm^2 and d factor / d lambda = -1 / norm.
        slope = torch.where(factor > 0, (gradient * blocks).sum(dim=1) / norm, 0)
        along = (slope * threshold / norm.square())[:, None]
        for_blocks = (gradient * factor[:, None]).addcmul_(blocks, along)
        return for_blocks, -slope.sum(dim=1, keepdim=True)
