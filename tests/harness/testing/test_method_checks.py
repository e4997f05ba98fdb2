"""Each check fails for a method that breaks its promise, and passes for a good method."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import not_none

from liftbench import Capabilities, MethodSpec, NoParams, Observations, Reconstruction, RunContext
from liftbench.cameras import subtract_mean
from liftbench.plugin.registry import Registry, load_registry
from liftbench.testing import method_checks
from liftbench.testing.method_checks import METHOD_CHECKS, Candidate
from liftbench.testing.outcomes import Outcome, outcome_of
from liftbench.testing.scenes import turn_about_the_axis
from liftbench.types import CAMERAS, Camera, Floats

ALL = Capabilities(
    cameras=CAMERAS, missing_points=True, seeded=False, permutable=True, rotatable=True
)


OF_TEACHERS = ("keeps_its_state", "teaches_what_it_predicts")


class Good:
    """Returns points about the mean of the visible ones; a point far from the mean is deep."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        self.context = context

    def predict(self, observations: Observations) -> Reconstruction:
        flat = self.flat(observations)
        return Reconstruction(np.dstack([flat, self.depth(flat)]))

    def flat(self, observations: Observations) -> Floats:
        shown = observations.visible[..., None]
        points = np.where(shown, observations.points_2d, np.nan)
        flat: Floats = np.where(shown, points - np.nanmean(points, axis=1, keepdims=True), 0)
        return flat

    def depth(self, flat: Floats) -> Floats:
        depth: Floats = np.linalg.norm(flat, axis=2)
        return depth


@dataclass
class RefusesCamera(Good):
    camera: Camera

    def predict(self, observations: Observations) -> Reconstruction:
        if observations.camera == self.camera:
            raise RuntimeError("what is this?")
        return super().predict(observations)


class WrongShape(Good):
    def predict(self, observations: Observations) -> Reconstruction:
        return Reconstruction(np.ones((observations.frames, 3, 3)))


class NeedsAll(Good):
    def flat(self, observations: Observations) -> Floats:
        return subtract_mean(observations.points_2d)


class ForgetsBoxes(Good):
    """Lifts each sequence by itself, with the boxes of all."""

    def predict(self, observations: Observations) -> Reconstruction:
        points = np.empty((*observations.visible.shape, 3))
        for chosen in (observations.sequence == i for i in np.unique(observations.sequence)):
            part = replace(
                observations,
                points_2d=observations.points_2d[chosen],
                visible=observations.visible[chosen],
                sequence=observations.sequence[chosen],
            )
            points[chosen] = super().predict(part).points_3d
        return Reconstruction(points)


class ReadsHidden(Good):
    def flat(self, observations: Observations) -> Floats:
        return np.nan_to_num(observations.points_2d)


class FitReadsHidden(Good):
    def fit(self, observations: Observations, context: RunContext) -> None:
        self.scale = np.nan_to_num(observations.points_2d).max()

    def depth(self, flat: Floats) -> Floats:
        depth: Floats = self.scale * super().depth(flat)
        return depth


class KnowsItsFrames(Good):
    def fit(self, observations: Observations, context: RunContext) -> None:
        self.fitted = super().predict(observations)

    def predict(self, observations: Observations) -> Reconstruction:
        return self.fitted


class WritesToItsInput(Good):
    def predict(self, observations: Observations) -> Reconstruction:
        observations.points_2d.flags.writeable = True
        observations.points_2d[:] = 0
        return super().predict(observations)


class ReplacesItsInput(Good):
    def fit(self, observations: Observations, context: RunContext) -> None:
        object.__setattr__(observations, "camera", "perspective")


class Seeded(Good):
    def depth(self, flat: Floats) -> Floats:
        draws = np.random.default_rng(self.context.seed).random(flat.shape[:2])
        depth: Floats = super().depth(flat) * draws
        return depth


class GlobalGenerator(Good):
    def depth(self, flat: Floats) -> Floats:
        return np.random.random(flat.shape[:2])  # noqa: NPY002


@dataclass
class Parts(Good):
    """Returns a rotation and canonical points; as they are given, they fit together."""

    size: float = 1.0
    mirrored: bool = False
    shift: float = 0.0

    def predict(self, observations: Observations) -> Reconstruction:
        points = super().predict(observations).points_3d
        turn = np.broadcast_to(turn_about_the_axis(1.0), (len(points), 3, 3))
        rotation = self.size * turn * (-1 if self.mirrored else 1)
        canonical = 2 * points @ turn
        canonical[:, 0] += self.shift
        return Reconstruction(points, rotation=rotation, canonical_3d=canonical)


class CountsPoints(Good):
    def depth(self, flat: Floats) -> Floats:
        return np.broadcast_to(np.arange(flat.shape[1]) / 10, flat.shape[:2])


class LooksRight(Good):
    def depth(self, flat: Floats) -> Floats:
        return flat[..., 0]


