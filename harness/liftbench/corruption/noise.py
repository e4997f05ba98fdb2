"""Gaussian noise on the 2D points, in pixels or relative to the extent of the points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from liftbench.corruption.spec import CorruptionParams, CorruptionSpec
from liftbench.types import Floats, Observations


@dataclass(frozen=True, kw_only=True)
class NoiseParams(CorruptionParams):
    """Parameters of `noise`.

    Attributes:
        pixels: standard deviation of each coordinate, in pixels.
    """

    pixels: float

    def __post_init__(self) -> None:
        if self.pixels < 0:
            raise ValueError(f"pixels: expected at least 0, got {self.pixels}")


@dataclass(frozen=True, kw_only=True)
class NoiseRatioParams(CorruptionParams):
    """Parameters of `noise_ratio`.

    Attributes:
        ratio: Frobenius norm of the noise divided by that of the centred points of the split.
    """

    ratio: float

    def __post_init__(self) -> None:
        if self.ratio < 0:
            raise ValueError(f"ratio: expected at least 0, got {self.ratio}")


def add_pixels(
    observations: Observations, params: NoiseParams, rng: np.random.Generator
) -> Observations:
    """Move each visible point by normal noise of `pixels` along x and along y."""
    if observations.pixel is None:
        raise ValueError("the data does not say how large a pixel is; use 'noise_ratio'")
    noise = rng.standard_normal(observations.points_2d.shape)
    return _add_noise(observations, params.pixels * observations.pixel[:, None, None] * noise)


def add_ratio(
    observations: Observations, params: NoiseRatioParams, rng: np.random.Generator
) -> Observations:
    """Move the visible points by normal noise N with ‖N‖_F = ratio · ‖W‖_F (PR-RRN, section 5.3).

    W holds the visible points of the split, minus their mean in each frame.
    """
    visible = observations.visible[..., None]
    noise = np.where(visible, rng.standard_normal(observations.points_2d.shape), 0)
    points = np.where(visible, observations.points_2d, 0)
    shown = np.maximum(visible.sum(axis=1, keepdims=True), 1)
    centred = np.where(visible, points - points.sum(axis=1, keepdims=True) / shown, 0)
    scale = params.ratio * np.linalg.norm(centred) / max(np.linalg.norm(noise), np.spacing(1))
    return _add_noise(observations, scale * noise)


def _add_noise(observations: Observations, noise: Floats) -> Observations:
    return replace(observations, points_2d=observations.points_2d + noise)  # NaN stays NaN


NOISE = CorruptionSpec(
    "noise", "Noise on the 2D points", NoiseParams, add_pixels, severity="pixels", unit="px"
)
NOISE_RATIO = CorruptionSpec(
    "noise_ratio",
    "Noise on the 2D points, relative to their extent",
    NoiseRatioParams,
    add_ratio,
    severity="ratio",
    unit="‖noise‖/‖W‖",
)
