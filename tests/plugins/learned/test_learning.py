"""Learned methods learn depth from image points alone.

One short training may fail on one processor and succeed on another. The tests therefore judge the
median of three seeds, with a wide margin.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from tests.plugins.conftest import (
    before_a_camera,
    fit_method,
    mean_e3d,
    observe,
    random_mask,
    rigid_views,
)

from liftbench import Observations
from liftbench.cameras import subtract_mean
from liftbench.types import Camera, Floats, Reconstruction

pytestmark = pytest.mark.slow

SHORT: dict[str, Any] = {
    "sizes": (32, 16, 4),
    "starts": 2,
    "start_steps": 60,
    "steps": 300,
    "batch_size": 64,
}
SHORT_RRN: dict[str, Any] = {
    "channels": (32, 16, 4),
    "rotation_channels": (32, 16),
    "memory": 64,
    "turn_steps": 10,
    "starts": 2,
    "start_steps": 20,
    "steps": 300,
    "batch_size": 32,
    "learning_rate": 4e-3,
}
SHORT_C3DPO: dict[str, Any] = {
    "basis": 2,
    "width": 64,
    "bottleneck": 16,
    "blocks": 2,
    "batch_size": 64,
    "steps": 300,
}


def over_seeds(
    key: str, observations: Observations, tmp_path: Path, **params: Any
) -> list[Reconstruction]:
    """Return reconstructions of the observations by three trainings with different seeds."""
    settings = SHORT_RRN if "rrn" in key else SHORT_C3DPO if "c3dpo" in key else SHORT
    return [
        fit_method(key, observations, tmp_path, seed, **{**settings, **params}).predict(
            observations
        )
        for seed in range(3)
    ]


def middle_error(predictions: list[Reconstruction], views: Floats) -> float:
    """Return the median error e3d over seeds."""
    return median(mean_e3d(prediction, views) for prediction in predictions)


@pytest.mark.parametrize(
    ("key", "camera", "missing", "params"),
    [
        ("deep_nrsfm", "orthographic", False, {}),
        ("deep_nrsfm_pp", "orthographic", True, {}),
        ("deep_nrsfm_pp", "perspective", False, {}),
        ("deep_nrsfm_pp_consist", "perspective", True, {}),
        ("deep_nrsfm_pp", "perspective", True, {"blocks": "3x3"}),
        ("rrn_consist", "orthographic", False, {}),
        ("pr_rrn", "orthographic", True, {}),
        ("c3dpo", "orthographic", False, {}),
        ("c3dpo", "orthographic", True, {}),
    ],
)
def test_depth_is_learned(
    key: str, camera: Camera, missing: bool, params: dict[str, Any], tmp_path: Path
) -> None:
    views = rigid_views(frames=100)
    floor = fit_method("zero_depth", observe(views), tmp_path).predict(observe(views))
    if camera == "perspective":
        views = before_a_camera(views)
    observations = observe(views, camera, random_mask(views.shape, 0.2) if missing else None)
    learned = over_seeds(key, observations, tmp_path, **params)
    assert middle_error(learned, views) < 0.8 * mean_e3d(floor, subtract_mean(views))
    if camera == "perspective":  # which tells a shape from its mirror image
        depths = subtract_mean(views)[..., 2]
        upright = [(subtract_mean(each.points_3d)[..., 2] * depths).sum() for each in learned]
        assert median(upright) > 0


def test_holding_points_out_helps_against_noise(tmp_path: Path) -> None:
    views = rigid_views(frames=100, points=12)
    exact = observe(views)
    noise = np.random.default_rng(3).normal(0, 0.2, exact.points_2d.shape)
    noisy = observe(views + np.pad(noise, ((0, 0), (0, 0), (0, 1))))
    seen, held_out = (
        middle_error(
            over_seeds("deep_nrsfm_pp", noisy, tmp_path, held_out=0.5, hold_out=data), views
        )
        for data in ("hidden", "always")
    )
    assert held_out < seen


def test_filling_hidden_points_helps(tmp_path: Path) -> None:
    views = before_a_camera(rigid_views(frames=100))
    observations = observe(views, "perspective", random_mask(views.shape))
    lifted_once, filled = (
        middle_error(over_seeds("deep_nrsfm_pp", observations, tmp_path, fill_rounds=rounds), views)
        for rounds in (0, 1)
    )
    assert filled < lifted_once


def test_scale_correction_gives_reconstructions_one_size(tmp_path: Path) -> None:
    views = before_a_camera(rigid_views(frames=100), nearest=9, farthest=27)
    observations = observe(views, "perspective")
    spreads = []
    for rounds in (0, 2):
        params = {"scale_rounds": rounds, "steps": 200}
        predictions = over_seeds("deep_nrsfm_pp", observations, tmp_path, **params)
        spreads.append(median(relative_spread(prediction) for prediction in predictions))
    assert spreads[1] < 0.5 * spreads[0]


def relative_spread(prediction: Reconstruction) -> float:
    """Return the standard deviation of the sizes of reconstructions over their mean."""
    assert prediction.canonical_3d is not None
    sizes = np.linalg.norm(subtract_mean(prediction.canonical_3d), axis=(1, 2))
    return float(sizes.std() / sizes.mean())
