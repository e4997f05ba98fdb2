from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.plugins.learned.conftest import backward, seeded
from torch import Tensor

from liftbench_plugins.learned.factorisation import NormalisedViews, normalise_views
from liftbench_plugins.learned.pr_rrn import PrRrnParams, regularised
from liftbench_plugins.learned.pr_rrn.network import ResidualRecursiveNetwork
from liftbench_plugins.learned.pr_rrn.regularised import RegularisedNetwork

SMALL = PrRrnParams(channels=(8, 4), rotation_channels=(6,), memory=16, turn_steps=2)


def make_image(frames: int = 5, seed: int = 1) -> Tensor:
    generator = seeded(seed)
    image = torch.randn(7, 2, frames, generator=generator, dtype=torch.float64)
    return image - image.mean(dim=0, keepdim=True)


def make_network(params: PrRrnParams = SMALL, seed: int = 0) -> ResidualRecursiveNetwork:
    generator = seeded(seed)
    network = ResidualRecursiveNetwork(7, params, generator).double()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.shape[-1] == 1:
                parameter.uniform_(-0.2, 0.2, generator=generator)
    return network


def by_hand(
    network: ResidualRecursiveNetwork, image: Tensor, recursions: int, residual: bool
) -> tuple[Tensor, Tensor]:
    """Return code and shape of one frame, module by module, with the biases in their order."""

    def recur(start: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        feature = start
        for _ in range(recursions):
            update = torch.relu(weights @ feature + bias)
            feature = start + update if residual else update
        return feature

    biases = list(network.recursive_biases)
    feature = torch.relu(network.stem @ image + network.stem_bias)
    feature = recur(feature, network.recursive[0], biases[0])
    feature = torch.relu(network.halving[0] @ feature + network.halving_biases[0])
    feature = recur(feature, network.recursive[1], biases[1])
    code = network.middle @ feature.reshape(-1, 1) + network.middle_bias
    feature = recur(code, network.recursive[1].T, biases[3])
    feature = torch.relu(network.halving[0].T @ feature + network.halving_biases[1])
    feature = recur(feature, network.recursive[0].T, biases[2])
    return code[:, 0], (network.shape_layer @ feature + network.shape_bias).view(7, 3)


@pytest.mark.parametrize(
    ("params", "recursions", "residual"),
    [
        (SMALL, 3, True),
        (replace(SMALL, recursions=1), 1, True),
        (replace(SMALL, structure="vanilla"), 1, False),
    ],
)
def test_shape_network_is_the_modules_applied_in_turn(
    params: PrRrnParams, recursions: int, residual: bool
) -> None:
    network, image = make_network(params), make_image(frames=3)
    shape, _ = network(image)
    for frame in range(3):
        code, expected = by_hand(network, image[..., frame], recursions, residual)
        torch.testing.assert_close(network.represent(image)[:, frame], code)
        torch.testing.assert_close(shape[..., frame], expected)


def test_vanilla_has_the_same_weights_as_the_recursive_network() -> None:
    one, two = make_network(), make_network(replace(SMALL, structure="vanilla"))
    count = [sum(p.numel() for p in network.parameters()) for network in (one, two)]
    assert count[0] == count[1]


def test_camera_is_the_nearest_rotation_to_the_output_of_the_layers() -> None:
    network, image = make_network(), make_image()
    camera = network.camera(image)
    for frame in range(image.shape[2]):
        feature = image[..., frame].reshape(-1, 1)
        for weights, bias in zip(network.rotation, network.rotation_biases, strict=True):
            feature = torch.relu(weights @ feature + bias)
        matrix = (network.rotation_out @ feature + network.rotation_bias).view(3, 2)
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        torch.testing.assert_close(camera[..., frame], left @ right)


def test_frames_do_not_mix() -> None:
    network, image = make_network(), make_image()
    shape, camera = network(image)
    alone, alone_camera = network(image[..., 2:3].contiguous())
    torch.testing.assert_close(alone[..., 0], shape[..., 2])
    torch.testing.assert_close(alone_camera[..., 0], camera[..., 2])


def make_regularised(params: PrRrnParams, views: NormalisedViews) -> RegularisedNetwork:
    return RegularisedNetwork(views, params, seeded(0)).double()


def train_losses(params: PrRrnParams, steps: int = 8) -> list[float]:
    views = normalise_views(make_image(frames=12))
    network = make_regularised(params, views)
    draws = seeded(5)
    return [float(network.loss(views, draws).detach()) for _ in range(steps)]


def test_the_losses_alternate_every_turn_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regularised, "NONRIGID_ABOVE", 0.02)
    plain = train_losses(replace(SMALL, contrast=0.0, consistency=0.0))
    full = train_losses(SMALL)
    consist = train_losses(replace(SMALL, contrast=0.0))
    contrast = train_losses(replace(SMALL, consistency=0.0))
    assert full[:2] == consist[:2]
    assert full[4:6] != consist[4:6]  # the draws of steps 2 and 3 were not taken
    # The memory is still empty in step 2, the first in which the contrastive loss has its turn.
    assert full[2] == plain[2]
    assert full[3] > plain[3]
    assert contrast[0] == plain[0]
    assert all(a > b for a, b in zip(contrast[1:], plain[1:], strict=True))


def test_every_weight_learns() -> None:
    views = normalise_views(make_image(frames=12))
    network = make_regularised(SMALL, views)
    backward(network.loss(views, seeded(0)))
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_a_checkpoint_holds_memory_and_schedule() -> None:
    views = normalise_views(make_image(frames=12))
    network, other = make_regularised(SMALL, views), make_regularised(SMALL, views)
    for _ in range(3):
        network.loss(views, seeded(0))
    other.load_state_dict(network.state_dict())
    one, two = (n.loss(views, seeded(1)) for n in (network, other))
    assert float(one.detach()) == float(two.detach())
    assert int(other.steps_taken) == 4


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"channels": ()}, "channels: expected positive whole numbers"),
        (
            {"structure": "none"},
            "structure: expected one of residual_recursive, vanilla, got 'none'",
        ),
        ({"recursions": 0}, "recursions: expected a positive number, got 0"),
        ({"contrast": -1.0}, "contrast: expected 0 or more"),
    ],
)
def test_bad_parameters_are_refused_in_one_line(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PrRrnParams(**params)
