"""The pose of a camera from 3D points and their places in its image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import rq

from liftbench.types import Floats

# Points whose smallest extent is below this share of the largest one count as lying in a plane,
# where neither fit is unique.
_FLAT = 1e-6


@dataclass(frozen=True)
class Pose:
    """A camera and the misfit of its image.

    Attributes:
        rotation: (3, 3) from the points' frame to the camera's; its determinant is -1 if the
            image is mirrored.
        translation: (3,) in the points' unit.
        intrinsics: (3, 3), upper triangular, from the unit focal plane to the image; that of an
            orthographic camera is diag(scale, scale, 1).
        misfit: root mean square of the distances between projected and image points, over that of
            the distances between image points and their mean.
    """

    rotation: Floats
    translation: Floats
    intrinsics: Floats
    misfit: float

    def place(self, points_3d: Floats) -> Floats:
        """Return (P, 3) points in the camera's frame."""
        placed: Floats = points_3d @ self.rotation.T + self.translation
        return placed


def fit_orthographic(points_3d: Floats, image: Floats) -> Pose:
    """Return the scaled orthographic camera nearest to the best affine one.

    Whether y points down does not follow from the image; if it does, z points away from the camera.

    Args:
        points_3d: (P, 3), at least 4.
        image: (P, 2).

    Raises:
        ValueError: the points lie in a plane.
    """
    _refuse_flat(points_3d, least=4)
    middle, centre = points_3d.mean(axis=0), image.mean(axis=0)
    affine = np.linalg.lstsq(points_3d - middle, image - centre, rcond=None)[0].T
    left, stretch, right = np.linalg.svd(affine, full_matrices=False)
    scale = stretch.mean()
    if not scale > 0:
        raise ValueError("all image points coincide")
    upper = left @ right
    rotation = np.vstack([upper, np.cross(*upper)])
    translation = np.append(centre / scale, 0) - rotation @ middle
    seen = (points_3d @ rotation.T + translation)[:, :2] * scale
    return Pose(rotation, translation, np.diag([scale, scale, 1.0]), _misfit(seen, image))


def fit_perspective(points_3d: Floats, image: Floats) -> Pose:
    """Return the pinhole camera by the direct linear transform.

    Args:
        points_3d: (P, 3), at least 6.
        image: (P, 2).

    Raises:
        ValueError: the points lie in a plane, or some lie behind the camera.
    """
    _refuse_flat(points_3d, least=6)
    world, to_world = _normalise(points_3d)
    seen, to_seen = _normalise(image)
    zeros = np.zeros_like(world)
    rows = np.concatenate(
        [
            np.concatenate([world, zeros, -seen[:, :1] * world], axis=1),
            np.concatenate([zeros, world, -seen[:, 1:2] * world], axis=1),
        ]
    )
    camera = np.linalg.svd(rows, full_matrices=False)[2][-1].reshape(3, 4)
    camera = np.linalg.inv(to_seen) @ camera @ to_world
    return _decompose(camera, points_3d, image)


def _decompose(camera: Floats, points_3d: Floats, image: Floats) -> Pose:
    """Return the pose of a (3, 4) camera matrix of any scale and sign."""
    depth = points_3d @ camera[2, :3] + camera[2, 3]
    camera = camera * np.sign(depth.sum())
    intrinsics, rotation = rq(camera[:, :3])
    signs = np.sign(np.diag(intrinsics))
    intrinsics, rotation = intrinsics * signs, signs[:, None] * rotation
    translation = np.linalg.solve(intrinsics, camera[:, 3])
    intrinsics = intrinsics / intrinsics[2, 2]
    placed = points_3d @ rotation.T + translation
    if not (placed[:, 2] > 0).all():
        raise ValueError("some points lie behind the camera")
    seen = (placed @ intrinsics.T)[:, :2] / placed[:, 2:]
    return Pose(rotation, translation, intrinsics, _misfit(seen, image))


def _normalise(points: Floats) -> tuple[Floats, Floats]:
    """Return homogeneous points with mean zero and mean distance 1, and the matrix to them."""
    middle = points.mean(axis=0)
    size = np.linalg.norm(points - middle, axis=1).mean()
    if not size > 0:
        raise ValueError("all image points coincide")
    matrix = np.eye(points.shape[1] + 1) / size
    matrix[:-1, -1] = -middle / size
    matrix[-1, -1] = 1
    homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    return homogeneous @ matrix.T, matrix


def _refuse_flat(points_3d: Floats, least: int) -> None:
    if len(points_3d) < least:
        raise ValueError(f"expected at least {least} points, got {len(points_3d)}")
    extent = np.linalg.svd(points_3d - points_3d.mean(axis=0), compute_uv=False)
    if not extent[2] > _FLAT * extent[0]:
        raise ValueError("the points lie in a plane")


def _misfit(seen: Floats, image: Floats) -> float:
    return float(np.linalg.norm(seen - image) / np.linalg.norm(image - image.mean(axis=0)))