class Late(Good):
    def fit(self, observations: Observations, context: RunContext) -> None:
        time.sleep(0.3)


class GivesUp(Good):
    def fit(self, observations: Observations, context: RunContext) -> None:
        raise TimeoutError("no time")


@cache
def cached_registry() -> Registry:
    return load_registry(())


def candidate(
    folder: Path, make: Callable[[], Good], can: Capabilities = ALL, grace_s: float = 60.0
) -> Candidate:
    spec = MethodSpec("a_method", "A method", "tests", make, NoParams, capabilities=can)
    context = RunContext(0, "cpu", 1, 1e6, folder, lambda *_: None)
    return Candidate(cached_registry(), spec, {}, context, budget_s=0.1, grace_s=grace_s)


def outcomes(subject: Candidate) -> dict[str, Outcome]:
    return {check.__name__: outcome_of(check, subject) for check in METHOD_CHECKS}


@pytest.mark.parametrize("make", [Good, Parts], ids=lambda make: make.__name__)
def test_a_good_method_passes(make: type[Good], tmp_path: Path) -> None:
    found = outcomes(candidate(tmp_path, make))
    for check in OF_TEACHERS:
        assert found.pop(check).state == "skipped", "it is no teacher"
    for name in ("takes_single_pictures", "predicts_from_pictures_alone"):
        assert found.pop(name).detail == "it does not reconstruct from images"
    if make is Good:
        assert found.pop("parts_fit_together").detail == "it returns no rotation"
    assert {outcome.state for outcome in found.values()} == {"passed"}, found


class Pictured(Good):
    """Puts all points into the middle of a frame's box, at a depth that its picture gives."""

    def predict(self, observations: Observations) -> Reconstruction:
        images, box = not_none(observations.images), not_none(observations.box)
        bright = [images.image(frame).mean() for frame in range(len(images))]
        middle = np.column_stack([box[:, :2] + box[:, 2:] / 2, bright])
        count = observations.visible.shape[1]
        return Reconstruction(middle[:, None] + np.linspace(0, 1, count)[:, None])


class RefusesSingle(Pictured):
    def predict(self, observations: Observations) -> Reconstruction:
        if observations.frames == 1:
            raise RuntimeError("a single frame")
        return super().predict(observations)


class FindsMasks(Pictured):
    def predict(self, observations: Observations) -> Reconstruction:
        found = super().predict(observations).points_3d.copy()
        for frame, file in enumerate(not_none(observations.images).files):
            found[frame] += np.asarray(Image.open(file.replace(".png", "_mask.png"))).mean()
        return Reconstruction(found)


SEEDED = replace(ALL, seeded=True)
PICTURES = replace(ALL, images=True, permutable=False, rotatable=False)
BROKEN = [
    ("takes_orthographic_cameras", WrongShape, ALL, "ValueError: predict: expected points_3d"),
    ("takes_orthographic_cameras", partial(RefusesCamera, "orthographic"), ALL, "RuntimeError: w"),
    ("takes_weak_perspective_cameras", partial(RefusesCamera, "weak_perspective"), ALL, "what is"),
    ("takes_perspective_cameras", partial(RefusesCamera, "perspective"), ALL, "what is this?"),
    ("takes_hidden_points", NeedsAll, ALL, "60 of 60 frames hold NaN"),
    ("takes_boxes_and_sizes_of_pixels", ForgetsBoxes, ALL, "box: expected shape (20, 4), got (40"),
    ("never_reads_hidden_points", ReadsHidden, ALL, "are 1e+06 instead of NaN (orthographic)"),
    ("never_reads_hidden_points", FitReadsHidden, ALL, "its result changes when hidden points"),
    ("takes_single_pictures", RefusesSingle, PICTURES, "RuntimeError: a single frame"),
    ("predicts_from_pictures_alone", FindsMasks, PICTURES, "points or masks that it is not shown"),
    ("lifts_unseen_frames", KnowsItsFrames, ALL, "expected points_3d (30, 12, 3), got (60, 12, 3)"),
    ("leaves_its_input_alone", WritesToItsInput, ALL, "changes `points_2d` of the observations"),
    ("leaves_its_input_alone", ReplacesItsInput, ALL, "it changes `camera` of the observations"),
    ("heeds_the_seed", Good, SEEDED, "one result: set Capabilities.seeded=False"),
    ("heeds_the_seed", Seeded, ALL, "two results: set Capabilities.seeded=True"),
    ("heeds_the_seed", GlobalGenerator, ALL, "two results"),
    ("parts_fit_together", partial(Parts, size=1.1), ALL, "`rotation` differs from rotations by"),
    ("parts_fit_together", partial(Parts, mirrored=True), ALL, "`rotation` differs from rotations"),
    ("parts_fit_together", partial(Parts, shift=0.1), ALL, "`canonical_3d`, rotated, differs"),
    ("order_of_points_does_not_matter", CountsPoints, ALL, "points in another order: its result d"),
    ("result_turns_with_the_images", LooksRight, ALL, "rotated images: its result differs by"),
    ("stops_within_its_budget", Late, ALL, "its budget was 0.1 s; it ended "),
]


