"""Methods in training that keep snapshots, and that learn from extra data; see `tiny`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liftbench import (
    Capabilities,
    MethodSpec,
    Observations,
    Reconstruction,
    RunContext,
    hookimpl,
)
from liftbench.types import Floats

STEPS = (2, 10, 100)  # not in the order of their names as text


@dataclass(frozen=True)
class TraineeParams:
    """Whether it keeps snapshots."""

    snapshots: bool = True


class Trainee:
    """After n steps its depths are those of the tiny data plus a slope of n along the points."""

    def __init__(self, snapshots: bool) -> None:
        self.snapshots = snapshots

    def fit(self, observations: Observations, context: RunContext) -> None:
        self.moved: Floats = np.random.standard_normal(1)  # noqa: NPY002 a global generator
        for step in STEPS:
            self.step = step
            if self.snapshots:
                context.snapshot(step, self)
        self.moved = np.random.standard_normal(1)  # noqa: NPY002

    def predict(self, observations: Observations) -> Reconstruction:
        frames, points = observations.points_2d.shape[:2]
        shown = np.zeros((frames, points, 3))
        shown[..., :2] = observations.points_2d
        shown[..., 2] = self.step * np.arange(points) + self.moved
        np.random.standard_normal(5)  # noqa: NPY002 must not change the training
        return Reconstruction(shown)


class Borrower:
    """Its depth is the number of frames of the extra data; -1 without such data."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        extra = context.extra
        self.depth = -1 if extra is None else extra.frames

    def predict(self, observations: Observations) -> Reconstruction:
        frames, points = observations.points_2d.shape[:2]
        depth = np.full((frames, points, 1), float(self.depth))
        return Reconstruction(np.concatenate([observations.points_2d, depth], axis=2))


class Rememberer:
    """Its depth is the mean of the points that it was fitted to."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        self.depth = float(observations.points_2d.mean())

    def predict(self, observations: Observations) -> Reconstruction:
        depth = np.full((*observations.points_2d.shape[:2], 1), self.depth)
        return Reconstruction(np.concatenate([observations.points_2d, depth], axis=2))


@dataclass(frozen=True)
class NoParams:
    """No parameters."""


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    return [
        MethodSpec("trainee", "Trainee", "tests", Trainee, TraineeParams),
        MethodSpec("rememberer", "Rememberer", "tests", Rememberer, NoParams),
        MethodSpec(
            "clinger",
            "It lifts what it was fitted to",
            "tests",
            Rememberer,
            NoParams,
            capabilities=Capabilities(transductive=True),
        ),
        MethodSpec(
            "borrower",
            "Borrower",
            "tests",
            Borrower,
            NoParams,
            capabilities=Capabilities(extra=True),
        ),
    ]
