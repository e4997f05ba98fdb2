"""What methods of several kinds return: rigid factorisation, zero depth and learned ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.plugins.conftest import fit_method, mean_e3d, observe, rigid_views

from liftbench.cameras import in_place
from liftbench.types import Floats

BRIEF: dict[str, dict[str, Any]] = {
    "rigid": {},
    "deep_nrsfm": {"sizes": (16, 8, 4), "starts": 1, "start_steps": 5, "steps": 10},
    "deep_nrsfm_pp": {"sizes": (16, 8, 4), "starts": 1, "start_steps": 5, "steps": 10},
    "pr_rrn": {
        "channels": (16, 8, 4),
        "rotation_channels": (16, 8),
        "memory": 64,
        "turn_steps": 3,
        "starts": 1,
        "start_steps": 5,
        "steps": 10,
    },
}


def test_rigid_recovers_a_rigid_body(tmp_path: Path) -> None:
    views, unseen = rigid_views(), rigid_views(seed=0)[::-1][:20]
    method = fit_method("rigid", observe(views), tmp_path)
    assert mean_e3d(method.predict(observe(views)), views) < 1e-6
    assert mean_e3d(method.predict(observe(unseen)), unseen) < 1e-6


@pytest.mark.parametrize(
    ("views", "message"),
    [
        (rigid_views(frames=2), "needs 3 frames of 4 points, got 2 of 9"),
        (rigid_views(points=3), "needs 3 frames of 4 points, got 200 of 3"),
        (np.repeat(rigid_views(frames=1), 5, axis=0), "rank below 3"),
    ],
)
def test_rigid_refuses_degenerate_views_in_one_line(
    views: Floats, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        fit_method("rigid", observe(views), tmp_path)


def test_zero_depth_is_flat_and_keeps_the_image(tmp_path: Path) -> None:
    views = rigid_views()
    method = fit_method("zero_depth", observe(views), tmp_path)
    points = method.predict(observe(views)).points_3d
    np.testing.assert_array_equal(points[..., :2], views[..., :2])
    assert not points[..., 2].any()


@pytest.mark.parametrize("key", BRIEF)
def test_parts_of_a_reconstruction_fit_together(key: str, tmp_path: Path) -> None:
    observations = observe(rigid_views(frames=40))
    prediction = fit_method(key, observations, tmp_path, **BRIEF[key]).predict(observations)
    assert prediction.rotation is not None
    assert prediction.canonical_3d is not None
    turned = prediction.canonical_3d @ prediction.rotation.swapaxes(1, 2)
    np.testing.assert_allclose(in_place(turned, observations), prediction.points_3d, atol=1e-5)
    identity = prediction.rotation @ prediction.rotation.swapaxes(1, 2)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(3), identity.shape), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(prediction.rotation), 1, atol=1e-5)


@pytest.mark.parametrize("key", BRIEF)
def test_a_shift_of_the_image_shifts_the_reconstruction(key: str, tmp_path: Path) -> None:
    views, shift = rigid_views(frames=40), np.array([5.0, -3.0, 0.0])
    method = fit_method(key, observe(views), tmp_path, **BRIEF[key])
    still, shifted = (method.predict(observe(points)) for points in (views, views + shift))
    assert still.canonical_3d is not None
    assert shifted.canonical_3d is not None
    np.testing.assert_allclose(shifted.points_3d, still.points_3d + shift, atol=1e-4)
    np.testing.assert_allclose(shifted.canonical_3d, still.canonical_3d, atol=1e-4)
