"""Whole trainings of a few steps: what they return, and what they must not depend on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liftbench import Observations, Reconstruction, RunContext
from liftbench.testing import scene
from liftbench_plugins.learned.ttp_points import TTP_POINTS, TtpPointsParams
from liftbench_plugins.learned.ttp_points.lifter import TtpPoints

QUICK: dict[str, Any] = {"basis": 2, "starts": 2, "start_steps": 2, "steps": 3, "batch_size": 4}


def frames(seen: str = "train") -> Observations:
    return scene("orthographic", seen, sequences=1, frames=6).observations


def fitted(folder: Path, observations: Observations, seed: int = 0, **params: Any) -> TtpPoints:
    folder.mkdir(exist_ok=True)
    method = TTP_POINTS.make(**vars(TtpPointsParams(**{**QUICK, **params})))
    assert isinstance(method, TtpPoints)
    context = RunContext(seed, "cpu", 1, 1e6, folder, lambda *_: None)
    method.fit(observations, context)
    return method


def lifted(folder: Path, observations: Observations, **params: Any) -> Reconstruction:
    return fitted(folder, observations, **params).predict(observations)


def test_visible_points_keep_their_place_and_poses_are_rotations(tmp_path: Path) -> None:
    given = frames()
    found = lifted(tmp_path, given)
    seen = given.visible
    np.testing.assert_allclose(found.points_3d[seen][:, :2], given.points_2d[seen])
    assert np.isfinite(found.points_3d).all()
    rotation = found.rotation
    assert rotation is not None
    unit = np.eye(3)[None].repeat(len(rotation), axis=0)
    np.testing.assert_allclose(rotation @ rotation.swapaxes(1, 2), unit, atol=1e-9)
    assert (np.linalg.det(rotation) > 0).all()


def test_the_unit_of_the_data_is_that_of_the_depth(tmp_path: Path) -> None:
    given = frames()
    once = lifted(tmp_path / "one", given)
    larger = lifted(tmp_path / "two", replace(given, points_2d=10 * given.points_2d))
    np.testing.assert_allclose(larger.points_3d, 10 * once.points_3d, rtol=1e-6, atol=1e-8)


def test_without_basis_every_frame_has_one_shape(tmp_path: Path) -> None:
    method = fitted(tmp_path, frames(), basis=0)
    found = method.predict(frames())
    template = method.model.template.detach().numpy()
    template = template - template.mean(axis=0)
    depths = found.points_3d[..., 2]
    turned = template @ found.rotation[0].T if found.rotation is not None else template
    ratio = (depths[0] - depths[0].mean()) @ turned[:, 2] / np.square(turned[:, 2]).sum()
    np.testing.assert_allclose(depths[0] - depths[0].mean(), ratio * turned[:, 2], atol=1e-6)


def test_a_template_of_the_data_is_the_start(tmp_path: Path) -> None:
    given = scene("orthographic", "train", pictures=tmp_path / "pictures", sequences=1, frames=6)
    known = given.observations.template
    assert known is not None
    method = fitted(tmp_path / "fit", given.observations, learning_rate=1e-9)
    start = known.points_3d - known.points_3d.mean(axis=0)
    start = start / np.sqrt(np.square(start).mean())
    np.testing.assert_allclose(method.model.template.detach().numpy(), start, atol=1e-6)


def test_the_same_seed_gives_the_same_lift(tmp_path: Path) -> None:
    one, two = (lifted(tmp_path / name, frames()) for name in ("one", "two"))
    np.testing.assert_array_equal(one.points_3d, two.points_3d)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("held_out", 1.0, "share of the points"),
        ("sizes", "some", "sizes"),
        ("basis", -1, "basis"),
    ],
)
def test_params_out_of_range_are_refused(name: str, value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TtpPointsParams(**{name: value})
