"""The stand-in for PASCAL3D+, which needs no file: single views of objects of 12 rigid categories.

The parameters alone fix every frame. Each frame shows an object of a new shape (see `bodies`) from
a new viewpoint, and is kept if enough of its points are visible.
"""

# ruff: noqa: ARG002  every adapter is handed the data root; this one has no files there

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.cameras import subtract_mean
from liftbench.plugin.param_checks import require_booleans, require_integers
from liftbench.plugin.specs import Conformance, DatasetSpec, Finding
from liftbench.seeds import named_rng
from liftbench.types import Dataset, Floats, Mesh, Meshes
from liftbench_datasets.adapting.generated import Generated, generated_info
from liftbench_datasets.adapting.sequence_splits import SPLITS, split_sequences
from liftbench_datasets.geometry.boxes import point_boxes
from liftbench_datasets.geometry.lazy_meshes import LazyMeshes
from liftbench_datasets.geometry.viewpoints import viewpoint_rotations
from liftbench_datasets.pascal3d.categories import ALL, CATEGORIES, POINTS, categories_of
from liftbench_datasets.pascal3d.synthetic.bodies import (
    Bodies,
    Draw,
    Sketch,
    box_surface,
    draw_bodies,
)
from liftbench_datasets.pascal3d.synthetic.furniture import (
    bottle,
    chair,
    diningtable,
    sofa,
    tvmonitor,
)
from liftbench_datasets.pascal3d.synthetic.vehicles import (
    aeroplane,
    bicycle,
    boat,
    bus,
    car,
    motorbike,
    train,
)
from liftbench_datasets.pascal3d.views import (
    LEAST_VISIBLE,
    Views,
    join_views,
    take_complete,
    take_visible,
)

KEY = "synthetic_pascal3d"
BATCH = 256  # objects drawn at once, whatever the number of frames, so that it changes no frame
LEAST_FRAMES = 5  # of a category, so that both splits have some
SKETCHES: Mapping[str, Callable[[Draw], Sketch]] = {
    f.__name__: f
    for f in (
        *(aeroplane, car, tvmonitor, sofa, motorbike, diningtable),
        *(chair, bus, bottle, boat, bicycle, train),
    )
}

# Mean and spread in degrees: cameras are held a little above most objects.
ELEVATION = (8.0, 7.0)
ELEVATIONS = {
    "aeroplane": (-2.0, 14.0),
    "chair": (16.0, 9.0),
    "diningtable": (22.0, 9.0),
    "sofa": (15.0, 7.0),
}
THETA_SPREAD = 4.0
THETA_SPREADS = {"aeroplane": 12.0}
ELEVATION_RANGE = (-40.0, 60.0)

# Pixels, of photographs as large as those of PASCAL VOC.
IMAGE = np.array([500.0, 375.0])
SIZE, SIZE_SPREAD, SIZE_RANGE = 240.0, 0.35, (70.0, 480.0)  # larger side of the points' box
PLACE_SPREAD = 0.1  # of the image's sides


@dataclass(frozen=True)
class SyntheticPascal3dParams:
    """Parameters of the generator.

    Attributes:
        frames: number of frames of each category, over both splits.
        seed: fixes all random draws.
        occlusion: True hides points behind the object; False shows all points of the same frames.
            In `all`, the points of other categories are hidden in either case.
    """

    frames: int = 1000
    seed: int = 0
    occlusion: bool = True

    def __post_init__(self) -> None:
        require_integers(self, "frames", "seed")
        if self.frames < LEAST_FRAMES:
            raise ValueError(f"frames: expected at least {LEAST_FRAMES}, got {self.frames}")
        require_booleans(self, "occlusion")


