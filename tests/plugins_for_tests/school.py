"""Methods that teach, and methods that learn from them; see `tiny` for the dataset."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from liftbench import (
    Capabilities,
    Conformance,
    MethodSpec,
    Observations,
    Reconstruction,
    RunContext,
    TeacherRef,
    hookimpl,
)
from liftbench.cameras import subtract_mean
from liftbench.plugin.specs import EXPOSED
from liftbench.types import Floats

STEPS = 6


@dataclass(frozen=True)
class LecturerParams:
    """Parameters of a teacher.

    Attributes:
        log: file to which each fit writes a line; empty for none.
        hold: the fit waits at half of its steps until this file is there.
        fault: `error`, `exit` or `array`: how the fit fails.
    """

    log: str = ""
    hold: str = ""
    fault: str = ""


class Lecturer:
    """Learns a depth for each point from random draws; its codes are centred x, y and 1."""

    def __init__(self, log: str, hold: str, fault: str) -> None:
        self.log, self.hold, self.fault = log, hold, fault

    def fit(self, observations: Observations, context: RunContext) -> None:
        checkpoint = context.scratch / "step.json"
        first = json.loads(checkpoint.read_text("utf-8")) if checkpoint.exists() else 0
        write_line(self.log, f"{first} {context.seed} {os.getpid()}")
        for step in range(first, STEPS):
            checkpoint.write_text(json.dumps(step), encoding="utf-8")
            context.progress(step + 1, STEPS, 1 / (step + 1))
            while 2 * step >= STEPS and self.hold and not Path(self.hold).exists():
                time.sleep(0.02)
        if self.fault == "error":
            raise RuntimeError("no chalk")
        if self.fault == "exit":
            os._exit(3)
        rng, points = np.random.default_rng(context.seed), observations.points_2d.shape[1]
        self.depth = [rng.standard_normal() for _ in range(points)]

    def predict(self, observations: Observations) -> Reconstruction:
        shown = np.nan_to_num(observations.points_2d)
        return Reconstruction(np.dstack([shown, np.broadcast_to(self.depth, shown.shape[:2])]))

    @property
    def dictionary(self) -> Floats:
        """(3P, 2P + 1): x of each point, y of each point, all depths."""
        points = len(self.depth)
        atoms = np.zeros((points, 3, 2 * points + 1))
        for point in range(points):
            atoms[point, 0, point] = atoms[point, 1, points + point] = 1
        atoms[:, 2, -1] = self.depth
        return atoms.reshape(3 * points, -1)

    def codes(self, observations: Observations) -> Floats:
        flat = subtract_mean(np.nan_to_num(observations.points_2d)).swapaxes(1, 2)
        return np.pad(flat.reshape(len(flat), -1), ((0, 0), (0, 1)), constant_values=1)

    def cameras(self, observations: Observations) -> Floats:
        return np.broadcast_to(np.eye(3)[:, :2], (observations.frames, 3, 2)).copy()

    def state(self) -> dict[str, Any]:
        return {"depth": np.array(self.depth) if self.fault == "array" else self.depth}

    def restore(self, state: dict[str, Any], context: RunContext) -> None:
        self.depth = state["depth"]


class Mute(Lecturer):
    """Teaches nothing."""


@dataclass(frozen=True)
class PupilParams:
    """Parameters of a student.

    Attributes:
        spread: how far depths lie from those of the teacher.
        teacher, teacher_params: what it declares as its teacher.
        asks: what it asks for, if that is another one.
    """

    spread: float = 0.0
    teacher: str = "lecturer"
    teacher_params: dict[str, Any] = field(default_factory=dict)
    asks: str = ""


class Pupil:
    """Repeats the depths of its teacher, with some noise of its own."""

    def __init__(self, **given: Any) -> None:
        self.params = PupilParams(**given)

    def fit(self, observations: Observations, context: RunContext) -> None:
        params = self.params
        teacher = context.fitted(params.asks or params.teacher, params.teacher_params)
        assert context.fitted(params.asks or params.teacher, params.teacher_params) is teacher
        shape = teacher.dictionary @ teacher.codes(observations).T
        self.depth = shape.reshape(-1, 3, observations.frames)[:, 2].mean(axis=1)
        self.depth += params.spread * np.random.standard_normal(len(self.depth))  # noqa: NPY002

    def predict(self, observations: Observations) -> Reconstruction:
        shown = np.nan_to_num(observations.points_2d)
        return Reconstruction(np.dstack([shown, np.broadcast_to(self.depth, shown.shape[:2])]))


def teachers(params: Mapping[str, Any]) -> Sequence[TeacherRef]:
    return [TeacherRef(params["teacher"], params["teacher_params"])]


def write_line(file: str, line: str) -> None:
    if file:
        with Path(file).open("a", encoding="utf-8") as lines:
            print(line, file=lines)


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    return [
        MethodSpec("lecturer", "Lecturer", "tests", Lecturer, LecturerParams, exposes=EXPOSED),
        MethodSpec("mute", "Mute", "tests", Mute, LecturerParams, exposes=("codes",)),
        MethodSpec(
            "pupil",
            "Pupil",
            "tests",
            Pupil,
            PupilParams,
            capabilities=Capabilities(missing_points=True),
            conformance=Conformance({"spread": 1.0}),
            teachers=teachers,
        ),
        MethodSpec(
            "apprentice", "A pupil that sees all", "tests", Pupil, PupilParams, teachers=teachers
        ),
        MethodSpec(
            "assistant",
            "A pupil that teaches",
            "tests",
            Pupil,
            PupilParams,
            exposes=EXPOSED,
            teachers=teachers,
        ),
    ]
