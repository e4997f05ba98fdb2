"""Scores of more than points: key points and masks in the image, volumes, surfaces and rotations.

They compare with observations or meshes directly; the steps of a protocol do not apply.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_fill_holes

from liftbench.cameras import subtract_mean
from liftbench.meshes.rasteriser import covered_pixels
from liftbench.protocols.alignment import orthogonal_alignment
from liftbench.types import Bools, Dataset, Floats, Mesh, Observations, Reconstruction

PCK_SHARE = 0.1  # of the longer edge of the box. Source: CMR; To The Point, section 4
WRONG_ANGLE = 60.0  # degrees
GRID = 32  # voxels per edge. Source: To The Point, section 4


class LackingOutputError(ValueError):
    """The method lacks an optional output that this score needs; the run is skipped."""


@dataclass(frozen=True)
class ViewMetric:
    """A named score of each frame.

    Attributes:
        name: name by which protocols refer to it.
        scores: function from a reconstruction and its data to scores (F,), NaN for a frame without
            one.
        unit: `ratio` or `percent`.
        description: one sentence.
        more_is_better: whether a higher score is a better one.
    """

    name: str
    scores: Callable[[Reconstruction, Dataset], Floats]
    unit: str
    description: str
    more_is_better: bool = True


def correct_keypoints(prediction: Reconstruction, data: Dataset) -> Floats:
    """Return the percentage of the visible points of each frame whose reprojection is close.

    Close means: at most a tenth of the longer edge of the box away (PCK@0.1: "within", CMR).

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
    """Return the positions (F, P, 2) of the reconstructed points in the image.

    Lifters predict a shape, not its position: without `points_2d`, an orthographic camera sees x
    and y of `points_3d`, moved so that the visible points have their observed mean.

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

    The reconstructed mask has the pixels whose middle the mesh covers.

    Raises:
        LackingOutputError: there is no mesh.
        ValueError: there are no masks, or it is unknown where points lie in them.
    """
    observations, images = data.observations, data.observations.images
    if prediction.vertices is None or prediction.faces is None:
        raise LackingOutputError("mask IoU needs a mesh (vertices and faces)")
    if images is None or images.masks is None:
        raise ValueError("mask IoU needs images with masks")
    if observations.pixel is None or observations.origin is None:
        raise ValueError("mask IoU needs `pixel` and `origin`")
    flat = prediction.vertices[..., :2] / observations.pixel[:, None, None]
    flat = flat + observations.origin[:, None] - 0.5  # from the middle of the first pixel
    scores = np.empty(len(images))
    for frame, vertices in enumerate(flat):
        truth = images.mask(frame)
        height, width = truth.shape
        scores[frame] = _overlap(covered_pixels(vertices, prediction.faces, (height, width)), truth)
    return scores


def volume_overlap(prediction: Reconstruction, data: Dataset) -> Floats:
    """Return intersection over union of the reconstructed and the true volume of each frame.

    Both are filled into one grid of 32³ voxels, the cube that bounds the two.

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
        guess, true = Mesh(vertices, prediction.faces), truth.meshes[int(truth.mesh[frame])]
        both = np.concatenate([guess.vertices, true.vertices])
        low, high = both.min(axis=0), both.max(axis=0)
        edge = float((high - low).max())
        corner = (low + high - edge) / 2
        scores[frame] = _overlap(mesh_voxels(guess, corner, edge), mesh_voxels(true, corner, edge))
    return scores


def mesh_voxels(mesh: Mesh, corner: Floats, edge: float) -> Bools:
    """Return the voxels (32, 32, 32) of a cube that a mesh inside it touches or encloses."""
    samples = _on_surface(mesh, edge / GRID / 2)
    index = np.floor((samples - corner) / edge * GRID).astype(np.int64).clip(0, GRID - 1)
    voxels = np.zeros((GRID, GRID, GRID), dtype=np.bool_)
    voxels[tuple(index.T)] = True
    filled: Bools = binary_fill_holes(voxels)
    return filled


def _on_surface(mesh: Mesh, spacing: float) -> Floats:
    """Return points on all faces, at most `spacing` apart."""
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


def wrong_rotations(prediction: Reconstruction, data: Dataset) -> Floats:
    """Return 100 for each frame whose rotation is more than 60 degrees wrong, else 0.

    Rotations are from the canonical frame of the category, which the template shows to a method.

    Raises:
        LackingOutputError: there is no rotation.
        ValueError: the data has no true rotations.
    """
    if prediction.rotation is None:
        raise LackingOutputError("wrong rotations need rotations")
    if data.truth is None or data.truth.rotation is None:
        raise ValueError("wrong rotations need true rotations")
    traces = np.einsum("fij,fij->f", prediction.rotation, data.truth.rotation)
    wrong: Floats = 100.0 * ((traces - 1) / 2 < np.cos(np.radians(WRONG_ANGLE)))
    return wrong


def vertex_distances(prediction: Reconstruction, data: Dataset) -> Floats:
    """Return the mean distance of vertices from the true ones, over the true size, of each frame.

    Canonical surfaces are compared after the best similarity. The size of a surface is the root
    mean square of its vertices' distances from their mean.

    Raises:
        LackingOutputError: there is no canonical mesh, or it has other triangles than the true one.
        ValueError: the data has no true meshes.
    """
    truth = data.truth
    if prediction.canonical_vertices is None or prediction.faces is None:
        raise LackingOutputError("vertex distances need a canonical mesh")
    if truth is None or truth.mesh is None:
        raise ValueError("vertex distances need true meshes")
    meshes = [truth.meshes[int(number)] for number in truth.mesh]
    if any(not np.array_equal(mesh.faces, prediction.faces) for mesh in meshes):
        raise LackingOutputError("vertex distances need the triangles of the true meshes")
    true = subtract_mean(np.array([mesh.vertices for mesh in meshes]))
    found = subtract_mean(prediction.canonical_vertices)
    every = np.ones(true.shape[:2])
    found = found @ orthogonal_alignment(found, true, every, reflection=False)
    squares = np.square(found).sum(axis=(1, 2))
    scale = (found * true).sum(axis=(1, 2)) / np.where(squares > 0, squares, 1)
    distance = np.linalg.norm(scale[:, None, None] * found - true, axis=2).mean(axis=1)
    error: Floats = distance / np.sqrt(np.square(true).sum(axis=2).mean(axis=1))
    return error


def _overlap(first: Bools, second: Bools) -> float:
    union = (first | second).sum()
    return float((first & second).sum() / union) if union else float("nan")


BUILTIN_VIEW_METRICS = (
    ViewMetric("correct_keypoints", correct_keypoints, "percent", "PCK within 0.1 of the box"),
    ViewMetric("mask_overlap", mask_overlap, "ratio", "IoU of masks"),
    ViewMetric("volume_overlap", volume_overlap, "ratio", "IoU of volumes on a grid of 32"),
    ViewMetric(
        "wrong_rotations",
        wrong_rotations,
        "percent",
        "rotations more than 60 degrees wrong",
        more_is_better=False,
    ),
    ViewMetric(
        "vertex_distances",
        vertex_distances,
        "ratio",
        "distance of aligned vertices, over the size",
        more_is_better=False,
    ),
)
