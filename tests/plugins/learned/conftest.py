"""Exact scenes, random numbers and briefly trained networks that tests of learned methods share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from tests.plugins.conftest import before_a_camera, fit_method, observe, random_mask, rigid_views
from torch import Tensor

from liftbench import Observations
from liftbench.types import Bools, Camera, Floats
from liftbench_plugins.learned.deep_nrsfm.lifter import DeepNrsfm
from liftbench_plugins.learned.factorisation import NormalisedViews, normalise_views

CASES: list[tuple[Camera, bool]] = [
    ("orthographic", False),
    ("orthographic", True),
    ("perspective", False),
    ("perspective", True),
]
"""Camera models, and whether points are hidden."""
every_case = pytest.mark.parametrize(("camera_model", "missing"), CASES)
P, B = 5, 4
"""Points and frames of a scene."""
BRIEF = {"sizes": (16, 8, 4), "starts": 1, "start_steps": 10, "steps": 20}


def draw(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Return normally distributed numbers, the same ones for every type."""
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64).to(dtype)


def seeded(seed: int = 0) -> torch.Generator:
    """Return a generator of random numbers that starts from a seed."""
    return torch.Generator().manual_seed(seed)


def backward(loss: Tensor) -> None:
    """Compute the gradients of a loss, by a call that torch has no type for."""
    loss.backward()  # type: ignore[no-untyped-call]


def fit_deep_nrsfm(
    key: str, observations: Observations, tmp_path: Path, **params: Any
) -> DeepNrsfm:
    """Return a variant of Deep NRSfM after a few steps of training."""
    method = fit_method(key, observations, tmp_path, **{**BRIEF, **params})
    assert isinstance(method, DeepNrsfm)
    return method


class Fitted(NamedTuple):
    """A method after a few steps of training, and what it was trained on."""

    method: DeepNrsfm
    views: Floats
    camera: Camera
    visible: Bools | None

    @property
    def observations(self) -> Observations:
        """What the camera sees of the views."""
        return observe(self.views, self.camera, self.visible)


def make_views(camera: Camera, *, missing: bool, frames: int = 40) -> tuple[Floats, Bools | None]:
    """Return a rigid shape in many frames, in front of the camera, and which points are visible."""
    views = rigid_views(frames)
    if camera == "perspective":
        views = before_a_camera(views)
    return views, random_mask(views.shape) if missing else None


VARIANTS = [
    (key, camera, missing)
    for key in ("deep_nrsfm_pp", "deep_nrsfm_pp_consist")
    for camera, missing in CASES
]


def _name(variant: tuple[str, Camera, bool]) -> str:
    key, camera, missing = variant
    return f"{key}-{camera}-{'hidden' if missing else 'complete'}"


@pytest.fixture(scope="session", params=VARIANTS, ids=_name)
def fitted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """Return each variant of Deep NRSfM++ under each camera, with and without hidden points."""
    key, camera, missing = request.param
    views, visible = make_views(camera, missing=missing)
    observations = observe(views, camera, visible)
    method = fit_deep_nrsfm(
        key, observations, tmp_path_factory.mktemp("fitted"), mirroring="shared"
    )
    return Fitted(method, views, camera, visible)


class Scene(NamedTuple):
    """Exact shapes, cameras and images; the frames come first.

    Attributes:
        shapes: (B, P, 3), centred.
        rotations: (B, 3, 3).
        images: (B, P, 2), moved away from the axis of the camera.
        masks: (B, P), ones and zeros.
        t_z: (B,), the depth of each shape's centre; None for an orthographic camera.
    """

    shapes: Floats
    rotations: Floats
    images: Floats
    masks: Floats
    t_z: Floats | None

    @property
    def camera(self) -> Tensor:
        """The cameras (3, a, B)."""
        columns = 2 if self.t_z is None else 3
        return torch.from_numpy(self.rotations[:, :, :columns]).permute(1, 2, 0).contiguous()

    @property
    def shape(self) -> Tensor:
        """The shapes (P, 3, B)."""
        return torch.from_numpy(self.shapes).permute(1, 2, 0).contiguous()


def make_scene(camera_model: Camera, missing: bool, seed: int = 0) -> Scene:
    """Return the images of random shapes; `missing` hides one or two points of each frame."""
    rng = np.random.default_rng(seed)
    shapes = rng.standard_normal((B, P, 3))
    shapes -= shapes.mean(axis=1, keepdims=True)
    rotations = Rotation.random(B, random_state=seed).as_matrix()
    seen = shapes @ rotations
    translation = rng.standard_normal((B, 1, 2))
    t_z = rng.uniform(6, 9, B) if camera_model == "perspective" else None
    images = seen[..., :2] + translation
    if t_z is not None:
        images = images / (seen[..., 2:] + t_z[:, None, None])
    masks = np.ones((B, P))
    if missing:
        for frame in range(B):
            masks[frame, rng.permutation(P)[: 1 + frame % 2]] = 0
    return Scene(shapes, rotations, images, masks, t_z)


def views_of(scene: Scene, fill: float = 0.0) -> NormalisedViews:
    """Return the normalised views of a scene, in which hidden points have the value `fill`."""
    points = np.where(scene.masks[..., None] > 0, scene.images, fill)
    complete = bool(scene.masks.all())
    return normalise_views(
        torch.from_numpy(points).permute(1, 2, 0).contiguous(),
        None if complete else torch.from_numpy(scene.masks.T.copy()),
        None if scene.t_z is None else torch.from_numpy(scene.t_z),
    )
