"""Bodies that deform, and what cameras that turn see of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, RotationSpline

from liftbench import Observations, Reconstruction, RunContext, Skeleton


def seen(image, visible=None) -> Observations:
    """Return what is told of images (F, P, 2), the frames of one sequence."""
    visible = np.ones(image.shape[:2], dtype=bool) if visible is None else visible
    return Observations(
        np.where(visible[..., None], image, np.nan),
        visible,
        np.zeros(len(image), dtype=np.int64),
        "orthographic",
        Skeleton(tuple(map(str, range(image.shape[1])))),
    )


@dataclass(frozen=True)
class Scene:
    """Points before their cameras (F, P, 3), the images of them (F, P, 2) and what is visible."""

    points: np.ndarray
    image: np.ndarray
    visible: np.ndarray

    @property
    def observations(self) -> Observations:
        return seen(self.image, self.visible)

    def error(self, found: np.ndarray) -> float:
        """Return e3d: each frame at its best size and orthogonal turn, over its norm."""
        truth, found = (x - x.mean(axis=1, keepdims=True) for x in (self.points, found))
        truth, found = (x / np.linalg.norm(x, axis=(1, 2), keepdims=True) for x in (truth, found))
        left, _, right = np.linalg.svd(found.swapaxes(1, 2) @ truth)
        return float(np.linalg.norm(found @ left @ right - truth, axis=(1, 2)).mean())


@pytest.fixture(scope="session")
def make_scene() -> Callable[..., Scene]:
    """Return a maker of scenes of K basis shapes, the first of which is constant."""

    def make(
        rank: int = 2,
        frames: int = 100,
        points: int = 20,
        *,
        noise: float = 0.0,
        hidden: float = 0.0,
        seed: int = 0,
    ) -> Scene:
        rng = np.random.default_rng(seed)
        basis = rng.standard_normal((rank, points, 3))
        basis -= basis.mean(axis=1, keepdims=True)
        time = np.linspace(0, 1, frames)[:, None]
        waves = 0.5 * np.sin(2 * np.pi * (2 + np.arange(rank)) * time + np.arange(rank))
        waves[:, 0] = 1
        keys = Rotation.from_rotvec(rng.standard_normal((6, 3)).cumsum(axis=0))
        turn = RotationSpline(np.linspace(0, 1, 6), keys)(time[:, 0]).as_matrix()
        body = np.tensordot(waves, basis, axes=1) @ turn.swapaxes(1, 2)
        image = body[..., :2] + np.array([30.0, 20.0])
        image += noise * body.std() * rng.standard_normal(image.shape)
        return Scene(body, image, rng.random(image.shape[:2]) >= hidden)

    return make


@pytest.fixture(scope="session")
def observe() -> Callable[..., Observations]:
    return seen


@pytest.fixture
def solve(tmp_path) -> Callable[..., Reconstruction]:
    """Return a function that reconstructs what a spec's method sees."""

    def run(spec, observations, *, seed=0, **params) -> Reconstruction:
        method = spec.make(**params)
        method.fit(observations, RunContext(seed, "cpu", 1, 60.0, tmp_path, lambda *_: None))
        return method.predict(observations)

    return run
