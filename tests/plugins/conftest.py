"""Scenes and short trainings that tests of several methods share."""

from __future__ import annotations

import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from liftbench import Observations, RunContext, Skeleton
from liftbench.cameras import project, random_rotations, subtract_mean
from liftbench.plugin.registry import Registry, load_registry
from liftbench.plugin.specs import Method
from liftbench.protocols.builtin import BUILTIN_PROTOCOLS
from liftbench.protocols.metrics import Metric, relative_norm
from liftbench.protocols.protocol import frame_errors
from liftbench.types import Bools, Camera, Floats, GroundTruth, Reconstruction

E3D = next(p for p in BUILTIN_PROTOCOLS if p.name == "e3d")


@cache
def registry() -> Registry:
    """Return the built-in plugins."""
    return load_registry()


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Use one thread: small products are faster so, on a busy machine too."""
    torch.set_num_threads(1)


def rigid_views(frames: int = 200, points: int = 9, seed: int = 0) -> Floats:
    """Return a random rigid shape under random rotations (F, P, 3)."""
    rng = np.random.default_rng(seed)
    shape = subtract_mean(rng.standard_normal((1, points, 3)))[0]
    views: Floats = shape @ random_rotations(rng, frames).swapaxes(1, 2)
    return views


def observe(
    points_3d: Floats, camera: Camera = "orthographic", visible: Bools | None = None
) -> Observations:
    """Return what a camera sees of points (F, P, 3) on a chain of bones."""
    count = points_3d.shape[1]
    if visible is None:
        visible = np.ones(points_3d.shape[:2], dtype=bool)
    return Observations(
        np.where(visible[..., None], project(points_3d, camera), np.nan),
        visible,
        np.zeros(len(points_3d), dtype=np.int64),
        camera,
        Skeleton(tuple(f"p{i}" for i in range(count)), tuple(pairwise(range(count)))),
    )


def before_a_camera(
    views: Floats, seed: int = 1, nearest: float = 12.0, farthest: float = 12.0
) -> Floats:
    """Return views (F, P, 3) moved in front of a perspective camera, away from its axis."""
    rng = np.random.default_rng(seed)
    place = rng.uniform([-2, -2, nearest], [2, 2, farthest], (len(views), 3))
    moved: Floats = views + place[:, None]
    return moved


def random_mask(shape: tuple[int, ...], hidden: float = 0.3, seed: int = 2) -> Bools:
    """Return a mask (F, P) that hides a share of the points."""
    visible: Bools = np.random.default_rng(seed).random(shape[:2]) >= hidden
    return visible


def mean_e3d(prediction: Reconstruction, points_3d: Floats) -> float:
    """Return the mean over frames of the normalised error e3d of a prediction."""
    zeros = np.zeros(len(points_3d), dtype=np.int64)
    truth = GroundTruth(points_3d, "m", np.full(len(points_3d), "all"), zeros)
    metric = registry().metrics["relative_norm"]
    assert isinstance(metric, Metric)
    assert metric.errors is relative_norm
    return float(frame_errors(E3D, metric, prediction, truth, Skeleton(("root",))).mean())


def fit_method(
    key: str, observations: Observations, tmp_path: Path, seed: int = 0, **params: Any
) -> Method:
    """Return the built-in method called `key`, fitted to observations."""
    spec = registry().methods[key]
    method = spec.make(**vars(spec.params(**params)))
    scratch = Path(tempfile.mkdtemp(dir=tmp_path))
    method.fit(observations, RunContext(seed, "cpu", 1, 1e6, scratch, lambda *_: None))
    return method
