"""The checks of what a method promises; they run in a child process like that of a run."""

from __future__ import annotations

import contextlib
import copy
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from liftbench.cameras import subtract_mean
from liftbench.plugin.registry import Registry
from liftbench.plugin.specs import Method, MethodSpec, RunContext
from liftbench.runs.compatibility import incompatibility
from liftbench.runs.exchange import STATE_FILE, KeptState, digest
from liftbench.runs.firewall import show_at_fit, show_at_predict, to_data_unit
from liftbench.runs.fits.generators import seed_generators
from liftbench.runs.fits.predict import predict_and_check
from liftbench.runs.fits.states import make_method, restore_state, save_state
from liftbench.testing.differences import differing_fields
from liftbench.testing.outcomes import BrokenPromiseError, IncapableError, NotCheckedError
from liftbench.testing.scenes import permute_points, scene, turn_about_the_axis
from liftbench.testing.teachers import reprojection, results_of, teachers_in_process
from liftbench.types import Camera, Floats, Observations, Reconstruction

_TOLERANCE = 1e-3
_EXACT = 1e-5
_ANGLE = 0.7
_FILL = 1e6


@dataclass(frozen=True)
class Candidate:
    """A method under examination.

    Attributes:
        registry: where its teachers are looked up.
        spec: the spec of the method.
        params: its parameters that differ from the defaults.
        context: the context of the run that examines it.
        budget_s: seconds that the check `stops_within_its_budget` gives the method.
        grace_s: how many more seconds the method may take before that check fails.
    """

    registry: Registry
    spec: MethodSpec
    params: Mapping[str, Any]
    context: RunContext
    budget_s: float
    grace_s: float

    def lift(
        self, observations: Observations, *, seed: int = 0, truth: Floats | None = None
    ) -> Reconstruction:
        """Fit a new instance to observations and return its reconstruction of them.

        A supervised method is shown `truth`; without one, points that have any depth.
        """
        return self.predict(self._fit(observations, self.params, truth, seed=seed), observations)

    def fit_new(self, observations: Observations, *, seed: int = 0) -> Method:
        """Fit a new instance to observations and return it."""
        return self._fit(observations, self.params, seed=seed)

    def predict(self, method: Method, observations: Observations) -> Reconstruction:
        """Return what a fitted instance reconstructs from what the runner would show it."""
        can = self.spec.capabilities
        prediction = predict_and_check(method, show_at_predict(can, observations))
        return to_data_unit(prediction, observations) if can.images else prediction

    def fit_in_a_hurry(self, observations: Observations) -> Method:
        """Fit a new instance, with default parameters and the short budget, and return it."""
        return self._fit(observations, {}, budget_s=self.budget_s)

    def restore_new(self, method: Method) -> Method:
        """Return a new instance that is restored from the state of a fitted one, by a file."""
        scratch = Path(tempfile.mkdtemp(dir=self.context.scratch))
        save_state(method, scratch / STATE_FILE)
        kept = make_method(self.spec, self.params)
        source: KeptState = {
            "method": self.spec.key,
            "params": dict(self.params),
            "file": str(scratch / STATE_FILE),
            "source": str(scratch),
        }
        restore_state(kept, source, replace(self.context, scratch=scratch))
        return kept

    def observe(self, name: str, *, boxes: bool = False, **size: int) -> Observations:
        """Return a scene of the method's first camera, with hidden points if it takes them."""
        can = self.spec.capabilities
        return self.view(can.cameras[0], name, hidden=can.missing_points, boxes=boxes, **size)

    def view(
        self,
        camera: Camera,
        name: str,
        *,
        hidden: bool = False,
        boxes: bool = False,
        **size: int,
    ) -> Observations:
        """Return a scene, with pictures and masks if the method reconstructs from images."""
        folder = None
        if self.spec.capabilities.images:
            parts = map(str, (camera, name, *size.values()))
            folder = self.context.scratch / "pictures" / "-".join(parts)
        seen = scene(camera, name, hidden=hidden, boxes=boxes, pictures=folder, **size)
        return self.require_able(seen.observations)

    def require_able(self, observations: Observations) -> Observations:
        """Return the observations if the method can take them.

        Raises:
            IncapableError: its capabilities say that it cannot.
        """
        if reason := incompatibility(self.spec.capabilities, observations):
            raise IncapableError(reason)
        return observations

    def _fit(
        self,
        observations: Observations,
        given: Mapping[str, Any],
        truth: Floats | None = None,
        **changes: float,
    ) -> Method:
        scratch, can = Path(tempfile.mkdtemp(dir=self.context.scratch)), self.spec.capabilities
        context = replace(self.context, scratch=scratch, truth=None, **changes)  # type: ignore[arg-type]
        fitted = teachers_in_process(self.registry, self.spec, given, observations, context)
        seed_generators(context.seed)
        method = make_method(self.spec, given)
        if can.supervised:
            context = replace(context, truth=_any_depth(observations) if truth is None else truth)
        method.fit(show_at_fit(can, observations), replace(context, fitted=fitted))
        return method


