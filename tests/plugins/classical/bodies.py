"""Deforming bodies before turning cameras: the scenes on which classical methods are tested."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, RotationSpline

from liftbench import Observations, Skeleton
from liftbench.cameras import random_rotations, subtract_mean
from liftbench.types import Bools, Floats
from liftbench_plugins.classical.shapes.procrustes import deformation_basis

MIRROR = np.diag([1.0, 1.0, -1.0])
"""Mirrors points in depth."""


def observe(
    image: Floats, visible: Bools | None = None, sequence: NDArray[np.int64] | None = None
) -> Observations:
    """Return the observations of orthographic images (F, P, 2), by default of one sequence."""
    if visible is None:
        visible = np.ones(image.shape[:2], dtype=np.bool_)
    if sequence is None:
        sequence = np.zeros(len(image), dtype=np.int64)
    return Observations(
        np.where(visible[..., None], image, np.nan),
        visible,
        sequence,
        "orthographic",
        Skeleton(tuple(map(str, range(image.shape[1])))),
    )


@dataclass(frozen=True, eq=False)
class Scene:
    """A body whose shapes combine few basis shapes, its cameras and its images.

    Attributes:
        weights: (F, K).
        basis: (K, P, 3), each basis shape centred.
        rotation: (F, 3, 3), body to camera.
        image: (F, P, 2), with noise and in place.
        visible: (F, P).
    """

    weights: Floats
    basis: Floats
    rotation: Floats
    image: Floats
    visible: Bools

    @property
    def shape(self) -> Floats:
        """The points in the body's frame, (F, P, 3)."""
        shape: Floats = np.tensordot(self.weights, self.basis, axes=1)
        return shape

    @property
    def points(self) -> Floats:
        """The centred points in the camera's frame, (F, P, 3)."""
        return self.shape @ self.rotation.swapaxes(1, 2)

    @property
    def observations(self) -> Observations:
        return observe(self.image, self.visible)

    def taken(self, frames: NDArray[np.intp], points: NDArray[np.intp]) -> Scene:
        """Return the scene of some frames and points in a new order."""
        return Scene(
            self.weights[frames],
            self.basis[:, points],
            self.rotation[frames],
            self.image[frames][:, points],
            self.visible[frames][:, points],
        )

    def with_image(self, image: Floats) -> Scene:
        return replace(self, image=image)

    def error(self, found: Floats) -> float:
        """Return e3d by its definition: each frame at its best size and orthogonal turn."""
        return e3d(found, self.points)


def e3d(found: Floats, truth: Floats) -> float:
    """Return the mean distance of frames (F, P, 3) of unit norm after the best orthogonal turn."""
    found, truth = subtract_mean(found), subtract_mean(truth)
    found, truth = (x / np.linalg.norm(x, axis=(1, 2), keepdims=True) for x in (found, truth))
    left, _, right = np.linalg.svd(found.swapaxes(1, 2) @ truth)
    return float(np.linalg.norm(found @ left @ right - truth, axis=(1, 2)).mean())


def mirrored_error(found: Floats, truth: Floats) -> float:
    """Return ‖found - truth‖ / ‖truth‖ of all frames, mirrored in depth if that is better."""
    found, truth = subtract_mean(found), subtract_mean(truth)
    gap = min(np.linalg.norm(found - other) for other in (truth, truth @ MIRROR))
    return float(gap / np.linalg.norm(truth))


def scene_of(weights: Floats, rotation: Floats, points: int, rng: np.random.Generator) -> Scene:
    """Return the scene of a random basis with given weights (F, K) and cameras (F, 3, 3)."""
    basis = subtract_mean(rng.standard_normal((weights.shape[1], points, 3)))
    image = np.tensordot(weights, basis, axes=1) @ rotation[:, :2].swapaxes(1, 2)
    return Scene(weights, basis, rotation, image, np.ones(image.shape[:2], dtype=np.bool_))


def random_scene(
    rank: int = 2, frames: int = 40, points: int = 15, *, mean: bool = False, seed: int = 0
) -> Scene:
    """Return a scene with random weights and cameras; with `mean`, one weight is always 1."""
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((frames, rank))
    if mean:
        weights = np.concatenate([np.ones((frames, 1)), 0.4 * weights[:, 1:]], axis=1)
    return scene_of(weights, random_rotations(rng, frames), points, rng)


def moving_scene(
    rank: int = 2,
    frames: int = 100,
    points: int = 20,
    *,
    noise: float = 0.0,
    hidden: float = 0.0,
    seed: int = 0,
) -> Scene:
    """Return a body that moves smoothly about its mean shape, before a smooth camera.

    Args:
        rank: the number of basis shapes, of which the mean is one.
        frames: F.
        points: P.
        noise: of the image, as a share of the standard deviation of the points.
        hidden: share of hidden points.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, frames)
    waves = [0.5 * np.sin(2 * np.pi * (k + 1) * time + k) for k in range(rank - 1)]
    weights = np.stack([np.ones(frames), *waves], axis=1)
    keys = Rotation.from_rotvec(rng.standard_normal((7, 3)).cumsum(axis=0))
    rotation = RotationSpline(np.linspace(0, 1, 7), keys)(time).as_matrix()
    scene = scene_of(weights, rotation, points, rng)
    image = scene.image + np.array([30.0, 20.0])
    image = image + noise * scene.points.std() * rng.standard_normal(image.shape)
    return replace(scene, image=image, visible=rng.random(image.shape[:2]) >= hidden)


def turning_cameras(frames: int, turns: float = 2.0) -> Floats:
    """Return cameras (F, 3, 3) that turn about an axis which changes slowly."""
    angles = np.linspace(0, 2 * np.pi * turns, frames)
    axes = np.stack([0.3 * np.sin(angles / 2), np.ones(frames), 0.2 * np.cos(angles)], axis=1)
    vectors = angles[:, None] * axes / np.linalg.norm(axes[0])
    rotation: Floats = Rotation.from_rotvec(vectors).as_matrix()
    return rotation


def unit(shape: Floats) -> Floats:
    """Return a shape of norm 1."""
    normed: Floats = shape / np.linalg.norm(shape)
    return normed


@dataclass(frozen=True, eq=False)
class Similar:
    """Shapes X (F, n, 3) with s X T = the mean plus deformations."""

    shape: Floats
    size: Floats
    turn: Floats
    mean: Floats


def similar_shapes(spread: float = 0.0, frames: int = 30, points: int = 6) -> Similar:
    """Return shapes whose deformations have a given standard deviation."""
    rng = np.random.default_rng(0)
    mean = unit(rng.standard_normal((points, 3)))
    basis = deformation_basis(mean)
    change = spread * rng.standard_normal((frames, basis.shape[1])) @ basis.T
    turn, size = random_rotations(rng, frames), rng.uniform(0.5, 2, frames)
    shape = (mean + change.reshape(-1, points, 3)) @ turn.swapaxes(1, 2) / size[:, None, None]
    return Similar(shape, size, turn, mean)
