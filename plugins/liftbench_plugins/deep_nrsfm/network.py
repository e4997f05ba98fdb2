"""The hierarchical block-sparse coding network of Deep NRSfM and Deep NRSfM++.

Tensors keep the frames last. A block code of K atoms is (K, 3, 2, B): one 3x2 block an atom
and frame. In this layout every level is one matrix product without a permutation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function

from liftbench_plugins.deep_nrsfm import CodeReading, Nonlinearity
from liftbench_plugins.matrix_product import matrix_product

# Keeps norms and the polar factor differentiable at zero; far below the square of any code.
_EPSILON = 1e-12
_SMALLEST_NORM = 1e-6


class BlockSparseNetwork(nn.Module):
    """Encoder and decoder that share the dictionaries D_1 .. D_L (Deep NRSfM++, section 4).

    Args:
        points: number of points P.
        sizes: dictionary sizes K_1 .. K_L.
        nonlinearity: `bst`, block soft thresholding (eq. 22), or `relu` with a bias an atom as
            in Deep NRSfM, where the encoder's codes are nonnegative.
        code: how the bottleneck blocks Psi_L become the code phi_L: `linear`, a learned linear
            map of all their entries (Kong and Lucey), or `projection`, the least-squares
            solution of Psi_L = phi_L (x) R for the camera R that was found first.
        generator: draws the initial weights.
    """

    def __init__(
        self,
        points: int,
        sizes: Sequence[int],
        nonlinearity: Nonlinearity,
        code: CodeReading,
        generator: torch.Generator,
    ) -> None:
        super().__init__()

        def drawn(*shape: int, fan_in: int, gain: float) -> nn.Parameter:
            bound = math.sqrt(gain / fan_in)
            return nn.Parameter(bound * (2 * torch.rand(*shape, generator=generator) - 1))

        # ReLU halves the energy of a signal, which He's gain of 6 makes up for; BST does not.
        gain = 6.0 if nonlinearity == "relu" else 1.0
        first, last = sizes[0], sizes[-1]
        self.points, self.sizes = points, tuple(sizes)
        self.nonlinearity, self.code = nonlinearity, code
        self.first = drawn(first, 3, points, fan_in=points, gain=gain)
        self.deeper = nn.ParameterList(
            drawn(k, below, fan_in=below, gain=gain) for below, k in pairwise(sizes)
        )
        self.thresholds = nn.ParameterList(nn.Parameter(torch.zeros(k)) for k in sizes)
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(k)) for k in sizes[:-1])
        self.camera_weights = drawn(1, last, fan_in=last, gain=1.0)
        if code == "linear":
            self.code_weights = drawn(last, 6 * last, fan_in=6 * last, gain=1.0)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Lift centred orthographic points (P, 2, B).

        Returns:
            The canonical shape (P, 3, B) and the camera's first two columns R_xy (3, 2, B), with
            image = shape^T R_xy for every frame.
        """
        blocks = self.encode(image)
        camera = self.camera(blocks)
        return self.decode(self.bottleneck(blocks, camera)), camera

    def encode(self, image: Tensor) -> Tensor:
        """Return the bottleneck blocks Psi_L (K_L, 3, 2, B) of image points (eq. 24)."""
        frames = image.shape[2]
        blocks = matrix_product(self.first.view(-1, self.points), image.reshape(self.points, -1))
        blocks = self._shrink(blocks.view(-1, 6, frames), 0)
        for level, dictionary in enumerate(self.deeper, start=1):
            blocks = matrix_product(dictionary, blocks.view(self.sizes[level - 1], -1))
            blocks = self._shrink(blocks.view(-1, 6, frames), level)
        return blocks.view(-1, 3, 2, frames)

    def camera(self, blocks: Tensor) -> Tensor:
        """Return R_xy (3, 2, B), the polar factor of a learned combination of the blocks."""
        frames = blocks.shape[3]
        mixed = self.camera_weights @ blocks.view(self.sizes[-1], -1)
        return polar_factor(mixed.view(3, 2, frames))

    def bottleneck(self, blocks: Tensor, camera: Tensor) -> Tensor:
        """Return the code phi_L (K_L, B) of the blocks."""
        if self.code == "linear":
            return self.code_weights @ blocks.view(6 * self.sizes[-1], -1)
        return 0.5 * (blocks * camera).sum(dim=(1, 2))

    def decode(self, code: Tensor) -> Tensor:
        """Return the canonical shape (P, 3, B) of codes phi_L (K_L, B) (eq. 25)."""
        for dictionary, bias in zip(reversed(self.deeper), reversed(self.biases), strict=True):
            code = torch.relu(matrix_product(dictionary.t(), code) + bias[:, None])
        atoms = self.first.permute(2, 1, 0).reshape(3 * self.points, -1)
        return matrix_product(atoms, code).view(self.points, 3, -1)

    def _shrink(self, blocks: Tensor, level: int) -> Tensor:
        """Apply the nonlinearity of a level to blocks (K, 6, B)."""
        threshold = self.thresholds[level][:, None]
        if self.nonlinearity == "bst":
            return block_soft_threshold(blocks, threshold)
        return torch.relu(blocks - threshold[:, None])


