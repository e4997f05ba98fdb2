"""Methods that mark the parts of their predictions, and one whose predictions change each call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liftbench import MethodSpec, Observations, Reconstruction, RunContext, hookimpl, time_part


@dataclass(frozen=True)
class PartParams:
    parts: tuple[str, ...] = ("network", "optimisation")
    least_frames: int = 1


class Parts:
    """Marks parts; every call predicts other depths."""

    def __init__(self, parts: tuple[str, ...], least_frames: int) -> None:
        self.parts, self.least_frames = parts, least_frames

    def fit(self, observations: Observations, context: RunContext) -> None:
        self.calls = 0

    def predict(self, observations: Observations) -> Reconstruction:
        if observations.frames < self.least_frames:
            raise ValueError(f"expected {self.least_frames} frames, got {observations.frames}")
        self.calls += 1
        depth = np.zeros((*observations.points_2d.shape[:2], 1))
        for part in self.parts:
            with time_part(part):
                depth[:, self.calls % 5] += self.calls
        return Reconstruction(np.concatenate([observations.points_2d, depth], axis=2))


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    return [MethodSpec("parts", "Parts", "tests", Parts, PartParams)]
