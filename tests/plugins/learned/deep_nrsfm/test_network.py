from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from tests.conftest import not_none
from tests.plugins.learned.conftest import backward, seeded
from torch import Tensor

from liftbench.types import Floats
from liftbench_plugins.learned.deep_nrsfm import CodeReading, Nonlinearity
from liftbench_plugins.learned.deep_nrsfm.network import BlockSparseNetwork, block_soft_threshold

SIZES = (12, 8, 4)
both_cameras = pytest.mark.parametrize("columns", [2, 3])


def make_network(
    nonlinearity: Nonlinearity = "bst",
    code: CodeReading = "projection",
    columns: int = 2,
    seed: int = 0,
) -> BlockSparseNetwork:
    generator = seeded(seed)
    network = BlockSparseNetwork(7, columns, SIZES, nonlinearity, code, 1.0, generator).double()
    with torch.no_grad():
        for parameter in (*network.thresholds, *network.biases):
            parameter.uniform_(0.01, 0.1, generator=generator)
    return network


def make_columns(columns: int = 2, frames: int = 5, seed: int = 1) -> Tensor:
    generator = seeded(seed)
    image = torch.randn(7, columns, frames, generator=generator, dtype=torch.float64)
    return image - image.mean(dim=0, keepdim=True)


def test_block_soft_threshold_matches_equation_22_block_by_block() -> None:
    blocks = torch.randn(4, 6, 3, dtype=torch.float64)
    threshold = torch.tensor([[0.0], [0.5], [2.0], [100.0]], dtype=torch.float64)
    shrunk = block_soft_threshold(blocks, threshold)
    for k in range(4):
        for frame in range(3):
            block = blocks[k, :, frame].numpy()
            factor = max(0.0, 1 - float(threshold[k]) / np.linalg.norm(block))
            np.testing.assert_allclose(shrunk[k, :, frame], factor * block, atol=1e-9)


@both_cameras
@pytest.mark.parametrize("threshold", [0.0, 0.3, 1.5, 10.0])
def test_block_soft_threshold_is_the_proximal_operator_of_the_block_norm(
    columns: int, threshold: float
) -> None:
    blocks = make_columns(3 * columns, frames=3)[:2]
    shrunk = block_soft_threshold(blocks, torch.full((2, 1), threshold, dtype=torch.float64))
    for k in range(2):
        for frame in range(3):
            target = blocks[k, :, frame].numpy()

            def objective(x: Floats, target: Floats = target) -> float:
                distance = 0.5 * ((x - target) ** 2).sum()
                # Smoothed at zero, where searches get stuck.
                return float(distance + threshold * np.sqrt((x**2).sum() + 1e-14))

            found = minimize(objective, 0.5 * target, method="BFGS", options={"gtol": 1e-8}).x
            np.testing.assert_allclose(shrunk[k, :, frame], found, atol=2e-5)


def test_block_soft_threshold_has_finite_gradient_for_a_dead_block() -> None:
    blocks = torch.zeros(2, 6, 3, requires_grad=True)
    backward(block_soft_threshold(blocks, torch.zeros(2, 1)).sum())
    assert torch.isfinite(not_none(blocks.grad)).all()


def test_block_soft_threshold_gradient_is_right() -> None:
    generator = seeded(0)
    blocks = torch.randn(4, 6, 3, dtype=torch.float64, generator=generator)
    threshold = torch.tensor([[0.0], [0.5], [-0.4], [9.0]], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        block_soft_threshold, (blocks.requires_grad_(), threshold.requires_grad_())
    )


@both_cameras
@pytest.mark.parametrize("nonlinearity", ["bst", "relu"])
def test_encoder_matches_equation_24_written_with_kronecker_products(
    nonlinearity: Nonlinearity, columns: int
) -> None:
    network, image = make_network(nonlinearity, columns=columns), make_columns(columns, frames=1)
    blocks = network.first.reshape(-1, 7) @ image[:, :, 0]
    dictionaries = [None, *network.deeper]
    for dictionary, threshold in zip(dictionaries, network.thresholds, strict=True):
        if dictionary is not None:
            blocks = torch.kron(dictionary, torch.eye(3, dtype=torch.float64)) @ blocks
        parts = blocks.view(-1, 3, columns)
        if nonlinearity == "bst":
            norm = torch.linalg.matrix_norm(parts)
            parts = torch.relu(1 - threshold / norm)[:, None, None] * parts
        else:
            parts = torch.relu(parts - threshold[:, None, None])
        blocks = parts.reshape(-1, columns)
    torch.testing.assert_close(network.encode(image)[..., 0].reshape(-1, columns), blocks)


