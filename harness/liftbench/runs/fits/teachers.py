"""Fits the teachers of a run, once for all students."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from liftbench.errors import UserError
from liftbench.plugin.specs import EXPOSED, MethodSpec
from liftbench.runs.bench import Bench
from liftbench.runs.exchange import ChildOutcome
from liftbench.runs.fits.kept import KeptFit, KeptFits
from liftbench.runs.fits.task import make_task, obstacle_to_fit, write_lesson
from liftbench.runs.method_params import params_of_run, params_of_task
from liftbench.runs.process import run_child
from liftbench.runs.store import RunSpec, Status


class TeacherError(Exception):
    """A student cannot have its teacher; `status` is that of the student's row."""

    def __init__(self, teacher: str, status: Status, reason: str) -> None:
        super().__init__(f"teacher {teacher}: {reason}")
        self.status: Status = status


def fit_teachers(bench: Bench, spec: RunSpec, fits: KeptFits) -> tuple[KeptFit, ...]:
    """Return the fits of the teachers of a run; each is done now unless it is kept.

    Several students may ask at once, in threads of a command or in several commands: one fits, the
    others wait.

    Raises:
        TeacherError: a teacher cannot be fitted.
        CancelledRunError: the user stopped the harness.
    """
    return tuple(_fit_once(bench, _spec_of_fit(bench, spec, t), fits) for t in spec.teachers)


def fit_of_teacher(student: RunSpec, teacher: Mapping[str, Any], method: MethodSpec) -> RunSpec:
    """Return the spec of the fit of a teacher, whose fit key is that of the teacher's own rows.

    Args:
        student: a run of the student.
        teacher: the teacher, as in that run's spec.
        method: the teacher's method.
    """
    return replace(
        student,
        evaluate=(),
        method=teacher,
        seed=student.seed if method.capabilities.seeded else 0,
        corruption=student.corruptions("fit"),
        teachers=(),
        extra={},
    )


def _spec_of_fit(bench: Bench, student: RunSpec, teacher: Mapping[str, Any]) -> RunSpec:
    """Return the spec of a teacher's fit.

    Raises:
        TeacherError: there is no such teacher.
    """
    key = teacher["key"]
    try:
        spec = bench.registry.methods[key]
        params_of_run(spec, params_of_task(spec, teacher["params"]))
    except UserError as error:
        raise TeacherError(key, "failed", str(error)) from error
    if lacking := [part for part in EXPOSED if part not in spec.exposes]:
        raise TeacherError(key, "skipped", f"the method exposes no {', no '.join(lacking)}")
    if spec.teachers(teacher["params"]):
        raise TeacherError(key, "skipped", "the method has a teacher itself")
    return fit_of_teacher(student, teacher, spec)


def _fit_once(bench: Bench, spec: RunSpec, fits: KeptFits) -> KeptFit:
    """Return the fit of a teacher, which is done now unless it is kept or has failed before."""
    key = spec.fit_key
    with fits.claim(key, bench.cancel):
        kept = fits.find(key)
        if kept is None and key not in fits.failures:
            folder = fits.scratch(key)
            outcome = _fit(bench, spec, folder, fits)
            kept = fits.keep_outcome(spec, outcome, folder, bench.limits)
            shutil.rmtree(folder, ignore_errors=True)
    if kept is None:
        raise TeacherError(spec.method["key"], "failed", fits.failures[key]["error"])
    return kept


def _fit(bench: Bench, spec: RunSpec, folder: Path, fits: KeptFits) -> ChildOutcome:
    """Fit a teacher in a child process of its own.

    Raises:
        TeacherError: it cannot take the observations.
    """
    method = bench.registry.methods[spec.method["key"]]
    observations = bench.load_fit(spec)
    if reason := obstacle_to_fit(bench, spec, observations):
        raise TeacherError(method.key, "skipped", reason)
    folder.mkdir(parents=True, exist_ok=True)
    write_lesson(bench, spec, observations, folder)
    task = make_task(bench, spec, [])
    task["keep"] = True
    with fits.watch(spec) as on_progress:
        return run_child(folder, task, bench.limits, bench.cancel, on_progress)
