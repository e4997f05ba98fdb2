"""Sequences in the three classical forms that the tests write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from liftbench.cameras import random_rotations, subtract_mean
from liftbench.types import Dataset, Floats
from liftbench_datasets.nrsfm_classic.adapter import NrsfmClassic

FRAMES, POINTS = 6, 5


Content = dict[str, Any]


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def body() -> Floats:
    return rng().uniform(-40, 40, (FRAMES, POINTS, 3)) + 7


def cameras() -> Floats:
    return random_rotations(rng(), FRAMES)


def rows(frames: Floats) -> Floats:
    """Return a matrix of one row a coordinate, frame by frame."""
    return np.concatenate([frame.T for frame in frames])


def akhter(**changes: Any) -> Content:
    """Return what such a file holds: W is of the centred shape, beside a place of its own."""
    views = subtract_mean(body()) @ cameras().swapaxes(1, 2) + np.array([3.0, 4.0, 0.0])
    content = {
        "W": rows(views[..., :2]),
        "S": rows(body()),
        "Rs": cameras()[:, :2].reshape(-1, 3),
        "Shat": rows(body()),
        "list": np.array([[1, 2], [5, 3]], dtype=np.uint8),
        "K": 13.0,
        **changes,
    }
    return {name: value for name, value in content.items() if value is not None}


def torresani() -> Content:
    return {"P3_gt": np.concatenate([body()[..., i] for i in range(3)])}


def stacked() -> Content:
    return {"X": body().transpose(2, 1, 0)}


def write(root: Path, content: Content, name: str = "drink", **options: Any) -> Path:
    path = root / "nrsfm_classic" / f"{name}.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, content, **options)
    return path


def load(root: Path, name: str = "drink") -> Dataset:
    return NrsfmClassic().load(root, name, "all")
