"""The cars of ApolloCar3D that the papers' protocol keeps: their points and which are visible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from liftbench.arrays import Arrays
from liftbench.cameras import project
from liftbench.types import Bools, Floats
from liftbench_datasets.apollocar3d.cameras import Poses
from liftbench_datasets.apollocar3d.files import Files, camera_of, read_labels, read_poses
from liftbench_datasets.apollocar3d.keypoints import derive_keypoints, read_keypoints
from liftbench_datasets.apollocar3d.models import CarModel, read_model
from liftbench_datasets.apollocar3d.skeleton import SKIN
from liftbench_datasets.apollocar3d.views import FARTHEST, LEAST_VISIBLE
from liftbench_datasets.geometry.ray_mesh import perspective_occlusion

# Labels that lie farther from a car's keypoints than this on average, in sizes of its box, belong
# to another car.
_LABEL_REACH = 0.2


@dataclass(frozen=True)
class Cars:
    """N cars in images.

    Attributes:
        image: (N,) number of the image among the pose files.
        car_id: (N,) number of the car's model.
        poses: from the frame of the models' files to the camera's frame.
    """

    image: NDArray[np.int64]
    car_id: NDArray[np.int64]
    poses: Poses

    @property
    def depth(self) -> Floats:
        """The distance of each car along the camera's view, (N,) metres."""
        return self.poses.translations[:, 2]

    def take(self, which: Bools) -> Cars:
        """Return some of the cars."""
        poses = Poses(self.poses.rotations[which], self.poses.translations[which])
        return Cars(self.image[which], self.car_id[which], poses)


def collect_cars(files: Files, derive: bool) -> Arrays:
    """Return the cars up to 30 m away, wholly before the camera, with at least 25 visible points.

    A point of a user's file is visible where the release labels it. Without labels, and if
    `derive`, it is visible where neither the car's mesh nor the edge of the image hides it.

    Returns:
        `points_3d` (F, 58, 3) in the camera's frame, metres; `visible` (F, 58); `depth` (F,);
        `image` (F,) number among the pose files; `counts` of four sets of cars, each within the
        one before: all, those with known keypoints, those of them that are near, those kept.
    """
    cars = read_cars(files)
    labelled = not derive and bool(files.all_labels())
    models = {} if labelled else {i: read_model(path) for i, path in files.models.items()}
    shapes = _shapes(files, derive, models, labelled)
    known = np.isin(cars.car_id, list(shapes))
    near = known & (cars.depth <= FARTHEST)
    chosen = cars.take(near)
    points_3d = chosen.poses.place(_points_of_cars(shapes, chosen))
    ahead = points_3d[..., 2].min(axis=1) > 0
    chosen, points_3d = chosen.take(ahead), points_3d[ahead]
    if labelled:
        visible = _visible_by_labels(files, chosen, points_3d)
    else:
        visible = _visible_by_mesh(files, chosen, points_3d, shapes, models)
    kept = visible.sum(axis=1) >= LEAST_VISIBLE
    return {
        "points_3d": points_3d[kept],
        "visible": visible[kept],
        "depth": chosen.depth[kept],
        "image": chosen.image[kept],
        "counts": np.array([len(cars.image), known.sum(), near.sum(), kept.sum()]),
    }


def read_cars(files: Files) -> Cars:
    """Read the cars of all images."""
    read = [read_poses(path) for path in files.poses]
    counts = [len(ids) for ids, _ in read]
    poses = Poses(
        np.concatenate([poses.rotations for _, poses in read]),
        np.concatenate([poses.translations for _, poses in read]),
    )
    image = np.repeat(np.arange(len(read)), counts)
    return Cars(image, np.concatenate([ids for ids, _ in read]), poses)


def _shapes(
    files: Files, derive: bool, models: dict[int, CarModel], labelled: bool
) -> dict[int, Floats]:
    """Return the keypoints (58, 3) of each car_id."""
    if derive or files.keypoints_3d is None:
        return {car_id: derive_keypoints(model) for car_id, model in models.items()}
    known = read_keypoints(files.keypoints_3d)
    return {i: points for i, points in known.items() if labelled or i in models}


def _points_of_cars(shapes: dict[int, Floats], cars: Cars) -> Floats:
    """Return the keypoints of each car, (N, 58, 3)."""
    ids = sorted(shapes)
    stack = np.stack([shapes[car_id] for car_id in ids])
    points: Floats = stack[np.searchsorted(ids, cars.car_id)]
    return points


def _visible_by_mesh(
    files: Files,
    cars: Cars,
    points_3d: Floats,
    shapes: dict[int, Floats],
    models: dict[int, CarModel],
) -> Bools:
    """Return which points neither the car nor the edge of the image hides, (N, 58)."""
    visible = _on_image(files, cars, points_3d)
    eyes = cars.poses.eyes()
    for car_id in np.unique(cars.car_id):
        which = cars.car_id == car_id
        mesh, points = models[car_id], shapes[car_id][None]
        occluded = perspective_occlusion(points, eyes[which], mesh.vertices, mesh.faces, SKIN)
        visible[which] &= ~occluded
    return visible


def _on_image(files: Files, cars: Cars, points_3d: Floats) -> Bools:
    cameras = [camera_of(path) for path in files.poses]
    flat = project(points_3d, "perspective")
    inside = np.zeros(flat.shape[:2], dtype=np.bool_)
    for camera in set(cameras):
        taken = np.array([other == camera for other in cameras])[cars.image]
        inside[taken] = camera.holds(flat[taken])
    return inside


def _visible_by_labels(files: Files, cars: Cars, points_3d: Floats) -> Bools:
    """Return which points are labelled, (N, 58): none of a car that no file fits."""
    visible = np.zeros(points_3d.shape[:2], dtype=np.bool_)
    for image in np.unique(cars.image):
        which = np.flatnonzero(cars.image == image)
        labels = [read_labels(path) for path in files.labels(files.names[image])]
        if labels:
            seen = camera_of(files.poses[image]).pixels(project(points_3d[which], "perspective"))
            for car, file in zip(*match_labels(seen, np.stack(labels)), strict=True):
                visible[which[car]] = np.isfinite(labels[file][:, 0])
    return visible


def match_labels(seen: Floats, labels: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of a car and the labels that fit it, with the least total distance.

    The release does not say which labels belong to which car.

    Args:
        seen: (N, 58, 2) where the keypoints of N cars fall on the image, pixels.
        labels: (L, 58, 2); NaN where a keypoint is not labelled.

    Returns:
        The index of the car and the index of the labels of each pair.
    """
    marked = np.isfinite(labels[..., 0])
    gaps = np.linalg.norm(seen[:, None] - np.where(marked[..., None], labels, 0), axis=3)
    count = np.maximum(marked.sum(axis=1), 1)
    size = np.ptp(seen, axis=1).max(axis=1)
    cost = (gaps * marked).sum(axis=2) / count / size[:, None]
    cost[:, ~marked.any(axis=1)] = np.inf
    # All pairs out of reach cost the same, so that they do not disturb the others.
    cars, files = linear_sum_assignment(np.minimum(cost, _LABEL_REACH))
    fits = cost[cars, files] < _LABEL_REACH
    return cars[fits], files[fits]