def _any_depth(observations: Observations) -> Floats:
    """Return points (F, P, 3) for a supervised method; no check asks how well it lifts them."""
    flat = np.where(observations.visible[..., None], observations.points_2d, 0.0)
    return np.concatenate([flat, 10 + flat.sum(axis=2, keepdims=True)], axis=2)


def takes_orthographic_cameras(candidate: Candidate) -> None:
    """The method lifts points that an orthographic camera sees."""
    _takes("orthographic", candidate)


def takes_weak_perspective_cameras(candidate: Candidate) -> None:
    """The method lifts points that a weak perspective camera sees."""
    _takes("weak_perspective", candidate)


def takes_perspective_cameras(candidate: Candidate) -> None:
    """The method lifts points that a perspective camera sees."""
    _takes("perspective", candidate)


def _takes(camera: Camera, candidate: Candidate) -> None:
    candidate.lift(candidate.view(camera, "complete"))


def takes_hidden_points(candidate: Candidate) -> None:
    """The method lifts frames with hidden points, for each of its cameras."""
    for camera in candidate.spec.capabilities.cameras:
        candidate.lift(candidate.view(camera, "hidden", hidden=True))


def takes_boxes_and_sizes_of_pixels(candidate: Candidate) -> None:
    """The method lifts several sequences whose frames have boxes and pixel sizes."""
    candidate.lift(candidate.observe("boxes", boxes=True, sequences=2))


def never_reads_hidden_points(candidate: Candidate) -> None:
    """The values at hidden points do not change the method's result."""
    for camera in candidate.spec.capabilities.cameras:
        seen = candidate.view(camera, "hidden", hidden=True)
        filled = _Unchecked(**{field.name: getattr(seen, field.name) for field in fields(seen)})
        points = np.where(seen.visible[..., None], seen.points_2d, _FILL)
        object.__setattr__(filled, "points_2d", points)
        if digest(candidate.lift(seen)) != digest(candidate.lift(filled)):
            raise BrokenPromiseError(
                f"its result changes when hidden points are {_FILL:g} instead of NaN ({camera})"
            )


class _Unchecked(Observations):
    """Observations that may have values at hidden points."""

    def __post_init__(self) -> None:
        pass


def takes_single_pictures(candidate: Candidate) -> None:
    """The method reconstructs a single frame from its picture and box."""
    _require_images(candidate)
    method = candidate.fit_new(candidate.observe("train"))
    candidate.predict(method, candidate.observe("single", sequences=1, frames=1))


