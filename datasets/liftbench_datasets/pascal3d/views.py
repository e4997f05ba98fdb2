"""Orthographic views of the CAD models of PASCAL3D+: as annotated in images, or at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftbench.images import Images
from liftbench.types import Bools, Dataset, Floats, GroundTruth, Meshes, Observations
from liftbench_datasets.adapting.frame_arrays import FrameArrays
from liftbench_datasets.geometry.lazy_meshes import chain_meshes
from liftbench_datasets.pascal3d.cad import keypoint_mask
from liftbench_datasets.pascal3d.categories import categories_of, columns, skeleton
from liftbench_datasets.pascal3d.geometry import camera_points, orthographic_set
from liftbench_datasets.pascal3d.objects import Objects

BOX_MARGIN = 0.1  # by which a box grows at each side, in shares of its sides
LEAST_VISIBLE = 3  # fewer points do not fix a pose
_ORIGIN = -0.5  # position in an image; the release counts pixels from 1, at their middles
_LEAST = 1e-6  # bound of a viewpoint's lengths


@dataclass(frozen=True)
class Views(FrameArrays):
    """F views of one category.

    Attributes:
        points_3d: (F, P, 3) in the camera frame; zero where not defined.
        points_2d: (F, P, 2); hidden points have any value.
        visible: (F, P).
        defined: (F, P) which keypoints the object has.
        sequence: (F,) name of the image or the model that a frame shows.
        model: (F,) index of the object's mesh among those of its category.
        box: (F, 4) x, y, width, height in the image; None without images.
        images: (F,) image files; None without images.
        masks: (F,) files of masks; None without masks.
    """

    points_3d: Floats
    points_2d: Floats
    visible: Bools
    defined: Bools
    sequence: NDArray[np.str_]
    model: NDArray[np.int64]
    box: Floats | None = None
    images: NDArray[np.str_] | None = None
    masks: NDArray[np.str_] | None = None


def random_views(models: Floats, rotations: Floats) -> Views:
    """Return rotated models in their own unit, the mean of each model's keypoints at the origin.

    Args:
        models: (K, P, 3) keypoints, NaN where a model lacks one; view i shows model i mod K.
        rotations: (F, 3, 3) from the model frame to the camera frame.
    """
    shown = np.arange(len(rotations)) % len(models)
    defined = keypoint_mask(models)[shown]
    centred = models - np.nanmean(models, axis=1, keepdims=True)
    points = np.where(defined[..., None], centred[shown] @ rotations.swapaxes(1, 2), 0.0)
    return Views(points, points[..., :2], defined, defined, np.char.mod("%d", shown + 1), shown)


def viewable_mask(objects: Objects, models: Floats) -> Bools:
    """Return which objects (N,) have a model and a full viewpoint and lie before the camera."""
    good = (objects.model >= 1) & (objects.model <= len(models))
    good &= np.isfinite(objects.viewpoint).all(axis=1)
    views = objects.take(good).viewpoints()
    ahead = np.minimum.reduce([views.distance, views.focal, views.viewport]) > _LEAST
    depth = camera_points(models[objects.model[good] - 1], views)[..., 2]
    good[good] = ahead & ~(depth <= 0).any(axis=1)
    return good


def image_views(objects: Objects, models: Floats, detected: Floats | None) -> Views:
    """Return the orthographic set of objects, in pixels of their images.

    A point is hidden if it is annotated as hidden, if the model lacks it, or if it lies outside
    the object's box, grown by a tenth at each side.

    Args:
        objects: N objects in the `viewable_mask`.
        models: (K, P, 3) keypoints, NaN where a model lacks one.
        detected: (N, P, 2) detections in pixels, NaN where hidden; None to use the projections.
    """
    shapes = models[objects.model - 1]
    defined = keypoint_mask(shapes)
    views = objects.viewpoints()
    seen = camera_points(np.where(defined[..., None], shapes, 0.0), views)
    points = orthographic_set(seen, views, defined)
    flat, shown = (points[..., :2], objects.seen) if detected is None else (detected, True)
    visible = shown & defined & _inside(flat, objects.box)
    return Views(points, flat, visible, defined, objects.image, objects.model - 1, objects.box)


def take_visible(views: Views) -> Views:
    """Return the frames that show at least three points."""
    return views.take(views.visible.sum(axis=1) >= LEAST_VISIBLE)


def take_complete(views: Views) -> Views:
    """Return the frames of objects that have all keypoints, with no point hidden."""
    has_all: Bools = np.all(views.defined, axis=1)
    whole = views.take(has_all)
    return replace(whole, visible=whole.defined)


def join_views(
    subset: str, parts: Sequence[tuple[str, Views]], unit: str, meshes: Mapping[str, Meshes]
) -> Dataset:
    """Return views of categories, one after another, with the points of a subset.

    In `all`, the points of other categories are hidden and do not count.

    Args:
        subset: a category, or `all`.
        parts: views of categories.
        unit: of the points.
        meshes: the meshes of each category, in its model frame.
    """
    points, flat, visible, defined = (
        _stack_columns(subset, [(c, getattr(views, name)) for c, views in parts])
        for name in ("points_3d", "points_2d", "visible", "defined")
    )
    names = [f"{category}/{name}" for category, views in parts for name in views.sequence]
    sequence = np.unique(names, return_inverse=True)[1]
    group = np.repeat([c for c, _ in parts], [len(views.sequence) for _, views in parts])
    boxes = [views.box for _, views in parts if views.box is not None]
    return Dataset(
        Observations(
            points_2d=np.where(visible[..., None], flat, np.nan),
            visible=visible,
            sequence=sequence,
            camera="orthographic",
            skeleton=skeleton(subset),
            box=np.concatenate(boxes) if boxes else None,
            images=_join_images([views for _, views in parts]),
            pixel=np.ones(len(group)) if unit == "px" else None,
            origin=np.full((len(group), 2), _ORIGIN) if unit == "px" else None,
        ),
        GroundTruth(
            points,
            unit,
            group,
            sequence,
            defined,
            categories_of(subset),
            chain_meshes(list(meshes.values())),
            _mesh_numbers(parts, meshes),
        ),
    )


def _join_images(parts: Sequence[Views]) -> Images | None:
    """Return the image files of all parts, with their masks; None if there are none."""
    files = [views.images for views in parts if views.images is not None]
    masks = [views.masks for views in parts if views.masks is not None]
    return Images(_join_names(files), _join_names(masks) if masks else None) if files else None


def _join_names(names: Sequence[NDArray[np.str_]]) -> tuple[str, ...]:
    return tuple(np.concatenate(names).tolist())


def _mesh_numbers(
    parts: Sequence[tuple[str, Views]], meshes: Mapping[str, Meshes]
) -> NDArray[np.int64]:
    """Return the index of each frame's mesh (F,) in the joined meshes of all categories."""
    before = dict(zip(meshes, accumulate(map(len, meshes.values()), initial=0), strict=False))
    return np.concatenate([before[category] + views.model for category, views in parts])


def _stack_columns(subset: str, parts: Sequence[tuple[str, NDArray[Any]]]) -> NDArray[Any]:
    """Return the arrays (F, P, ...) of categories as one, with the points of the subset."""
    count = columns(subset, categories_of(subset)[-1]).stop
    rows = []
    for category, values in parts:
        wide = np.zeros((len(values), count, *values.shape[2:]), values.dtype)
        wide[:, columns(subset, category)] = values
        rows.append(wide)
    return np.concatenate(rows)


def _inside(points: Floats, box: Floats) -> Bools:
    low, size = box[:, None, :2], box[:, None, 2:]
    margin = BOX_MARGIN * size
    inside = (points >= low - margin) & (points <= low + size + margin)
    both: Bools = np.all(inside, axis=2)
    return both
