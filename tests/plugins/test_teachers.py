"""What the built-in teachers show to their students; the conformance kit examines the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from tests.conftest import example_of
from tests.plugins.classical.bodies import moving_scene
from tests.plugins.conftest import (
    before_a_camera,
    fit_method,
    observe,
    random_mask,
    registry,
    rigid_views,
)

from liftbench import Observations, RunContext
from liftbench.cameras import subtract_mean
from liftbench.plugin.registry import load_registry
from liftbench.plugin.specs import Method, Teacher
from liftbench.testing.method_checks import Candidate, heeds_the_seed, lifts_unseen_frames
from liftbench.testing.outcomes import outcome_of
from liftbench.testing.teachers import reprojection
from liftbench.types import Camera, Floats
from liftbench_plugins.learned.deep_nrsfm.lifter import DeepNrsfm
from liftbench_plugins.learned.lifting import is_lost

QUICK = {"sizes": (8, 4), "starts": 1, "start_steps": 2, "steps": 4}
VIEWS = rigid_views(frames=40)


def fit(observations: Observations, tmp_path: Path, **params: Any) -> DeepNrsfm:
    given: dict[str, Any] = {**QUICK, **params}
    method = fit_method("deep_nrsfm_pp", observations, tmp_path, **given)
    assert isinstance(method, DeepNrsfm)
    return method


def flat(method: Method, observations: Observations) -> Floats:
    """Return x and y of the prediction about their mean."""
    return subtract_mean(method.predict(observations).points_3d[..., :2])


def test_these_methods_can_be_teachers() -> None:
    exposing = {key for key, spec in registry().methods.items.items() if spec.exposes}
    assert {"deep_nrsfm", "deep_nrsfm_pp", "deep_nrsfm_pp_consist", "sps"} <= exposing


@pytest.mark.parametrize("rounds", [0, 2])
def test_deep_nrsfm_shows_its_own_factors(rounds: int, tmp_path: Path) -> None:
    """The frames are new to it, and their hidden points are filled in."""
    seen = observe(VIEWS, visible=random_mask(VIEWS.shape))
    method = fit(seen, tmp_path, fill_rounds=rounds)
    unseen = rigid_views(frames=15, seed=3)
    unseen_too = observe(unseen, visible=random_mask(unseen.shape, seed=5))
    shape = (method.codes(unseen_too) @ method.dictionary.T).reshape(15, -1, 3)
    canonical = method.predict(unseen_too).canonical_3d
    assert canonical is not None
    np.testing.assert_allclose(shape / method.scale, canonical, atol=1e-5 * np.abs(canonical).max())
    assert (method.codes(unseen_too) >= 0).all()
    found, expected = subtract_mean(reprojection(method, unseen_too)), flat(method, unseen_too)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_scale_of_weak_perspective_frames_is_in_the_cameras(tmp_path: Path) -> None:
    """Shapes have one size; a frame of half the size in the image has a camera of half the norm."""
    near = observe(before_a_camera(VIEWS), "weak_perspective")
    far = replace(near, points_2d=near.points_2d / 2)
    method = fit(near, tmp_path, shape_scale="box_max")
    np.testing.assert_allclose(method.codes(far), method.codes(near), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(method.cameras(far), method.cameras(near) / 2, rtol=1e-4)


def test_corrected_scale_is_in_the_cameras(tmp_path: Path) -> None:
    """The reprojection is in the unit of the points however often t_z is corrected."""
    seen = observe(before_a_camera(VIEWS), "weak_perspective")
    method = fit(seen, tmp_path, scale_rounds=1)
    views, factor = method._correct_scale(method._on_device(seen))
    assert float((factor - 1).abs().max()) > 1e-3
    shape, camera = method.network.lift(views)
    turned = torch.einsum("pib,iab->pab", shape, camera) / (factor * method.scale)
    expected = turned.detach().double().permute(2, 0, 1).numpy()
    np.testing.assert_allclose(reprojection(method, seen), expected, rtol=1e-4, atol=1e-5)


def test_frames_without_a_code_have_the_mean_code(tmp_path: Path) -> None:
    seen = observe(VIEWS)
    method = fit(seen, tmp_path)
    method.network.thresholds[0].data.fill_(1e-3)
    points = seen.points_2d.copy()
    points[7] *= 1e-4  # below every threshold
    tiny = replace(seen, points_2d=points)
    assert is_lost(method._lift_to_codes(method._on_device(tiny))[1]).tolist().index(True) == 7
    codes = method.codes(tiny)
    np.testing.assert_allclose(codes[7], np.delete(codes, 7, axis=0).mean(axis=0), rtol=1e-4)
    found, expected = subtract_mean(reprojection(method, tiny)), flat(method, tiny)
    assert np.abs(expected[7]).max() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("camera", ["observed", "orthographic"])
def test_perspective_points_have_no_scaled_orthographic_cameras(
    camera: Camera, tmp_path: Path
) -> None:
    seen = observe(before_a_camera(VIEWS), "perspective")
    method = fit(seen, tmp_path, camera=camera)
    if camera == "orthographic":
        assert method.cameras(seen).shape == (40, 3, 2)
        return
    for ask in (method.codes, method.cameras):
        with pytest.raises(ValueError, match=r"perspective one; set camera: orthographic$"):
            ask(seen)


def test_sps_shows_few_atoms_of_the_frames_it_was_fitted_to(tmp_path: Path) -> None:
    seen = moving_scene(3, 60, 16).observations
    method = fit_method("sps", seen, tmp_path, atoms=3, active=2)
    teacher = cast(Teacher, method)
    assert teacher.dictionary.shape == (48, 3)
    assert ((teacher.codes(seen) != 0).sum(axis=1) <= 2).all()
    found, expected = subtract_mean(reprojection(method, seen)), flat(method, seen)
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())
    for ask in (teacher.codes, teacher.cameras):
        with pytest.raises(ValueError, match="only the frames that it was fitted on"):
            ask(seen.take(np.arange(30)))


def test_the_student_of_the_documentation_has_the_depths_of_its_teacher(tmp_path: Path) -> None:
    """With fewer frames than weights, on the frames of the fit; others it lifts as well."""
    (tmp_path / "student.py").write_text(example_of("fitted("), encoding="utf-8")
    with_student = load_registry([tmp_path / "student.py"])
    context = RunContext(0, "cpu", 1, 1e6, tmp_path, lambda *_: None)
    subject = Candidate(with_student, with_student.methods["student"], {}, context, 1.0, 60.0)
    for check in (lifts_unseen_frames, heeds_the_seed):
        assert outcome_of(check, subject).passed
    seen = subject.observe("train", sequences=7, frames=2)
    depths = [
        method.predict(seen).points_3d[..., 2]
        for method in (subject.fit_new(seen), fit_method("sps", seen, tmp_path))
    ]
    student, teacher = (depth - depth.mean(axis=1, keepdims=True) for depth in depths)
    np.testing.assert_allclose(student, teacher, atol=1e-6 * np.abs(teacher).max())