def predicts_from_pictures_alone(candidate: Candidate) -> None:
    """Points and masks of the frames to predict do not change the method's result."""
    _require_images(candidate)
    if candidate.spec.capabilities.given_points:
        raise NotCheckedError("it is given the points")
    method, seen = candidate.fit_new(candidate.observe("train")), candidate.observe("alone")
    first = digest(candidate.predict(method, seen))
    for mask in seen.images.masks or () if seen.images else ():
        Image.fromarray(~np.asarray(Image.open(mask))).save(mask)
    moved = replace(seen, points_2d=seen.points_2d + _FILL)
    if digest(candidate.predict(method, moved)) != first:
        raise BrokenPromiseError("its result changes with points or masks that it is not shown")


def _require_images(candidate: Candidate) -> None:
    if not candidate.spec.capabilities.images:
        raise NotCheckedError("it does not reconstruct from images")


def lifts_unseen_frames(candidate: Candidate) -> None:
    """The method lifts frames that it was not fitted on, whether fewer or more than those."""
    if candidate.spec.capabilities.transductive:
        raise IncapableError("the method can only reconstruct the frames it was fitted on")
    method = candidate.fit_new(candidate.observe("train"))
    for frames in (10, 40):
        candidate.predict(method, candidate.observe("unseen", frames=frames))


def leaves_its_input_alone(candidate: Candidate) -> None:
    """`fit` and `predict` do not change the observations."""
    given = show_at_fit(candidate.spec.capabilities, candidate.observe("train"))
    kept = copy.deepcopy(given)
    candidate.lift(given)
    if names := differing_fields(kept, given):
        raise BrokenPromiseError(f"it changes `{names[0]}` of the observations")


def heeds_the_seed(candidate: Candidate) -> None:
    """Two seeds give two results if and only if the spec says that the method is seeded."""
    first, second = (digest(candidate.lift(candidate.observe("train"), seed=s)) for s in (0, 1))
    seeded = candidate.spec.capabilities.seeded
    if seeded and first == second:
        raise BrokenPromiseError("seeds 0 and 1 give one result: set Capabilities.seeded=False")
    if not seeded and first != second:
        raise BrokenPromiseError("seeds 0 and 1 give two results: set Capabilities.seeded=True")


def parts_fit_together(candidate: Candidate) -> None:
    """Rotations are orthogonal and turn canonical points into the points, up to their size."""
    lifted = candidate.lift(candidate.observe("train"))
    if lifted.rotation is None:
        raise NotCheckedError("it returns no rotation")
    product = lifted.rotation @ lifted.rotation.swapaxes(1, 2)
    wrong = np.abs(product - np.eye(3)).max() + np.abs(np.linalg.det(lifted.rotation) - 1).max()
    if wrong > _TOLERANCE:
        raise BrokenPromiseError(f"`rotation` differs from rotations by {wrong:.1g}")
    if lifted.canonical_3d is None:
        return
    turned = _unit(lifted.canonical_3d @ lifted.rotation.swapaxes(1, 2))
    wrong = float(np.linalg.norm(turned - _unit(lifted.points_3d), axis=(1, 2)).max())
    if wrong > _TOLERANCE:
        raise BrokenPromiseError(
            f"`canonical_3d`, rotated, differs from `points_3d` by {wrong:.1g}"
        )


def order_of_points_does_not_matter(candidate: Candidate) -> None:
    """If the order of the points changes, the result changes its order and nothing else."""
    _require_declared("permutable", candidate)
    seen = candidate.observe("train")
    order = np.random.default_rng(0).permutation(seen.points_2d.shape[1])
    expected = candidate.lift(seen).points_3d[:, order]
    found = candidate.lift(permute_points(seen, order)).points_3d
    _require_same(found, expected, "points in another order")


def result_turns_with_the_images(candidate: Candidate) -> None:
    """If images turn about the optical axis, the points of the fitted method turn with them."""
    _require_declared("rotatable", candidate)
    if candidate.spec.capabilities.images:
        raise NotCheckedError("its pictures would have to be turned")
    seen, turn = candidate.observe("train"), turn_about_the_axis(_ANGLE)
    turned = replace(seen, points_2d=seen.points_2d @ turn[:2, :2].T)
    method = candidate.fit_new(seen)
    expected = candidate.predict(method, seen).points_3d @ turn.T
    if candidate.spec.capabilities.transductive:
        method = candidate.fit_new(turned)
    _require_same(candidate.predict(method, turned).points_3d, expected, "rotated images")


