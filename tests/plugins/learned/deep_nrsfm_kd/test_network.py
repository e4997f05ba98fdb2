"""The camera network and the code network of KD's teacher against closed forms."""

from __future__ import annotations

import pytest
import torch
from tests.plugins.learned.conftest import draw, seeded
from torch import Tensor

from liftbench_plugins.learned.deep_nrsfm import Nonlinearity
from liftbench_plugins.learned.deep_nrsfm_kd.network import CameraFirstNetwork
from liftbench_plugins.learned.rotations import full_rotation, random_cameras, rotate

SIZES = (12, 8, 4)
POINTS, FRAMES = 7, 5


def make_network(nonlinearity: Nonlinearity = "bst") -> CameraFirstNetwork:
    network = CameraFirstNetwork(POINTS, SIZES, nonlinearity, 3.0, seeded()).double()
    with torch.no_grad():
        for parameter in (*network.thresholds, *network.biases, *network.code_thresholds):
            parameter.uniform_(-0.1, 0.1, generator=seeded(3))
    return network


def make_images() -> Tensor:
    images = draw(POINTS, 2, FRAMES, seed=1)
    return images - images.mean(dim=0, keepdim=True)


def rotated_dictionary(network: CameraFirstNetwork, rotation: Tensor) -> Tensor:
    """Return B (3P, K), point after point, of a rotation (3, 3) (eq. 6)."""
    atoms = network.first.view(-1, 3, POINTS)
    return torch.einsum("kip,ij->pjk", atoms, rotation).flatten(0, 1)


@pytest.mark.parametrize("nonlinearity", ["bst", "relu"])
def test_codes_are_those_of_an_encoder_over_the_rotated_dictionary(
    nonlinearity: Nonlinearity,
) -> None:
    network, images = make_network(nonlinearity), make_images()
    codes, cameras = network.factorise(images)
    for frame in range(FRAMES):
        rotation = full_rotation(cameras)[..., frame]
        flat = rotated_dictionary(network, rotation).view(POINTS, 3, -1)[:, :2].flatten(0, 1)
        code = torch.relu(flat.T @ images[..., frame].flatten() - network.code_thresholds[0])
        for dictionary, threshold in zip(network.deeper, network.code_thresholds[1:], strict=True):
            code = torch.relu(dictionary @ code - threshold)
        for dictionary, bias in [*zip(network.deeper, network.biases, strict=True)][::-1]:
            code = torch.relu(dictionary.T @ code + bias)
        torch.testing.assert_close(codes[:, frame], code)


def test_a_rotated_dictionary_gives_the_rotated_shape() -> None:
    network = make_network()
    codes, cameras = network.factorise(make_images())
    rotations = full_rotation(cameras)
    turned = rotate(network.shape_of(codes), rotations)
    for frame in range(FRAMES):
        points = rotated_dictionary(network, rotations[..., frame]) @ codes[:, frame]
        torch.testing.assert_close(points.view(POINTS, 3), turned[..., frame])


def test_the_camera_is_found_without_the_code_network() -> None:
    network, images = make_network(), make_images()
    _, cameras = network.factorise(images)
    torch.testing.assert_close(network.camera(network.encode(images)), cameras)
    with torch.no_grad():
        for parameter in (*network.code_thresholds, *network.biases):
            parameter.add_(0.5)
    codes, same = network.factorise(images)
    torch.testing.assert_close(same, cameras)
    assert not torch.allclose(codes, make_network().factorise(images)[0])


def test_exact_codes_of_an_orthonormal_dictionary_are_recovered_under_their_cameras() -> None:
    """Each atom has its own point, so that B_xy^T B_xy is a multiple of the identity.

    The deeper dictionaries are identities, whose encoder and decoder keep a code that is not
    negative.
    """
    atoms = 5
    network = CameraFirstNetwork(atoms, (atoms, atoms), "bst", 3.0, seeded()).double()
    cameras = random_cameras(2, draw(FRAMES), seeded(2))
    # An atom along the first axis is seen at the length of that row of the camera.
    with torch.no_grad():
        network.first.zero_()
        network.first[:, :atoms] = torch.eye(atoms, dtype=torch.float64)
        network.deeper[0].copy_(torch.eye(atoms))
    codes = draw(atoms, FRAMES, seed=4).abs()
    images = rotate(network.shape_of(codes), cameras)
    length = cameras[0].square().sum(dim=0)
    found = network.code_given(network.products(images), cameras)
    torch.testing.assert_close(found, length * codes)


def test_codes_are_at_least_zero_and_frames_do_not_mix() -> None:
    network, images = make_network(), make_images()
    codes, cameras = network.factorise(images)
    assert codes.min() >= 0
    assert 0 < (codes > 0).double().mean() < 1
    for frame in range(FRAMES):
        alone, camera = network.factorise(images[..., frame, None].contiguous())
        torch.testing.assert_close(alone[:, 0], codes[:, frame])
        torch.testing.assert_close(camera[..., 0], cameras[..., frame])


def test_turning_the_image_turns_the_camera_and_keeps_the_code() -> None:
    network, images = make_network(), make_images()
    angle = torch.tensor(0.7, dtype=torch.float64)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).view(2, 2)
    codes, cameras = network.factorise(images)
    turned, turned_cameras = network.factorise(torch.einsum("pib,ij->pjb", images, turn))
    torch.testing.assert_close(turned, codes)
    torch.testing.assert_close(turned_cameras, torch.einsum("kib,ij->kjb", cameras, turn))


def test_gradients_of_codes_and_cameras_are_right() -> None:
    network, images = make_network(), make_images()
    parameters = dict(network.named_parameters())

    def factorise(first: Tensor, deeper: Tensor, threshold: Tensor) -> tuple[Tensor, ...]:
        changed = {
            **parameters,
            "first": first,
            "deeper.0": deeper,
            "code_thresholds.1": threshold,
        }
        shape, camera = torch.func.functional_call(network, changed, (images,))
        return shape, camera

    inputs = tuple(parameters[name].detach() for name in ("first", "deeper.0", "code_thresholds.1"))
    assert torch.autograd.gradcheck(factorise, tuple(part.requires_grad_() for part in inputs))
