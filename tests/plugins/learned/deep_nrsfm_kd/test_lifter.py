"""The loss of KD's teacher, its unit, and what it shows to students."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.plugins.conftest import fit_method, observe, random_mask, rigid_views
from tests.plugins.learned.conftest import BRIEF, seeded

from liftbench import Observations, RunContext
from liftbench.types import Bools
from liftbench_plugins.learned.agreement import most_agreed
from liftbench_plugins.learned.consistency import consistency_loss
from liftbench_plugins.learned.deep_nrsfm_kd import lifter
from liftbench_plugins.learned.deep_nrsfm_kd.lifter import DeepNrsfmKd
from liftbench_plugins.learned.deep_nrsfm_kd.network import CameraFirstNetwork

CONTEXT = RunContext(0, "cpu", 1, 1e6, Path(), lambda *_: None)
KEYS = ("deep_nrsfm_kd", "deep_nrsfm_kd_consist")


def scene(visible: Bools | None = None, size: float = 300.0) -> Observations:
    """Return images of a rigid shape of some size, away from the middle, with boxes."""
    views = size * rigid_views(60)
    edges = np.ptp(views[..., :2], axis=1)
    corner = views[..., :2].min(axis=1)
    observations = observe(views + np.array([700.0, -200.0, 0.0]), visible=visible)
    return replace(observations, box=np.concatenate([corner, edges], axis=1))


def fit(
    observations: Observations, tmp_path: Path, key: str = KEYS[0], **params: Any
) -> DeepNrsfmKd:
    method = fit_method(key, observations, tmp_path, **{**BRIEF, **params})
    assert isinstance(method, DeepNrsfmKd)
    return method


HIDDEN = random_mask((60, 9, 2), seed=1)


@pytest.mark.parametrize("frame_unit", ["data", "box"])
@pytest.mark.parametrize("visible", [None, HIDDEN], ids=["complete", "hidden"])
def test_dictionary_codes_and_cameras_give_the_reprojection_of_a_prediction(
    visible: Bools | None, frame_unit: str, tmp_path: Path
) -> None:
    observations = scene(visible)
    method = fit(observations, tmp_path, frame_unit=frame_unit)
    codes, cameras = method.codes(observations), method.cameras(observations)
    assert codes.shape == (60, 16)
    assert codes.min() >= 0
    assert method.dictionary.shape == (27, 16)
    assert cameras.shape == (60, 3, 2)
    shapes = (codes @ method.dictionary.T).reshape(60, 9, 3)
    seen = shapes @ cameras
    predicted = method.predict(observations).points_3d[..., :2]
    apart = predicted - seen  # the place in the image alone
    np.testing.assert_allclose(apart, np.broadcast_to(apart[:, :1], apart.shape), atol=0.05)
    gram = cameras.swapaxes(1, 2) @ cameras
    np.testing.assert_allclose(gram[:, 0, 1] / gram[:, 0, 0], 0, atol=1e-9)
    np.testing.assert_allclose(gram[:, 1, 1] / gram[:, 0, 0], 1, rtol=1e-9)
    lengths = np.sqrt(gram[:, 0, 0])
    edges = np.asarray(observations.box)[:, 2:].max(axis=1)
    expected = np.full(60, lengths[0]) if frame_unit == "data" else edges * lengths[0] / edges[0]
    np.testing.assert_allclose(lengths, expected)


@pytest.mark.parametrize("frame_unit", ["data", "box"])
def test_the_images_of_the_fit_have_the_mean_norm_one(frame_unit: str, tmp_path: Path) -> None:
    for size in (1e-3, 300.0):
        observations = scene(size=size)
        method = fit(observations, tmp_path, frame_unit=frame_unit)
        length = np.linalg.norm(method.cameras(observations)[:, :, 0], axis=1)
        centred = observations.points_2d - observations.points_2d.mean(axis=1, keepdims=True)
        norms = np.linalg.norm(centred, axis=(1, 2)) / length
        assert norms.mean() == pytest.approx(1)


def test_the_loss_is_the_error_and_the_sum_of_the_code(tmp_path: Path) -> None:
    """Equation 4: the norm is not squared, and the code is that of the first dictionary."""
    observations = scene()
    method = fit(observations, tmp_path, sparsity=0.3)
    codes, cameras = method.codes(observations), method.cameras(observations)
    centred = observations.points_2d - observations.points_2d.mean(axis=1, keepdims=True)
    errors = [
        np.linalg.norm((method.dictionary @ code).reshape(9, 3) @ camera - points)
        / np.linalg.norm(camera[:, 0])
        for code, camera, points in zip(codes, cameras, centred, strict=True)
    ]
    expected = np.mean(errors) + 0.3 * codes.sum(axis=1).mean()
    loss = method._loss(method.network, method._on_device(observations), seeded())
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_consistency_is_added_to_the_loss(tmp_path: Path) -> None:
    observations = scene()
    method = fit(observations, tmp_path, KEYS[1])
    assert method.params.consistency > 0
    batch = method._on_device(observations)
    whole = method._loss(method.network, batch, seeded())
    change = consistency_loss(method.network.lift, batch, method.network.lift(batch)[0], seeded())
    alone = replace(method.params, consistency=0.0)
    weight, method.params = method.params.consistency, alone
    plain = method._loss(method.network, batch, seeded())
    torch.testing.assert_close(whole, plain + weight * change)


def test_the_start_that_others_agree_with_is_trained_further_with_the_consistency_loss_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices: list[object] = []

    def train(*arguments: Any) -> CameraFirstNetwork:
        start, *_, choose = arguments
        choices.append(choose)
        network: CameraFirstNetwork = start(0, 0)
        return network

    monkeypatch.setattr(lifter, "train_best_start", train)
    for key in KEYS:
        fit(scene(), tmp_path, key)
    assert choices == [None, most_agreed]


def test_a_restored_method_is_the_fitted_one(tmp_path: Path) -> None:
    observations = scene(HIDDEN)
    method = fit(observations, tmp_path)
    file = tmp_path / "teacher.pt"
    torch.save(method.state(), file)
    again = DeepNrsfmKd(method.params)
    again.restore(torch.load(file, weights_only=True), CONTEXT)
    np.testing.assert_array_equal(again.dictionary, method.dictionary)
    np.testing.assert_array_equal(again.codes(observations), method.codes(observations))
    np.testing.assert_array_equal(again.cameras(observations), method.cameras(observations))
    np.testing.assert_array_equal(
        again.predict(observations).points_3d, method.predict(observations).points_3d
    )


def test_a_frame_with_a_zero_code_has_a_camera_still(tmp_path: Path) -> None:
    observations = scene()
    method = fit(observations, tmp_path)
    with torch.no_grad():
        method.network.camera_weights.zero_()
    cameras = method.cameras(observations)
    axes = np.eye(3, 2) * np.linalg.norm(cameras[0, :, 0])
    np.testing.assert_allclose(cameras, np.broadcast_to(axes, cameras.shape))


def test_boxes_without_extent_are_refused(tmp_path: Path) -> None:
    observations = scene()
    box = np.asarray(observations.box).copy()
    box[7, 2:] = 0
    with pytest.raises(ValueError, match="needs boxes with an extent, that of frame 7"):
        fit(replace(observations, box=box), tmp_path, frame_unit="box")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sizes": (8,)}, "sizes: expected at least two"),
        ({"nonlinearity": "tanh"}, "nonlinearity: expected one of bst, relu, got 'tanh'"),
        ({"frame_unit": "pixel"}, "frame_unit: expected one of data, box, got 'pixel'"),
        ({"gain": 0.0}, "gain: expected a positive number, got 0.0"),
        ({"sparsity": -1.0}, "sparsity: expected 0 or more, got -1.0"),
        ({"consistency": -1.0}, "consistency: expected 0 or more, got -1.0"),
        ({"steps": 0}, "steps: expected a positive number, got 0"),
    ],
)
@pytest.mark.parametrize("key", KEYS)
def test_bad_parameters_are_refused_in_one_line(
    key: str, params: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        fit(scene(), tmp_path, key, **params)