@pytest.mark.parametrize(
    ("name", "make", "can", "reason"),
    BROKEN,
    ids=[f"{i}-{case[0]}" for i, case in enumerate(BROKEN)],
)
def test_a_broken_promise_fails(
    name: str, make: Callable[[], Good], can: Capabilities, reason: str, tmp_path: Path
) -> None:
    check = next(check for check in METHOD_CHECKS if check.__name__ == name)
    outcome = outcome_of(check, candidate(tmp_path, make, can, grace_s=0.1))
    assert outcome.failed
    assert reason in outcome.detail
    assert "\n" not in outcome.detail


def test_there_is_a_method_that_breaks_each_promise() -> None:
    """Those of teachers have their tests in `test_teachers`."""
    names = {check.__name__ for check in METHOD_CHECKS}
    assert {name for name, *_ in BROKEN} == names - set(OF_TEACHERS)


def test_a_good_picture_method_passes_all_checks_that_make_sense(tmp_path: Path) -> None:
    found = outcomes(candidate(tmp_path, Pictured, PICTURES))
    skipped = {name for name, outcome in found.items() if outcome.state == "skipped"}
    assert skipped == {
        "parts_fit_together",
        "order_of_points_does_not_matter",
        "result_turns_with_the_images",
        *OF_TEACHERS,
    }
    assert {o.state for name, o in found.items() if name not in skipped} == {"passed"}, found


def test_a_method_that_is_given_points_may_use_them(tmp_path: Path) -> None:
    class Given(Pictured):
        def predict(self, observations: Observations) -> Reconstruction:
            return Good.predict(self, observations)

    given = candidate(tmp_path, Given, replace(PICTURES, given_points=True))
    assert outcome_of(method_checks.takes_hidden_points, given).passed
    outcome = outcome_of(method_checks.predicts_from_pictures_alone, given)
    assert outcome.detail == "it is given the points"
    assert outcome_of(
        method_checks.takes_hidden_points, candidate(tmp_path, Given, PICTURES)
    ).failed


def test_a_seeded_method_passes_if_its_spec_says_so(tmp_path: Path) -> None:
    for make in (Seeded, GlobalGenerator):
        assert outcome_of(method_checks.heeds_the_seed, candidate(tmp_path, make, SEEDED)).passed


def test_a_method_may_give_up_in_time(tmp_path: Path) -> None:
    subject = candidate(tmp_path, GivesUp)
    assert outcome_of(method_checks.stops_within_its_budget, subject).passed


def test_a_declared_inability_is_expected_to_fail(tmp_path: Path) -> None:
    least = Capabilities(seeded=False, transductive=True)
    found = outcomes(candidate(tmp_path, KnowsItsFrames, least))
    reasons = {n: o.detail for n, o in found.items() if o.state == "expected to fail"}
    assert reasons == {
        "takes_weak_perspective_cameras": "the method has no weak_perspective camera",
        "takes_perspective_cameras": "the method has no perspective camera",
        "takes_hidden_points": "the method needs every point to be visible",
        "never_reads_hidden_points": "the method needs every point to be visible",
        "lifts_unseen_frames": "the method can only reconstruct the frames it was fitted on",
    }
    skipped = {name for name, outcome in found.items() if outcome.state == "skipped"}
    assert skipped == {
        "takes_single_pictures",
        "predicts_from_pictures_alone",
        "parts_fit_together",
        "order_of_points_does_not_matter",
        "result_turns_with_the_images",
        *OF_TEACHERS,
    }
    assert not any(outcome.failed for outcome in found.values())


def test_a_transductive_method_is_fitted_to_the_turned_images(tmp_path: Path) -> None:
    can = replace(ALL, transductive=True)
    check = method_checks.result_turns_with_the_images
    assert outcome_of(check, candidate(tmp_path, KnowsItsFrames, can)).passed
    assert outcome_of(check, candidate(tmp_path, KnowsItsFrames)).failed


def test_a_result_may_be_mirrored_in_depth_and_shifted(tmp_path: Path) -> None:
    class Moody(Good):
        """Mirrors depth if the first point lies to the left, and adds an offset."""

        def predict(self, observations: Observations) -> Reconstruction:
            points = super().predict(observations).points_3d.copy()
            points[..., 2] *= np.where(points[:, :1, 0] < 0, -1, 1)
            return Reconstruction(points + points[:, :1])

    for check in (
        method_checks.order_of_points_does_not_matter,
        method_checks.result_turns_with_the_images,
    ):
        assert outcome_of(check, candidate(tmp_path, Moody)).passed
