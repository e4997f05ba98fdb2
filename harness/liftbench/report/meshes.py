"""Reads meshes that methods reconstruct from pictures, for frames from the best to the worst."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liftbench.arrays import Arrays, cache_arrays
from liftbench.crops import Crops, make_crops
from liftbench.errors import UserError
from liftbench.protocols.protocol import Protocol
from liftbench.protocols.view_metrics import ViewMetric
from liftbench.report.content import MeshFrame, MeshGallery
from liftbench.runs.scoring import frame_values
from liftbench.runs.store import RunRecord, Store
from liftbench.types import Dataset, Floats, Observations, Reconstruction

FRAMES = 6
EDGE = 192  # pixels of the edge of a picture
_KIND = "report_meshes_1"  # raise the number when the cached arrays change


@dataclass(frozen=True)
class Ranking:
    """The protocol that ranks the frames of a suite by how well a method sees them."""

    protocol: Protocol
    metric: ViewMetric


@dataclass(frozen=True)
class MeshRow:
    """A method's row on some data: the title of the data, the name of the row, and its run."""

    title: str
    method: str
    record: RunRecord


def read_meshes(
    row: MeshRow, store: Store, ranking: Ranking, load: Callable[[str], Dataset]
) -> MeshGallery | None:
    """Return frames of the last split of a run as meshes.

    None if the run has no coloured meshes from pictures, or its predictions or data are absent.

    Args:
        row: whose run it is.
        store: has its predictions.
        ranking: of the frames.
        load: returns a split with its truth.
    """
    record, split = row.record, row.record.spec.evaluate[-1]
    key, identity = record.spec.key, ranking.protocol.identity
    if split not in record.digests or not store.predictions_path(key).exists():
        return None
    text = f"{split} {identity} {key} {record.digests[split]}"

    def make() -> Arrays:
        return _arrays(store.read_predictions(key)[split], load(split), ranking)

    try:
        arrays = cache_arrays(_KIND, hashlib.sha256(text.encode()).hexdigest(), make)
    except (OSError, UserError, ValueError, LookupError):
        return None
    faces = arrays.pop("faces")
    frames = tuple(_frame(arrays, i) for i in range(len(arrays["index"])))
    title, metric = f"{row.title} {split}", f"{identity} ({ranking.metric.unit})"
    if not frames:
        return None
    return MeshGallery(title, metric, row.method, record.spec.seed, key, faces, frames)


def _frame(arrays: Arrays, number: int) -> MeshFrame:
    parts = {name: array[number] for name, array in arrays.items()}
    index, value = int(parts.pop("index")), float(parts.pop("value"))
    return MeshFrame(index=index, value=value, **parts)


def _arrays(prediction: Reconstruction, data: Dataset, ranking: Ranking) -> Arrays:
    """Return the fields of `MeshFrame` for all frames, and the faces."""
    seen = data.observations
    if prediction.vertices is None or prediction.faces is None or prediction.colours is None:
        return {"faces": np.empty((0, 3), dtype=np.int64), "index": np.empty(0)}
    metric = ranking.metric
    values, scored = frame_values(prediction, data, metric, ranking.protocol, mirrored=False)
    order = np.flatnonzero(scored)[np.argsort(values[scored], kind="stable")]
    ranks = np.linspace(0, len(order) - 1, FRAMES).round().astype(np.int64)
    frames = order[::-1][ranks] if metric.more_is_better else order[ranks]
    shown = seen.take(frames)
    assert shown.images is not None  # noqa: S101 the run had them
    crops = make_crops(shown.images, shown.in_pixels().box, EDGE)
    points = prediction.points_3d[..., :2] if prediction.points_2d is None else prediction.points_2d
    surface = prediction.vertices[frames]
    visible = prediction.visible
    return {
        "index": frames,
        "value": values[frames],
        "pixels": np.array(crops.pixels),
        "points": _in_crops(crops, shown, points[frames]),
        "visible": np.ones(points.shape[:2], dtype=np.bool_)[frames]
        if visible is None
        else visible[frames],
        "vertices": np.concatenate(
            [_in_crops(crops, shown, surface[..., :2]), _depth(crops, shown, surface)], axis=2
        ),
        "colours": np.rint(255 * prediction.colours[frames]).astype(np.uint8),
        "faces": _outward(prediction.faces, surface[0]),
    }


def _in_crops(crops: Crops, shown: Observations, places: Floats) -> Floats:
    """Return places (F, N, 2) of the data in the crops, from their upper left corner."""
    if shown.pixel is None or shown.origin is None:
        raise ValueError("it is unknown where points lie in the images")
    return crops.to_crop(places / shown.pixel[:, None, None] + shown.origin[:, None])


def _depth(crops: Crops, shown: Observations, surface: Floats) -> Floats:
    """Return the depth (F, V, 1) of vertices in pixels of the crops."""
    assert shown.pixel is not None  # noqa: S101 `_in_crops` had it
    scale: Floats = crops.size / crops.edge / shown.pixel
    return surface[..., 2:] * scale[:, None, None]


def _outward(faces: NDArray[np.int64], vertices: Floats) -> NDArray[np.int64]:
    """Return triangles counter-clockwise as seen from outside."""
    first, second, third = np.moveaxis(vertices[faces], 1, 0)
    volume = (first * np.cross(second, third)).sum()
    return faces if volume >= 0 else faces[:, ::-1]
