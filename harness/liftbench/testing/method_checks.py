"""What a method promises, checked in the process that the runner gives to methods."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.cameras import centred
from liftbench.plugin.specs import Method, MethodSpec, RunContext
from liftbench.runs.child import predict_and_check, seed_generators
from liftbench.runs.compatibility import incompatibility
from liftbench.runs.exchange import digest
from liftbench.suites.suite import checked_params
from liftbench.testing.differences import differing_fields
from liftbench.testing.outcomes import BrokenPromiseError, IncapableError, NotCheckedError
from liftbench.testing.scenes import permuted, scene, turn_about_the_axis
from liftbench.types import Camera, Floats, Observations, Reconstruction

_TOLERANCE = 1e-3
_ANGLE = 0.7
_FILL = 1e6


@dataclass(frozen=True)
class Candidate:
    """A method under examination.

    Attributes:
        spec: of the method.
        params: that differ from its defaults.
        context: of the run that examines it.
        budget_s: which `stops_within_its_budget` tells it to keep.
        grace_s: how much longer it may take.
    """

    spec: MethodSpec
    params: Mapping[str, Any]
    context: RunContext
    budget_s: float
    grace_s: float

    def lift(self, observations: Observations, *, seed: int = 0) -> Reconstruction:
        """Fit a new instance to observations and return what it predicts of them."""
        return predict_and_check(self.fitted(observations, seed=seed), observations)

    def fitted(self, observations: Observations, *, seed: int = 0) -> Method:
        """Return a new instance that is fitted to observations."""
        return self._fitted(observations, self.params, seed=seed)

    def hurried(self, observations: Observations) -> Method:
        """Return a new instance that is fitted under its defaults within the short budget."""
        return self._fitted(observations, {}, budget_s=self.budget_s)

    def observe(self, name: str, *, boxes: bool = False, **size: int) -> Observations:
        """Return a scene of the method's first camera, with hidden points where it takes these."""
        can = self.spec.capabilities
        seen = scene(can.cameras[0], name, hidden=can.missing_points, boxes=boxes, **size)
        return self.able(seen.observations)

    def able(self, observations: Observations) -> Observations:
        """Return observations that the method can take.

        Raises:
            IncapableError: it says that it cannot.
        """
        if reason := incompatibility(self.spec.capabilities, observations):
            raise IncapableError(reason)
        return observations

    def _fitted(
        self, observations: Observations, given: Mapping[str, Any], **changes: float
    ) -> Method:
        scratch = Path(tempfile.mkdtemp(dir=self.context.scratch))
        context = replace(self.context, scratch=scratch, **changes)  # type: ignore[arg-type]
        seed_generators(context.seed)
        params = checked_params(f"method '{self.spec.key}'", self.spec.params, dict(given))
        method = self.spec.make(**vars(params))
        method.fit(observations, context)
        return method


def takes_orthographic_cameras(candidate: Candidate) -> None:
    """It lifts what an orthographic camera sees."""
    _takes("orthographic", candidate)


def takes_weak_perspective_cameras(candidate: Candidate) -> None:
    """It lifts what a weak perspective camera sees."""
    _takes("weak_perspective", candidate)


def takes_perspective_cameras(candidate: Candidate) -> None:
    """It lifts what a perspective camera sees."""
    _takes("perspective", candidate)


def _takes(camera: Camera, candidate: Candidate) -> None:
    candidate.lift(candidate.able(scene(camera, "complete").observations))


def takes_hidden_points(candidate: Candidate) -> None:
    """It lifts frames of which it sees a part of the points, by each of its cameras."""
    for camera in candidate.spec.capabilities.cameras:
        candidate.lift(candidate.able(scene(camera, "hidden", hidden=True).observations))


def takes_boxes_and_sizes_of_pixels(candidate: Candidate) -> None:
    """It lifts several sequences whose frames have boxes and sizes of pixels."""
    candidate.lift(candidate.observe("boxes", boxes=True, sequences=2))


def never_reads_hidden_points(candidate: Candidate) -> None:
    """What stands where a point is hidden changes nothing."""
    for camera in candidate.spec.capabilities.cameras:
        seen = candidate.able(scene(camera, "hidden", hidden=True).observations)
        filled = _Unchecked(**{field.name: getattr(seen, field.name) for field in fields(seen)})
        points = np.where(seen.visible[..., None], seen.points_2d, _FILL)
        object.__setattr__(filled, "points_2d", points)
        if digest(candidate.lift(seen)) != digest(candidate.lift(filled)):
            raise BrokenPromiseError(
                f"its result changes where hidden points are {_FILL:g} in place of NaN ({camera})"
            )


class _Unchecked(Observations):
    """Observations that may have values where points are hidden."""

    def __post_init__(self) -> None:
        pass


def lifts_unseen_frames(candidate: Candidate) -> None:
    """It lifts frames that it was not fitted on, be they fewer or more."""
    if candidate.spec.capabilities.transductive:
        raise IncapableError("the method can only reconstruct the frames it was fitted on")
    method = candidate.fitted(candidate.observe("train"))
    for frames in (10, 40):
        predict_and_check(method, candidate.observe("unseen", frames=frames))


