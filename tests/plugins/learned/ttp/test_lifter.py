"""Whole trainings of a few steps on the scenes of the conformance kit, and what they return."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.conftest import not_none

from liftbench import Observations, RunContext
from liftbench.testing import scene
from liftbench_plugins.learned.ttp import VARIANTS
from liftbench_plugins.learned.ttp.lifter import ToThePoint
from liftbench_plugins.learned.ttp.picture_views import MaskedPictures

SPECS = {spec.key: spec for spec in VARIANTS}
QUICK: dict[str, Any] = {
    "rigid_steps": 2,
    "steps": 2,
    "batch_size": 3,
    "width": 0.05,
    "image_size": 32,
    "basis": 2,
}
Reports = list[tuple[int, int, float]]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep crops in a folder of the test."""
    monkeypatch.setenv("LIFTBENCH_CROPS", str(tmp_path / "crops"))


def context(folder: Path, reports: Reports | None = None) -> RunContext:
    def report(step: int, steps: int, loss: float) -> None:
        if reports is not None:
            reports.append((step, steps, loss))

    folder.mkdir(exist_ok=True)
    return RunContext(0, "cpu", 1, 1e6, folder, report)


def frames(folder: Path) -> Observations:
    return scene("orthographic", "train", pictures=folder, sequences=1, frames=6).observations


def fit(
    key: str,
    observations: Observations,
    folder: Path,
    reports: Reports | None = None,
    **params: Any,
) -> ToThePoint:
    spec = SPECS[key]
    given = {**QUICK, **params}
    if "rigid" in key:
        del given["basis"]
    method = spec.make(**vars(spec.params(**given)))
    assert isinstance(method, ToThePoint)
    method.fit(observations, context(folder, reports))
    return method


@pytest.mark.parametrize("key", SPECS)
def test_points_and_surface_are_one_reconstruction(key: str, tmp_path: Path) -> None:
    seen = frames(tmp_path / "pictures")
    method = fit(key, seen, tmp_path / "scratch")
    found = method.predict(seen.in_pixels())
    points = not_none(seen.template).points
    vertices, shapes = not_none(found.vertices), not_none(found.canonical_vertices)
    np.testing.assert_allclose(found.points_3d, points @ vertices)
    np.testing.assert_allclose(not_none(found.canonical_3d), points @ shapes)
    np.testing.assert_allclose(not_none(found.points_2d), found.points_3d[..., :2])
    assert not_none(found.colours).shape == vertices.shape
    # The surface before the camera is the canonical one, turned, scaled and moved.
    turned = shapes @ not_none(found.rotation).swapaxes(1, 2)
    centred, expected = (part - part.mean(axis=1, keepdims=True) for part in (vertices, turned))
    scale = np.sqrt(np.square(centred).sum((1, 2)) / np.square(expected).sum((1, 2)))
    np.testing.assert_allclose(centred, scale[:, None, None] * expected, atol=1e-3 * scale.max())
    deforms = np.ptp(shapes, axis=0).max() > 0
    assert deforms == ("rigid" not in key)


def test_the_first_steps_leave_the_template_as_it_is(tmp_path: Path) -> None:
    seen = frames(tmp_path / "pictures")
    before = fit("ttp", seen, tmp_path / "one", steps=0)
    drawn = fit("ttp", seen, tmp_path / "two", rigid_steps=0, steps=0)
    after = fit("ttp", seen, tmp_path / "three")
    torch.testing.assert_close(before.network.shares, drawn.network.shares)
    assert (after.network.shares - drawn.network.shares).abs().max() > 1e-4
    assert len(before.network.basis) == 0
    assert after.network.basis.shape[0] == 2


def test_basis_shapes_of_the_same_size_move_at_their_pace(tmp_path: Path) -> None:
    seen = frames(tmp_path / "pictures")
    moved = []
    for pace in (1.0, 20.0):
        still = fit("ttp", seen, tmp_path / f"still{pace}", steps=0, basis_pace=pace)
        some = fit("ttp", seen, tmp_path / f"some{pace}", rigid_steps=0, basis_pace=pace)
        for method in (still, some):
            method.network.steps_done += 10  # so that the basis takes part
        before, after = still.network.basis.detach(), some.network.basis.detach()
        assert float(before.square().mean().sqrt()) == pytest.approx(0.1, rel=0.6)
        moved.append(float((after - before).abs().mean()))
    assert moved[1] > 5 * moved[0]


def test_steps_are_reported_as_one_training_and_counted(tmp_path: Path) -> None:
    reports: Reports = []
    method = fit("ttp_views", frames(tmp_path / "pictures"), tmp_path / "scratch", reports)
    assert reports[-1][:2] == (4, 4)
    assert int(method.network.steps_done) == 4


@pytest.mark.parametrize("key", ["ttp", "ttp_views"])
def test_a_killed_training_goes_on_to_the_same_result(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liftbench_plugins.learned.training._CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("liftbench_plugins.learned.training._REPORT_EVERY", 1)
    seen = frames(tmp_path / "pictures")
    whole = fit(key, seen, tmp_path / "whole").predict(seen.in_pixels())
    steps = 0
    loss = ToThePoint._loss

    def stop(self: ToThePoint, *given: Any) -> torch.Tensor:
        nonlocal steps
        steps += 1
        if steps > 3:
            raise KeyboardInterrupt
        return loss(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(ToThePoint, "_loss", stop)
        with pytest.raises(KeyboardInterrupt):
            fit(key, seen, tmp_path / "killed")
    again = fit(key, seen, tmp_path / "killed").predict(seen.in_pixels())
    np.testing.assert_array_equal(again.points_3d, whole.points_3d)


def test_a_weight_of_zero_takes_no_look_at_the_views(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("views are guessed")

    monkeypatch.setattr("liftbench_plugins.learned.ttp.lifter.guess_views", refuse)
    seen = frames(tmp_path / "pictures")
    fit("ttp_masks", seen, tmp_path / "scratch")
    with pytest.raises(AssertionError, match="views are guessed"):
        fit("ttp_views", seen, tmp_path / "scratch")


def test_frames_without_a_template_are_refused(tmp_path: Path) -> None:
    seen = replace(frames(tmp_path / "pictures"), template=None)
    with pytest.raises(ValueError, match="needs a template of the category"):
        fit("ttp", seen, tmp_path / "scratch")


def test_empty_masks_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = frames(tmp_path / "pictures")
    fit("ttp_masks", seen, tmp_path / "one")
    assert "masks are empty" not in capsys.readouterr().out
    whole = MaskedPictures.whole_masks

    def without_two(self: MaskedPictures) -> torch.Tensor:
        masks = whole(self)
        masks[:2] = 0
        return masks

    monkeypatch.setattr(MaskedPictures, "whole_masks", without_two)
    fit("ttp_masks", seen, tmp_path / "two")
    assert "2 of 6 masks are empty" in capsys.readouterr().out