def test_decoder_matches_equation_25() -> None:
    network = make_network()
    code = torch.rand(SIZES[-1], 2, dtype=torch.float64)
    layer = code
    for level in (2, 1):
        layer = torch.relu(network.deeper[level - 1].T @ layer + network.biases[level - 1][:, None])
    shape = torch.einsum("kip,kb->pib", network.first.view(-1, 3, 7), layer)
    torch.testing.assert_close(network.decode(code), shape)


@both_cameras
def test_projection_code_is_the_least_squares_code_for_the_camera(columns: int) -> None:
    network, image = make_network(columns=columns), make_columns(columns)
    blocks = network.encode(image)
    camera = network.camera(blocks)
    code = network.bottleneck(blocks, camera)
    for frame in range(image.shape[2]):
        system = camera[:, :, frame].reshape(-1, 1)
        target = blocks[..., frame].reshape(len(blocks), -1).T
        solution = torch.linalg.lstsq(system, target).solution[0]
        torch.testing.assert_close(code[:, frame], solution)


@both_cameras
def test_linear_code_is_linear_in_all_entries_of_the_blocks(columns: int) -> None:
    network = make_network(code="linear", columns=columns)
    blocks = network.encode(make_columns(columns))
    camera = network.camera(blocks)
    expected = [network.code_weights @ blocks[..., f].reshape(-1) for f in range(5)]
    torch.testing.assert_close(network.bottleneck(blocks, camera), torch.stack(expected, dim=1))
    torch.testing.assert_close(network.bottleneck(blocks, -camera), torch.stack(expected, dim=1))


@both_cameras
def test_camera_is_the_nearest_rotation_to_a_combination_of_the_blocks(columns: int) -> None:
    network = make_network(columns=columns)
    blocks = network.encode(make_columns(columns))
    camera = network.camera(blocks)
    for frame in range(5):
        mixed = torch.einsum("k,kia->ia", network.camera_weights[0], blocks[..., frame])
        left, _, right = torch.linalg.svd(mixed, full_matrices=False)
        if columns == 3:
            left = left * left.new_tensor([1, 1, torch.linalg.det(left @ right).sign().item()])
        torch.testing.assert_close(camera[..., frame], left @ right)


@both_cameras
def test_turning_the_image_turns_the_camera_and_keeps_the_shape(columns: int) -> None:
    """The third column of a perspective view, -(u W~_u + v W~_v), stays."""
    network, image = make_network(columns=columns), make_columns(columns)
    angle = torch.tensor(0.7, dtype=torch.float64)
    turn = torch.eye(columns, dtype=torch.float64)
    turn[:2, :2] = torch.stack(
        [torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])]
    )
    shape, camera = network(image)
    turned_shape, turned_camera = network(torch.einsum("pib,ij->pjb", image, turn).contiguous())
    torch.testing.assert_close(turned_shape, shape)
    torch.testing.assert_close(turned_camera, torch.einsum("kib,ij->kjb", camera, turn))


@both_cameras
def test_permuting_points_permutes_the_shape(columns: int) -> None:
    network, image = make_network(columns=columns), make_columns(columns)
    shape, camera = network(image)
    order = torch.tensor([3, 1, 0, 6, 5, 2, 4])
    with torch.no_grad():
        atoms = network.first.view(-1, 3, 7)
        atoms.copy_(atoms[:, :, order].clone())
    permuted, same_camera = network(image[order].contiguous())
    torch.testing.assert_close(permuted, shape[order])
    torch.testing.assert_close(same_camera, camera)


@both_cameras
@pytest.mark.parametrize("code", ["linear", "projection"])
@pytest.mark.parametrize("nonlinearity", ["bst", "relu"])
def test_frames_do_not_mix(nonlinearity: Nonlinearity, code: CodeReading, columns: int) -> None:
    network, image = make_network(nonlinearity, code, columns), make_columns(columns)
    shape, camera = network(image)
    alone, alone_camera = network(image[:, :, 2:3].contiguous())
    torch.testing.assert_close(alone[..., 0], shape[..., 2])
    torch.testing.assert_close(alone_camera[..., 0], camera[..., 2])