def leaves_its_input_alone(candidate: Candidate) -> None:
    """Observations are after `fit` and `predict` what they were before."""
    given, kept = candidate.observe("train"), candidate.observe("train")
    candidate.lift(given)
    if names := differing_fields(kept, given):
        raise BrokenPromiseError(f"it changes `{names[0]}` of the observations")


def heeds_the_seed(candidate: Candidate) -> None:
    """Another seed gives another result if the spec says that the result depends on it."""
    first, second = (digest(candidate.lift(candidate.observe("train"), seed=s)) for s in (0, 1))
    seeded = candidate.spec.capabilities.seeded
    if seeded and first == second:
        raise BrokenPromiseError("seeds 0 and 1 give one result; say so: Capabilities.seeded=False")
    if not seeded and first != second:
        raise BrokenPromiseError("seeds 0 and 1 give two results; say so: Capabilities.seeded=True")


def parts_fit_together(candidate: Candidate) -> None:
    """Rotations are rotations, and turn the canonical points to the points, but for their size."""
    made = candidate.lift(candidate.observe("train"))
    if made.rotation is None:
        raise NotCheckedError("it returns no rotation")
    product = made.rotation @ made.rotation.swapaxes(1, 2)
    wrong = np.abs(product - np.eye(3)).max() + np.abs(np.linalg.det(made.rotation) - 1).max()
    if wrong > _TOLERANCE:
        raise BrokenPromiseError(f"`rotation` differs from rotations by {wrong:.1g}")
    if made.canonical_3d is None:
        return
    turned = _unit(made.canonical_3d @ made.rotation.swapaxes(1, 2))
    wrong = float(np.linalg.norm(turned - _unit(made.points_3d), axis=(1, 2)).max())
    if wrong > _TOLERANCE:
        raise BrokenPromiseError(f"`canonical_3d`, turned, differs from `points_3d` by {wrong:.1g}")


def order_of_points_does_not_matter(candidate: Candidate) -> None:
    """Points in another order give the same points in that order."""
    _require_declared("permutable", candidate)
    seen = candidate.observe("train")
    order = np.random.default_rng(0).permutation(seen.points_2d.shape[1])
    expected = candidate.lift(seen).points_3d[:, order]
    _require_same(candidate.lift(permuted(seen, order)).points_3d, expected, "in another order")


def turned_images_turn_the_result(candidate: Candidate) -> None:
    """Images turned about the optical axis give points turned about it, once it is fitted."""
    _require_declared("rotatable", candidate)
    seen, turn = candidate.observe("train"), turn_about_the_axis(_ANGLE)
    turned = replace(seen, points_2d=seen.points_2d @ turn[:2, :2].T)
    method = candidate.fitted(seen)
    expected = predict_and_check(method, seen).points_3d @ turn.T
    if candidate.spec.capabilities.transductive:
        method = candidate.fitted(turned)
    _require_same(predict_and_check(method, turned).points_3d, expected, "turned")


def _require_declared(capability: str, candidate: Candidate) -> None:
    if not getattr(candidate.spec.capabilities, capability):
        raise NotCheckedError(f"the spec does not say that it is {capability}")


def _require_same(found: Floats, expected: Floats, how: str) -> None:
    """Raise unless all frames agree but for their place and the sign of depth."""
    found, expected = centred(found), centred(expected)
    size = np.linalg.norm(expected, axis=(1, 2))
    mirrored = found * np.array([1, 1, -1])
    errors = [np.linalg.norm(either - expected, axis=(1, 2)) for either in (found, mirrored)]
    wrong = float((np.minimum(*errors) / size).max())
    if not wrong <= _TOLERANCE:
        raise BrokenPromiseError(f"points {how} give a result that differs by {wrong:.1%}")


def _unit(points: Floats) -> Floats:
    """Return points (F, P, 3) about their mean, each frame of norm 1."""
    relative = centred(points)
    unit: Floats = relative / np.linalg.norm(relative, axis=(1, 2), keepdims=True)
    return unit


def stops_within_its_budget(candidate: Candidate) -> None:
    """With its defaults and little time it comes to an end, or gives up with a TimeoutError."""
    seen, start = candidate.observe("train"), time.monotonic()
    with contextlib.suppress(TimeoutError):
        predict_and_check(candidate.hurried(seen), seen)
    late = time.monotonic() - start - candidate.budget_s
    if late > candidate.grace_s:
        raise BrokenPromiseError(
            f"told to end after {candidate.budget_s:g} s, it ended {late:.1f} s later"
        )


MethodCheck = Callable[[Candidate], None]
METHOD_CHECKS: tuple[MethodCheck, ...] = (
    takes_orthographic_cameras,
    takes_weak_perspective_cameras,
    takes_perspective_cameras,
    takes_hidden_points,
    takes_boxes_and_sizes_of_pixels,
    never_reads_hidden_points,
    lifts_unseen_frames,
    leaves_its_input_alone,
    heeds_the_seed,
    parts_fit_together,
    order_of_points_does_not_matter,
    turned_images_turn_the_result,
    stops_within_its_budget,
)
