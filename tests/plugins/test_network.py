import numpy as np
import pytest
import torch

from liftbench_plugins.deep_nrsfm.network import (
    BlockSparseNetwork,
    block_soft_threshold,
    full_rotation,
    inconsistency,
    polar_factor,
    reprojection_loss,
)

SIZES = (12, 8, 4)


def make_network(nonlinearity="bst", code="projection", seed=0):
    generator = torch.Generator().manual_seed(seed)
    network = BlockSparseNetwork(7, SIZES, nonlinearity, code, generator).double()
    with torch.no_grad():
        for parameter in (*network.thresholds, *network.biases):
            parameter.uniform_(0.01, 0.1, generator=generator)
    return network


def make_image(frames=5, seed=1):
    generator = torch.Generator().manual_seed(seed)
    image = torch.randn(7, 2, frames, generator=generator, dtype=torch.float64)
    return image - image.mean(dim=0, keepdim=True)


def test_block_soft_threshold_matches_equation_22_block_by_block():
    blocks = torch.randn(4, 6, 3, dtype=torch.float64)
    threshold = torch.tensor([[0.0], [0.5], [2.0], [100.0]], dtype=torch.float64)
    shrunk = block_soft_threshold(blocks, threshold)
    for k in range(4):
        for frame in range(3):
            block = blocks[k, :, frame].numpy()
            factor = max(0.0, 1 - float(threshold[k]) / np.linalg.norm(block))
            np.testing.assert_allclose(shrunk[k, :, frame], factor * block, atol=1e-9)


def test_block_soft_threshold_has_finite_gradient_for_a_dead_block():
    blocks = torch.zeros(2, 6, 3, requires_grad=True)
    block_soft_threshold(blocks, torch.zeros(2, 1)).sum().backward()
    assert torch.isfinite(blocks.grad).all()


def test_block_soft_threshold_gradient_is_right():
    generator = torch.Generator().manual_seed(0)
    blocks = torch.randn(4, 6, 3, dtype=torch.float64, generator=generator)
    threshold = torch.tensor([[0.0], [0.5], [-0.4], [9.0]], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        block_soft_threshold, (blocks.requires_grad_(), threshold.requires_grad_())
    )


def test_polar_factor_equals_that_of_the_svd():
    matrix = torch.randn(3, 2, 50, dtype=torch.float64)
    left, _, right = torch.linalg.svd(matrix.permute(2, 0, 1), full_matrices=False)
    torch.testing.assert_close(polar_factor(matrix).permute(2, 0, 1), left @ right)