def _require_declared(capability: str, candidate: Candidate) -> None:
    if not getattr(candidate.spec.capabilities, capability):
        raise NotCheckedError(f"the spec does not declare it {capability}")


def _require_same(found: Floats, expected: Floats, how: str) -> None:
    """Raise unless all frames agree up to their position and the sign of depth."""
    found, expected = subtract_mean(found), subtract_mean(expected)
    size = np.linalg.norm(expected, axis=(1, 2))
    mirrored = found * np.array([1, 1, -1])
    errors = [np.linalg.norm(either - expected, axis=(1, 2)) for either in (found, mirrored)]
    wrong = float((np.minimum(*errors) / size).max())
    if not wrong <= _TOLERANCE:
        raise BrokenPromiseError(f"{how}: its result differs by {wrong:.1%}")


def _unit(points: Floats) -> Floats:
    """Return points (F, P, 3) minus their mean, each frame scaled to norm 1."""
    relative = subtract_mean(points)
    unit: Floats = relative / np.linalg.norm(relative, axis=(1, 2), keepdims=True)
    return unit


def keeps_its_state(candidate: Candidate) -> None:
    """A new instance that is restored from the state gives the same result, bit for bit."""
    seen, method = _fitted_teacher(candidate, candidate.spec.capabilities.cameras[0])
    kept = candidate.restore_new(method)
    for name, wanted in results_of(method, seen).items():
        if results_of(kept, seen).get(name) != wanted:
            raise BrokenPromiseError(f"restored from its state, it gives another `{name}`")


def teaches_what_it_predicts(candidate: Candidate) -> None:
    """Dictionary, codes and cameras give the method's own x and y about their mean."""
    seen, method = _fitted_teacher(candidate, "orthographic")
    expected = subtract_mean(candidate.predict(method, seen).points_3d[..., :2])
    wrong = np.abs(subtract_mean(reprojection(method, seen)) - expected).max()
    if not wrong <= _EXACT * np.abs(expected).max():
        raise BrokenPromiseError(f"its reprojection differs from its prediction by {wrong:.1g}")


def _fitted_teacher(candidate: Candidate, camera: Camera) -> tuple[Observations, Method]:
    """Return a method that can be a teacher, and what it was fitted to."""
    if not candidate.spec.exposes:
        raise NotCheckedError("the spec does not say that it can be a teacher")
    hidden = candidate.spec.capabilities.missing_points
    seen = candidate.require_able(scene(camera, "train", hidden=hidden).observations)
    return seen, candidate.fit_new(seen)


def stops_within_its_budget(candidate: Candidate) -> None:
    """With default parameters and a short budget the method ends in time or raises TimeoutError."""
    seen, start = candidate.observe("train"), time.monotonic()
    with contextlib.suppress(TimeoutError):
        candidate.predict(candidate.fit_in_a_hurry(seen), seen)
    late = time.monotonic() - start - candidate.budget_s
    if late > candidate.grace_s:
        raise BrokenPromiseError(
            f"its budget was {candidate.budget_s:g} s; it ended {late:.1f} s after that"
        )


MethodCheck = Callable[[Candidate], None]
METHOD_CHECKS: tuple[MethodCheck, ...] = (
    takes_orthographic_cameras,
    takes_weak_perspective_cameras,
    takes_perspective_cameras,
    takes_hidden_points,
    takes_boxes_and_sizes_of_pixels,
    never_reads_hidden_points,
    takes_single_pictures,
    predicts_from_pictures_alone,
    lifts_unseen_frames,
    leaves_its_input_alone,
    heeds_the_seed,
    parts_fit_together,
    order_of_points_does_not_matter,
    result_turns_with_the_images,
    keeps_its_state,
    teaches_what_it_predicts,
    stops_within_its_budget,
)
