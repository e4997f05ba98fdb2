"""Reads meshes that methods reconstruct from pictures, for frames from the best to the worst."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from liftbench.arrays import Arrays, cache_arrays
from liftbench.crops import Crops, make_crops
from liftbench.errors import UserError
from liftbench.images import Images
from liftbench.protocols.protocol import Protocol
from liftbench.protocols.view_metrics import ViewMetric
from liftbench.report.content import MeshFrame, MeshGallery
from liftbench.runs.bench import Bench
from liftbench.runs.plan import Cell
from liftbench.runs.scoring import frame_values
from liftbench.runs.store import RunRecord, Store
from liftbench.tables.wording import count_of
from liftbench.types import Dataset, Floats, Observations, Reconstruction

FRAMES = 7  # odd, so that one is the median
EDGE = 192  # pixels of the edge of a picture
_KIND = "report_meshes_2"  # raise the number when the cached arrays change


@dataclass(frozen=True)
class Ranking:
    """The protocol that ranks the frames of a suite by how well a method sees them."""

    protocol: Protocol
    metric: ViewMetric


@dataclass
class MeshSource:
    """Reads the meshes of runs, and counts the runs without meshes by the reason.

    Attributes:
        bench: loads the data.
        store: has the runs.
        protocols: of the suite; the first that scores views ranks the frames.
    """

    bench: Bench
    store: Store
    protocols: Sequence[str]
    absent: Counter[str] = field(default_factory=Counter)

    def galleries(
        self, title: str, cells: Sequence[Cell], records: Mapping[str, RunRecord]
    ) -> Iterator[MeshGallery]:
        """Yield the meshes of the first finished run of each method that looks at pictures.

        Args:
            title: of a column.
            cells: of this column.
            records: the stored runs by key.
        """
        ranking = self._ranking()
        load = cache(lambda split: self.bench.load(cells[0].runs[0], split))
        for cell in cells if ranking else ():
            record = self._first_finished(cell, records)
            if ranking is None or record is None:
                continue
            try:
                found = read_meshes(record, self.store, ranking, load)
            except FileNotFoundError:
                reason = "their predictions (runs/*.npz, which git does not keep) are not here"
                self.absent[reason] += 1
            except (OSError, UserError, ValueError, LookupError) as error:
                self.absent[str(error).replace(str(self.bench.root), "DATA_ROOT")] += 1
            else:
                if found:
                    yield replace(found, title=f"{title} {found.title}", method=cell.method)

    @property
    def left_out(self) -> tuple[str, ...]:
        """One line for each reason why meshes are absent."""
        counts = self.absent.items()
        return tuple(f"No meshes of {count_of(count, 'run')}: {why}" for why, count in counts)

    def _ranking(self) -> Ranking | None:
        for name in self.protocols:
            protocol = self.bench.registry.protocols[name]
            metric = self.bench.registry.metrics[protocol.metric]
            if isinstance(metric, ViewMetric):
                return Ranking(protocol, metric)
        return None

    def _first_finished(self, cell: Cell, records: Mapping[str, RunRecord]) -> RunRecord | None:
        for record in (records.get(spec.key) for spec in cell.runs):
            if record is not None and record.status == "ok":
                method = self.bench.registry.methods.items.get(record.spec.method["key"])
                return record if method is not None and method.capabilities.images else None
        return None


def read_meshes(
    record: RunRecord, store: Store, ranking: Ranking, load: Callable[[str], Dataset]
) -> MeshGallery | None:
    """Return frames of the last split of a run as meshes, with the split for a title.

    None if the run has no coloured meshes.

    Args:
        record: of the run.
        store: has its predictions.
        ranking: of the frames.
        load: returns a split with its truth.

    Raises:
        OSError, UserError, ValueError, LookupError: its predictions or the data are absent or
            damaged.
    """
    split, key, identity = record.spec.evaluate[-1], record.spec.key, ranking.protocol.identity
    text = f"{split} {identity} {key} {record.digests[split]}"

    def make() -> Arrays:
        return _arrays(store.read_predictions(key)[split], load(split), ranking)

    arrays = cache_arrays(_KIND, hashlib.sha256(text.encode()).hexdigest(), make)
    faces = arrays.pop("faces")
    frames = tuple(_frame(arrays, i) for i in range(len(arrays["index"])))
    metric, method = f"{identity} ({ranking.metric.unit})", record.spec.method["key"]
    seed = record.spec.seed
    return MeshGallery(split, metric, method, seed, key, faces, frames) if frames else None


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
    ranks = np.unique(np.floor(np.linspace(0, len(order) - 1, FRAMES) + 0.5).astype(np.int64))
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
        "pixels": _on_white(crops, shown.images),
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


def _on_white(crops: Crops, images: Images) -> NDArray[np.uint8]:
    """Return the pixels (F, N, N, 3) of crops, white where they leave their images."""
    across = (np.arange(crops.size) + 0.5) * (crops.edge / crops.size)[:, None]
    inside = [
        (along >= 0) & (along < size[:, None])
        for along, size in (
            (crops.corner[:, axis, None] + across, images.sizes()[:, axis]) for axis in (0, 1)
        )
    ]
    shown = inside[1][:, :, None] & inside[0][:, None]
    return np.where(shown[..., None], crops.pixels, 255).astype(np.uint8)


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