def block_soft_threshold(blocks: Tensor, threshold: Tensor) -> Tensor:
    """Return (1 - lambda / ‖Pi‖_F)^+ Pi for every block (Deep NRSfM++, eq. 22).

    Args:
        blocks: (K, N, B), N entries a block.
        threshold: lambda, (K, 1).
    """
    shrunk: Tensor = _BlockSoftThreshold.apply(blocks, threshold)  # type: ignore[no-untyped-call]
    return shrunk


class _BlockSoftThreshold(Function):
    """Written out because the blocks are large: half the passes over memory of autograd's way."""

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


def polar_factor(matrix: Tensor) -> Tensor:
    """Return the (3, 2, B) matrices with orthonormal columns that are nearest to `matrix`.

    Equals U V^T of the singular value decomposition, in closed form: A (A^T A)^(-1/2) with the
    square root of a symmetric 2x2 matrix. Its gradient stays finite where singular values meet.
    """
    one, two = matrix.unbind(dim=1)
    a, d, b = one.square().sum(0), two.square().sum(0), (one * two).sum(0)
    root = (a * d - b.square()).clamp_min(_EPSILON**2).sqrt()
    scale = (a + d + 2 * root).clamp_min(_EPSILON).sqrt()
    a, d = a + root, d + root
    factor = scale / (a * d - b.square()).clamp_min(_EPSILON**2)
    return torch.stack([(one * d - two * b) * factor, (two * a - one * b) * factor], dim=1)


def full_rotation(camera: Tensor) -> Tensor:
    """Return the rotation (3, 3, B) whose first two columns are `camera` (3, 2, B)."""
    one, two = camera.unbind(dim=1)
    return torch.stack([one, two, torch.linalg.cross(one, two, dim=0)], dim=1)


def reprojection_loss(image: Tensor, shape: Tensor, camera: Tensor) -> Tensor:
    """Return the mean over frames of ‖W - S R_xy‖_F / ‖W‖_F (Deep NRSfM++, eq. 17, relative).

    Args:
        image: W, (P, 2, B).
        shape: S, (P, 3, B).
        camera: R_xy, (3, 2, B).
    """
    error = image - (shape[:, :, None] * camera).sum(dim=1)
    return (norms(error) / norms(image)).mean()


@torch.no_grad()
def inconsistency(network: BlockSparseNetwork, image: Tensor) -> float:
    """Return how much reconstructed shapes change when they are seen from elsewhere and lifted.

    The mean over frames of ‖S' - S‖_F / ‖S‖_F, where S' is the shape that the network sees in
    an image of its own shape S under a uniformly random rotation (PR-RRN, section 4.3).

    Args:
        network: to be judged.
        image: (P, 2, B); a thousand frames of them are enough.
    """
    generator = torch.Generator().manual_seed(0)
    frames = torch.randperm(image.shape[2], generator=generator)[:1000].to(image.device)
    shape, _ = network(image.index_select(2, frames))
    shape = shape - shape.mean(dim=0, keepdim=True)
    drawn = torch.randn(3, 2, len(frames), generator=generator).to(image)
    again, _ = network((shape[:, :, None] * polar_factor(drawn)).sum(dim=1))
    return float((norms(again - shape) / norms(shape)).mean())


def norms(points: Tensor) -> Tensor:
    """Return the Frobenius norm (B,) of each frame of (P, D, B)."""
    return (points.square().sum(dim=(0, 1)) + _EPSILON).sqrt()
