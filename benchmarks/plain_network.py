"""Deep NRSfM++ in plain PyTorch layers: frames first, transposed convolutions, SVD.

`train_step.py` and its test compare the fast network with this one; both have the same weights.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from liftbench_plugins.learned.deep_nrsfm.network import BlockSparseNetwork


def plain_loss(network: BlockSparseNetwork, image: Tensor) -> Tensor:
    """Return the relative reprojection loss of image points (B, P, 2)."""
    blocks = _encode(network, image)
    camera = _camera(network, blocks)
    code = 0.5 * (blocks * camera[:, None]).sum(dim=(2, 3))
    error = torch.linalg.matrix_norm(image - _decode(network, code) @ camera)
    loss: Tensor = (error / torch.linalg.matrix_norm(image)).mean()
    return loss


def _encode(network: BlockSparseNetwork, image: Tensor) -> Tensor:
    """Return the bottleneck blocks (B, K_L, 3, 2)."""
    first = _atoms(network).permute(2, 0, 1)[..., None]
    blocks = functional.conv_transpose2d(image[:, :, None], first)
    blocks = _shrink(blocks, network.thresholds[0])
    for dictionary, threshold in zip(network.deeper, list(network.thresholds)[1:], strict=True):
        blocks = functional.conv_transpose2d(blocks, dictionary.t()[:, :, None, None])
        blocks = _shrink(blocks, threshold)
    return blocks


def _shrink(blocks: Tensor, threshold: Tensor) -> Tensor:
    norm = torch.linalg.matrix_norm(blocks)
    return torch.relu(1 - threshold / norm)[..., None, None] * blocks


def _camera(network: BlockSparseNetwork, blocks: Tensor) -> Tensor:
    """Return the cameras (B, 3, 2)."""
    mixed = functional.conv2d(blocks, network.camera_weights[..., None, None])
    left, _, right = torch.linalg.svd(mixed[:, 0], full_matrices=False)
    camera: Tensor = left @ right
    return camera


def _decode(network: BlockSparseNetwork, code: Tensor) -> Tensor:
    """Return the shapes (B, P, 3)."""
    layer = code[:, :, None, None]
    for dictionary, bias in zip(reversed(network.deeper), reversed(network.biases), strict=True):
        layer = torch.relu(functional.conv2d(layer, dictionary.t()[:, :, None, None], bias))
    atoms = _atoms(network).permute(2, 1, 0).reshape(3 * network.points, -1)
    return functional.conv2d(layer, atoms[:, :, None, None]).view(len(code), network.points, 3)


def _atoms(network: BlockSparseNetwork) -> Tensor:
    """Return the first dictionary as (K, 3, P)."""
    return network.first.view(-1, 3, network.points)
