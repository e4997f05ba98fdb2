"""Predictions in a child process: of the fitted method, and of a method in training."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liftbench.plugin.specs import Method
from liftbench.runs.exchange import read_observations, save_reconstructions
from liftbench.runs.fits.generators import remember_generators
from liftbench.types import Observations, Reconstruction

_SAMPLE = 500


def predict_and_check(method: Method, observations: Observations) -> Reconstruction:
    """Return the prediction of a fitted method after a check of its type and shape.

    Raises:
        TypeError: the prediction is not a `Reconstruction`.
        ValueError: the shape of its points is not (F, P, 3) with the observations' F and P.
    """
    prediction = method.predict(observations)
    if not isinstance(prediction, Reconstruction):
        raise TypeError(f"predict: expected a Reconstruction, got {type(prediction).__name__}")
    expected = (*observations.points_2d.shape[:2], 3)
    if prediction.points_3d.shape != expected:
        raise ValueError(
            f"predict: expected points_3d {expected}, got {prediction.points_3d.shape}"
        )
    return prediction


def sample_frames(frames: int) -> NDArray[np.int64]:
    """Return the indices of at most 500 of F frames, evenly spaced, that snapshots show."""
    return np.linspace(0, frames - 1, min(frames, _SAMPLE)).round().astype(np.int64)


def snapshot_folder(folder: Path) -> Path:
    """Return where a child process keeps the snapshots of its training."""
    return folder / "snapshots"


@dataclass
class Snapshots:
    """Keeps what a method in training predicts for a sample of frames; see `RunContext.snapshot`.

    The global random generators are set back, so that a training does not depend on its snapshots.

    Attributes:
        folder: folder of the child process.
        names: names of the observations to predict from.
        seconds: time that all snapshots took.
    """

    folder: Path
    names: Sequence[str]
    seconds: float = 0.0

    def __call__(self, step: int, method: Method) -> None:
        """Write the predictions after a number of steps."""
        start, set_back = time.perf_counter(), remember_generators()
        try:
            kept = {name: self._predict(name, method) for name in self.names}
        finally:
            set_back()
        file = snapshot_folder(self.folder) / f"{step}.npz"
        file.parent.mkdir(exist_ok=True)
        save_reconstructions(file, kept)
        self.seconds += time.perf_counter() - start

    def _predict(self, name: str, method: Method) -> Reconstruction:
        observations = read_observations(self.folder / f"{name}.npz")
        return predict_and_check(method, observations.take(sample_frames(observations.frames)))
