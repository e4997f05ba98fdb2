"""Scores of what a reconstruction looks like: key points and masks in the image, and volumes.

They compare with the observations, or with meshes, as they are; the steps of a protocol that
bring points together do not apply. More is better.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import binary_fill_holes

from liftbench.types import Bools, Dataset, Floats, Mesh, Observations, Reconstruction

PCK_SHARE = 0.1  # of the longer edge of the box. Source: CMR; To The Point, section 4
GRID = 32  # voxels an edge. Source: To The Point, section 4


class LackingOutputError(ValueError):
    """A method does not return what a score is taken from, which is no failure of it."""


@dataclass(frozen=True)
class ViewMetric:
    """A score of each frame under its name.

    Attributes:
        name: name by which protocols refer to it.
        scores: from a reconstruction and its data to scores (F,), NaN where a frame has none.
        unit: `ratio` or `percent`.
        description: one sentence.
    """

    name: str
    scores: Callable[[Reconstruction, Dataset], Floats]
    unit: str
    description: str


def correct_keypoints(prediction: Reconstruction, data: Dataset) -> Floats:
    """Return the percentage of visible points of each frame that are reprojected close by.

    That is within a tenth of the longer edge of the box (PCK@0.1, CMR).

    Raises:
        LackingOutputError: there is no reprojection or no box.
    """
    observations = data.observations
    if observations.box is None:
        raise LackingOutputError("PCK needs boxes")
    distance = np.linalg.norm(reproject(prediction, observations) - observations.points_2d, axis=2)
    limit = PCK_SHARE * observations.box[:, 2:].max(axis=1, keepdims=True)
    visible = observations.visible
    close = (np.where(visible, distance, np.inf) <= limit).sum(axis=1)
    share: Floats = 100 * close / np.where(visible.any(axis=1), visible.sum(axis=1), np.nan)
    return share


def reproject(prediction: Reconstruction, observations: Observations) -> Floats:
    """Return where a reconstruction has its points in the image, (F, P, 2).

    Lifters say what shape points have, not where it is: without `points_2d`, an orthographic
    camera sees x and y of `points_3d`, moved so that visible points have their observed mean.

    Raises:
        LackingOutputError: another camera needs `points_2d`.
    """
    if prediction.points_2d is not None:
        return prediction.points_2d
    if observations.camera != "orthographic":
        raise LackingOutputError(
            f"PCK needs reprojected points (points_2d) of a {observations.camera} camera"
        )
    flat, shown = prediction.points_3d[..., :2], observations.visible[..., None]
    gaps = np.where(shown, observations.points_2d - flat, 0).sum(axis=1, keepdims=True)
    moved: Floats = flat + gaps / shown.sum(axis=1, keepdims=True).clip(1)
    return moved


def mask_overlap(prediction: Reconstruction, data: Dataset) -> Floats:
    """Return intersection over union of the reconstructed and the true mask of each frame.

    The reconstruction's mask is what its mesh covers in the image.

    Raises:
        LackingOutputError: there is no mesh.
        ValueError: there are no masks.
    """
    images = data.observations.images
    if prediction.vertices is None or prediction.faces is None:
        raise LackingOutputError("mask IoU needs a mesh (vertices and faces)")
    if images is None or images.masks is None:
        raise ValueError("mask IoU needs images with masks")
    scores = np.empty(len(images))
    for frame, vertices in enumerate(prediction.vertices):
        truth = images.mask(frame)
        scores[frame] = _overlap(mesh_pixels(vertices, prediction.faces, truth.shape), truth)
    return scores


def mesh_pixels(vertices: Floats, faces: NDArray[np.int64], shape: tuple[int, ...]) -> Bools:
    """Return which pixels (height, width) a mesh covers; x and y of its vertices are pixels."""
    height, width = shape
    canvas = Image.new("1", (width, height))
    draw = ImageDraw.Draw(canvas)
    for triangle in vertices[faces, :2].reshape(len(faces), 6).tolist():
        draw.polygon(triangle, fill=1)
    return np.asarray(canvas)


def volume_overlap(prediction: Reconstruction, data: Dataset) -> Floats:
    """Return intersection over union of the reconstructed and the true volume of each frame.

    Both are put on one grid of 32 voxels an edge, the bounding cube of the two.

    Raises:
        LackingOutputError: there is no canonical mesh.
        ValueError: the data has no true meshes.
    """
    truth = data.truth
    if prediction.canonical_vertices is None or prediction.faces is None:
        raise LackingOutputError("volume IoU needs a canonical mesh (canonical_vertices and faces)")
    if truth is None or truth.mesh is None:
        raise ValueError("volume IoU needs true meshes")
    scores = np.empty(len(truth.mesh))
    for frame, vertices in enumerate(prediction.canonical_vertices):
        mine, other = Mesh(vertices, prediction.faces), truth.meshes[int(truth.mesh[frame])]
        both = np.concatenate([mine.vertices, other.vertices])
        low, high = both.min(axis=0), both.max(axis=0)
        edge = float((high - low).max())
        corner = (low + high - edge) / 2
        scores[frame] = _overlap(mesh_voxels(mine, corner, edge), mesh_voxels(other, corner, edge))
    return scores


def mesh_voxels(mesh: Mesh, corner: Floats, edge: float) -> Bools:
    """Return which voxels (32, 32, 32) of a cube a mesh inside it passes through or encloses."""
    samples = _on_surface(mesh, edge / GRID / 2)
    index = np.floor((samples - corner) / edge * GRID).astype(np.int64).clip(0, GRID - 1)
    voxels = np.zeros((GRID, GRID, GRID), dtype=np.bool_)
    voxels[tuple(index.T)] = True
    filled: Bools = binary_fill_holes(voxels)
    return filled


def _on_surface(mesh: Mesh, spacing: float) -> Floats:
    """Return points of all faces that are at most `spacing` apart."""
    corners = mesh.vertices[mesh.faces]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    steps = np.ceil(longest / spacing).astype(np.int64).clip(1)
    found = []
    for count in np.unique(steps):
        first, second = (axis.ravel() for axis in np.mgrid[: count + 1, : count + 1])
        kept = first + second <= count
        weights = np.stack([first, second, count - first - second], axis=1)[kept] / count
        found.append((weights @ corners[steps == count]).reshape(-1, 3))
    return np.concatenate(found)


def _overlap(first: Bools, second: Bools) -> float:
    union = (first | second).sum()
    return float((first & second).sum() / union) if union else float("nan")


BUILTIN_VIEW_METRICS = (
    ViewMetric("correct_keypoints", correct_keypoints, "percent", "PCK within 0.1 of the box"),
    ViewMetric("mask_overlap", mask_overlap, "ratio", "IoU of masks"),
    ViewMetric("volume_overlap", volume_overlap, "ratio", "IoU of volumes on a grid of 32"),
)