def test_polar_factor_gradient_is_right_and_finite_where_singular_values_meet():
    matrix = torch.randn(3, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(polar_factor, (matrix,))
    equal = torch.eye(3, 2, dtype=torch.float64)[:, :, None].clone().requires_grad_()
    polar_factor(equal).square().sum().backward()
    assert torch.isfinite(equal.grad).all()


def test_full_rotation_is_a_rotation():
    rotation = full_rotation(polar_factor(torch.randn(3, 2, 6, dtype=torch.float64)))
    matrices = rotation.permute(2, 0, 1)
    identity = torch.eye(3, dtype=torch.float64).expand(6, 3, 3)
    torch.testing.assert_close(matrices @ matrices.transpose(1, 2), identity)
    torch.testing.assert_close(torch.linalg.det(matrices), torch.ones(6, dtype=torch.float64))


@pytest.mark.parametrize("nonlinearity", ["bst", "relu"])
def test_encoder_matches_equation_24_written_with_kronecker_products(nonlinearity):
    network, image = make_network(nonlinearity), make_image(frames=1)
    blocks = network.first.reshape(-1, 7) @ image[:, :, 0]
    dictionaries = [None, *network.deeper]
    for dictionary, threshold in zip(dictionaries, network.thresholds, strict=True):
        if dictionary is not None:
            blocks = torch.kron(dictionary, torch.eye(3, dtype=torch.float64)) @ blocks
        parts = blocks.view(-1, 3, 2)
        if nonlinearity == "bst":
            norm = torch.linalg.matrix_norm(parts)
            parts = torch.relu(1 - threshold / norm)[:, None, None] * parts
        else:
            parts = torch.relu(parts - threshold[:, None, None])
        blocks = parts.reshape(-1, 2)
    torch.testing.assert_close(network.encode(image)[..., 0].reshape(-1, 2), blocks)


def test_decoder_matches_equation_25():
    network = make_network()
    code = torch.rand(SIZES[-1], 2, dtype=torch.float64)
    layer = code
    for level in (2, 1):
        layer = torch.relu(network.deeper[level - 1].T @ layer + network.biases[level - 1][:, None])
    shape = torch.einsum("kip,kb->pib", network.first, layer)
    torch.testing.assert_close(network.decode(code), shape)


def test_projection_code_is_the_least_squares_code_for_the_camera():
    network, image = make_network(), make_image()
    blocks = network.encode(image)
    camera = network.camera(blocks)
    code = network.bottleneck(blocks, camera)
    for frame in range(image.shape[2]):
        system = camera[:, :, frame].reshape(6, 1)
        target = blocks[..., frame].reshape(-1, 6).T
        solution = torch.linalg.lstsq(system, target).solution[0]
        torch.testing.assert_close(code[:, frame], solution)


def test_turning_the_image_turns_the_camera_and_keeps_the_shape():
    network, image = make_network("bst", "projection"), make_image()
    angle = torch.tensor(0.7, dtype=torch.float64)
    turn = torch.stack(
        [torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])]
    )
    shape, camera = network(image)
    turned_shape, turned_camera = network(torch.einsum("pib,ij->pjb", image, turn).contiguous())
    torch.testing.assert_close(turned_shape, shape)
    torch.testing.assert_close(turned_camera, torch.einsum("kib,ij->kjb", camera, turn))


def test_permuting_points_permutes_the_shape():
    network, image = make_network(), make_image()
    shape, camera = network(image)
    order = torch.tensor([3, 1, 0, 6, 5, 2, 4])
    with torch.no_grad():
        network.first.copy_(network.first[:, :, order].clone())
    permuted, same_camera = network(image[order].contiguous())
    torch.testing.assert_close(permuted, shape[order])
    torch.testing.assert_close(same_camera, camera)


@pytest.mark.parametrize("code", ["linear", "projection"])
@pytest.mark.parametrize("nonlinearity", ["bst", "relu"])
def test_frames_do_not_mix(nonlinearity, code):
    network, image = make_network(nonlinearity, code), make_image()
    shape, camera = network(image)
    alone, alone_camera = network(image[:, :, 2:3].contiguous())
    torch.testing.assert_close(alone[..., 0], shape[..., 2])
    torch.testing.assert_close(alone_camera[..., 0], camera[..., 2])


def test_inconsistency_is_zero_for_what_sees_the_same_shape_in_every_view():
    shape = torch.randn(7, 3, 1, dtype=torch.float64)
    shape = shape - shape.mean(dim=0, keepdim=True)

    class Rigid:
        def __call__(self, image):
            return shape.expand(7, 3, image.shape[2]), None

    class Flat:
        def __call__(self, image):
            return torch.cat([image, torch.zeros_like(image[:, :1])], dim=1), None

    image = torch.randn(7, 2, 20, dtype=torch.float64)
    assert inconsistency(Rigid(), image) == pytest.approx(0, abs=1e-6)
    assert inconsistency(Flat(), image) > 0.3


def test_reprojection_loss_is_the_mean_relative_norm():
    image, shape = make_image(), torch.randn(7, 3, 5, dtype=torch.float64)
    camera = polar_factor(torch.randn(3, 2, 5, dtype=torch.float64))
    ratios = [
        np.linalg.norm(image[..., f] - shape[..., f] @ camera[..., f])
        / np.linalg.norm(image[..., f])
        for f in range(5)
    ]
    assert float(reprojection_loss(image, shape, camera)) == pytest.approx(np.mean(ratios))