class SyntheticPascal3d(Generated[SyntheticPascal3dParams]):
    """Objects in photographs, seen by an orthographic camera.

    Seed and category fix an endless list of frames, of which the dataset has the first ones: the
    first floor(0.8 n) are `train`, the rest `unseen`. Every frame shows another object and is a
    sequence. Points are in pixels, with x and y where the object is in its image; the mean depth
    of a frame is zero. The group of a frame is its category. True meshes are the objects in the
    model frame of `bodies`.
    """

    key = KEY
    version = 1
    subset_names = (ALL, *CATEGORIES)

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = SyntheticPascal3dParams(**params)

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Generate one split; a box encloses all points of its object."""
        self.require_known(subset)
        frames = np.array(split_sequences(range(self.params.frames), split), dtype=np.int64)
        parts = [(c, self.views(c).take(frames)) for c in categories_of(subset)]
        if not self.params.occlusion:
            parts = [(c, take_complete(views)) for c, views in parts]
        data = join_views(subset, parts, "px", {c: self._meshes(c, views) for c, views in parts})
        # Sequences are numbered through both splits; `join_views` has only one of them.
        sequence = np.concatenate([i * self.params.frames + frames for i in range(len(parts))])
        return Dataset(
            replace(data.observations, sequence=sequence),
            data.truth and replace(data.truth, sequence=sequence),
        )

    def check(self, root: Path) -> list[Finding]:
        """Generate all frames and check that they look like objects in photographs."""
        return [_check_category(c, self.views(c), self.params.frames) for c in CATEGORIES]

    def _meshes(self, category: str, views: Views) -> Meshes:
        """Return the surfaces of all drawn objects up to the last one in the views."""

        def make(number: int) -> Mesh:
            batch, place = divmod(number, BATCH)
            return box_surface(_solids(category, self.params.seed, batch)[place])

        return LazyMeshes(int(views.model.max()) + 1, make)

    def views(self, category: str) -> Views:
        """Return the frames of a category: of all objects drawn, the first with enough points."""
        batches: list[Views] = []
        have = 0
        for batch in _batches(category, self.params.seed):
            batches.append(batch)
            have += len(batch.sequence)
            if have >= self.params.frames:
                break
        names = [f"{i:09}" for i in range(self.params.frames)]
        return replace(
            Views.join(batches).take(slice(self.params.frames)), sequence=np.array(names)
        )


def _batches(category: str, seed: int) -> Iterator[Views]:
    """Yield batches of an endless list of objects that show enough of their points."""
    for batch in count():
        rng, bodies = _draw_objects(category, seed, batch)
        turns = _draw_turns(rng, category)
        points = _in_image(rng, bodies.points @ turns.swapaxes(1, 2))
        yield take_visible(
            Views(
                points_3d=points,
                points_2d=points[..., :2],
                visible=bodies.visible(-turns[:, 2]),
                defined=np.ones(points.shape[:2], dtype=np.bool_),
                sequence=np.array([""] * BATCH),
                model=BATCH * batch + np.arange(BATCH),
                box=point_boxes(points[..., :2]),
            )
        )


def _draw_objects(category: str, seed: int, batch: int) -> tuple[np.random.Generator, Bodies]:
    """Return the generator after it drew the objects of a batch, and these objects."""
    rng = named_rng(KEY, "objects", seed, category, batch)
    return rng, draw_bodies(rng, SKETCHES[category], BATCH, category)


@lru_cache(maxsize=len(CATEGORIES))
def _solids(category: str, seed: int, batch: int) -> Floats:
    return _draw_objects(category, seed, batch)[1].solids


def _draw_turns(rng: np.random.Generator, category: str) -> Floats:
    """Return the rotations from the model frame to the camera frame, (F, 3, 3)."""
    azimuth = rng.uniform(0, 360, BATCH)
    elevation = rng.normal(*ELEVATIONS.get(category, ELEVATION), BATCH).clip(*ELEVATION_RANGE)
    theta = rng.normal(0, THETA_SPREADS.get(category, THETA_SPREAD), BATCH)
    return viewpoint_rotations(azimuth, elevation, theta)


def _in_image(rng: np.random.Generator, points: Floats) -> Floats:
    """Return rotated points (F, P, 3) in pixels, at a random place of the image."""
    size = (SIZE * np.exp(rng.normal(0, SIZE_SPREAD, len(points)))).clip(*SIZE_RANGE)
    place = rng.normal(IMAGE / 2, PLACE_SPREAD * IMAGE, (len(points), 2))
    extent = np.ptp(points[..., :2], axis=1).max(axis=1)
    placed: Floats = subtract_mean(points) * (size / extent)[:, None, None]
    placed[..., :2] += place[:, None]
    return placed


def _check_category(category: str, views: Views, frames: int) -> Finding:
    shown = views.visible.sum(axis=1)
    sides = np.ptp(views.points_2d, axis=1).max(axis=1)
    low, high = SIZE_RANGE
    detail = (
        f"{len(shown)} frames, {shown.min()} to {shown.max()} of {len(POINTS[category])} points "
        f"visible, {shown.mean():.1f} on average, {sides.min():.0f} to {sides.max():.0f} px large"
    )
    fits = bool((sides > low - 1).all() and (sides < high + 1).all())
    return Finding(category, len(shown) == frames and shown.min() >= LEAST_VISIBLE and fits, detail)


SYNTHETIC_PASCAL3D = DatasetSpec(
    key=KEY,
    title="Synthetic objects of 12 rigid categories",
    reference="generated by liftbench",
    make=SyntheticPascal3d,
    params=SyntheticPascal3dParams,
    splits=SPLITS,
    info=generated_info(
        layout="parameters frames, seed and occlusion",
        size="1000 frames of each of 12 categories by default, 7 to 17 points each, 124 in `all`",
    ),
    synthetic=True,
    conformance=Conformance({"frames": 8}),
)
