"""Networks that are trained for a few steps, once for all tests of relations."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.plugins.conftest import before_a_camera, fit_method, observe, random_mask, rigid_views

from liftbench import Observations
from liftbench.types import Bools, Camera, Floats
from liftbench_plugins.learned.deep_nrsfm.lifter import DeepNrsfm

CASES: list[tuple[Camera, bool]] = [
    ("orthographic", False),
    ("orthographic", True),
    ("perspective", False),
    ("perspective", True),
]
"""Camera models, and whether points are hidden."""
BRIEF = {"sizes": (16, 8, 4), "starts": 1, "start_steps": 10, "steps": 20}


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
