"""Teachers in an examination: those of a student, fitted in its process, and what they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from liftbench.plugin.registry import Registry
from liftbench.plugin.specs import Fitted, Method, MethodSpec, RunContext, Teacher
from liftbench.runs.compatibility import incompatibility
from liftbench.runs.exchange import Declared, digest
from liftbench.runs.firewall import show_at_fit
from liftbench.runs.fits.generators import seed_generators
from liftbench.runs.fits.states import Teachers
from liftbench.runs.method_params import params_of_run, teachers_of_run
from liftbench.testing.outcomes import BrokenPromiseError, IncapableError
from liftbench.types import Floats, Observations

_ROUNDING = 1e-6


def reprojection(method: Method, observations: Observations) -> Floats:
    """Return reshape(dictionary @ code, (P, 3)) @ camera of every frame (F, P, 2).

    Raises:
        BrokenPromiseError: a part has another shape, or the columns of a camera are not orthogonal
            and of one length.
    """
    teacher = cast(Teacher, method)
    frames, points = observations.points_2d.shape[:2]
    dictionary, codes = teacher.dictionary, teacher.codes(observations)
    cameras = teacher.cameras(observations)
    atoms = dictionary.shape[1] if dictionary.ndim == 2 else 0
    _require_shape("dictionary", dictionary, (3 * points, atoms))
    _require_shape("codes", codes, (frames, atoms))
    _require_shape("cameras", cameras, (frames, 3, 2))
    grams = cameras.swapaxes(1, 2) @ cameras
    size = np.trace(grams, axis1=1, axis2=2)[:, None, None] / 2
    if not np.abs(grams - size * np.eye(2)).max() <= _ROUNDING * size.max():
        raise BrokenPromiseError("columns of its cameras are not orthogonal and of one length")
    image: Floats = (codes @ dictionary.T).reshape(frames, points, 3) @ cameras
    return image


def results_of(method: Method, observations: Observations) -> dict[str, str]:
    """Return the digest of all that a fitted teacher gives for observations."""
    teacher = cast(Teacher, method)
    seed_generators(0)  # for a method that draws when it predicts
    found = {"prediction": digest(method.predict(observations))}
    if observations.camera == "perspective":
        return found
    arrays = {
        "dictionary": teacher.dictionary,
        "codes": teacher.codes(observations),
        "cameras": teacher.cameras(observations),
    }
    return found | {name: array.tobytes().hex() for name, array in arrays.items()}


def _require_shape(name: str, array: Floats, shape: tuple[int, ...]) -> None:
    if array.shape != shape or not np.isfinite(array).all():
        raise BrokenPromiseError(f"{name}: expected finite {shape}, got {array.shape}")


def teachers_in_process(
    registry: Registry,
    spec: MethodSpec,
    given: Mapping[str, Any],
    observations: Observations,
    context: RunContext,
) -> Fitted:
    """Return `RunContext.fitted` of a method, which fits its teachers to the same observations.

    Args:
        registry: where teachers are looked up.
        spec: the student.
        given: its parameters that differ from the defaults.
        observations: what it is fitted to.
        context: its context.
    """
    teachers = teachers_of_run(registry, spec, params_of_run(spec, given))
    declared = [Declared(method=t["key"], params=t["params"]) for t in teachers]

    def fit(number: int, method: Method, context: RunContext) -> None:
        can = registry.methods[declared[number]["method"]].capabilities
        if reason := incompatibility(can, observations):
            raise IncapableError(f"its teacher: {reason}")
        seed = context.seed if can.seeded else 0
        seed_generators(seed)
        method.fit(show_at_fit(can, observations), replace(context, seed=seed, truth=None))

    return Teachers(declared, registry, context, fit)
