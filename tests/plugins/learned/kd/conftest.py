"""A teacher of exact shapes, which tests of students share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from liftbench import Observations, RunContext, Skeleton
from liftbench.plugin.specs import Teacher
from liftbench.types import Bools, Floats

POINTS, ATOMS = 8, 12
SKELETON = Skeleton(
    tuple(f"p{i}" for i in range(POINTS)), left_right=((1, 2), (3, 4), (5, 6)), root=7
)


class ExactTeacher:
    """A teacher that knows the shapes of the frames, which it made.

    Args:
        frames: F.
        seed: of the shapes, cameras and places in the image.
        hidden: share of points that are hidden.
    """

    def __init__(self, frames: int, seed: int = 0, hidden: float = 0.0) -> None:
        rng = np.random.default_rng(seed)
        atoms = rng.standard_normal((POINTS, 3, ATOMS))
        self.dictionary: Floats = (atoms - atoms.mean(axis=0)).reshape(-1, ATOMS)
        self._codes = rng.standard_normal((frames, ATOMS)) / 4
        self.scale = rng.uniform(20, 60, frames)
        self.rotation = Rotation.random(frames, random_state=seed).as_matrix()
        shapes = (self._codes @ self.dictionary.T).reshape(frames, POINTS, 3)
        self.shapes: Floats = shapes @ self.rotation * self.scale[:, None, None]
        self.place: Floats = rng.uniform(-500, 500, (frames, 1, 2))
        self.visible: Bools = rng.random((frames, POINTS)) >= hidden

    def codes(self, observations: Observations) -> Floats:
        """Return the codes that made the frames."""
        return self._codes

    def cameras(self, observations: Observations) -> Floats:
        """Return the cameras that made the frames."""
        cameras: Floats = self.rotation[:, :, :2] * self.scale[:, None, None]
        return cameras

    @property
    def observations(self) -> Observations:
        """What a camera sees of the frames."""
        seen = np.where(self.visible[..., None], self.shapes[..., :2] + self.place, np.nan)
        return Observations(seen, self.visible, np.arange(len(seen)), "orthographic", SKELETON)

    def context(self, scratch: Path, reports: list[tuple[int, int, float]]) -> RunContext:
        """Return the context of a run in which this is the teacher."""

        def fitted(key: str, params: Mapping[str, Any]) -> Teacher:
            assert (key, params) == ("exact", {"of": "tests"})
            return self

        def progress(step: int, steps: int, loss: float) -> None:
            reports.append((step, steps, loss))

        return RunContext(0, "cpu", 1, 60.0, scratch, progress, fitted)
