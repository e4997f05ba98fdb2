"""The stand-in for PASCAL3D+, which needs no file: single views of objects of 12 rigid categories.

The parameters alone fix every frame. Each frame shows an object of a new shape (see `bodies`) from
a new viewpoint, and is kept if enough of its points are visible.
"""

# ruff: noqa: ARG002  every adapter is handed the data root; this one has no files there

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from liftbench.arrays import cache_folder
from liftbench.images import Images
from liftbench.plugin.param_checks import require_booleans, require_integers
from liftbench.plugin.specs import Conformance, DatasetSpec, Finding
from liftbench.seeds import named_rng
from liftbench.types import Dataset, Floats, Mesh, Meshes
from liftbench_datasets.adapting.drawn_files import picture_files
from liftbench_datasets.adapting.generated import Generated, generated_info
from liftbench_datasets.adapting.sequence_splits import SPLITS, split_sequences
from liftbench_datasets.geometry.boxes import point_boxes
from liftbench_datasets.geometry.lazy_meshes import LazyMeshes
from liftbench_datasets.pascal3d.categories import ALL, CATEGORIES, POINTS, categories_of
from liftbench_datasets.pascal3d.synthetic.pictures import write_picture
from liftbench_datasets.pascal3d.synthetic.template import middle_template
from liftbench_datasets.pascal3d.synthetic.views import BATCH, KEY, SIZE_RANGE, draw_batch
from liftbench_datasets.pascal3d.views import (
    LEAST_VISIBLE,
    Views,
    join_views,
    take_complete,
    take_visible,
)

LEAST_FRAMES = 5  # of a category, so that both splits have some


@dataclass(frozen=True)
class SyntheticPascal3dParams:
    """Parameters of the generator.

    Attributes:
        frames: number of frames of each category, over both splits.
        seed: fixes all random draws.
        occlusion: True hides points behind the object; False shows all points of the same frames.
            In `all`, the points of other categories are hidden in either case.
        template: True gives the object of middle measures as the template of a category.
    """

    frames: int = 1000
    seed: int = 0
    occlusion: bool = True
    template: bool = False

    def __post_init__(self) -> None:
        require_integers(self, "frames", "seed")
        if self.frames < LEAST_FRAMES:
            raise ValueError(f"frames: expected at least {LEAST_FRAMES}, got {self.frames}")
        require_booleans(self, "occlusion", "template")


class SyntheticPascal3d(Generated[SyntheticPascal3dParams]):
    """Objects in photographs, seen by an orthographic camera.

    Seed and category fix an endless list of frames, of which the dataset has the first ones: the
    first floor(0.8 n) are `train`, the rest `unseen`. Every frame shows another object and is a
    sequence. Points are in pixels, with x and y where the object is in its image; the mean depth
    of a frame is zero. The group of a frame is its category. True meshes are the objects in the
    model frame of `bodies`, to which the rotations belong. The pictures of a category, which are
    drawn when they are first used, show the object alone, cut off where it leaves the picture.
    """

    key = KEY
    version = 1
    subset_names = (ALL, *CATEGORIES)
    added_params: ClassVar[Mapping[str, Any]] = {"template": False}

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
        seen, truth = data.observations, data.truth
        if subset != ALL:
            template = middle_template(subset) if self.params.template else None
            seen = replace(seen, images=self._images(*parts[0]), template=template)
        turns = np.concatenate([self._turns(c, views) for c, views in parts])
        return Dataset(
            replace(seen, sequence=sequence),
            truth and replace(truth, sequence=sequence, rotation=turns),
        )

    def check(self, root: Path) -> list[Finding]:
        """Generate all frames and check that they look like objects in photographs."""
        return [_check_category(c, self.views(c), self.params.frames) for c in CATEGORIES]

    def _meshes(self, category: str, views: Views) -> Meshes:
        """Return the surfaces of all drawn objects up to the last one in the views."""

        def make(number: int) -> Mesh:
            batch, place = divmod(number, BATCH)
            return draw_batch(category, self.params.seed, batch).mesh(place)

        return LazyMeshes(int(views.model.max()) + 1, make)

    def _turns(self, category: str, views: Views) -> Floats:
        """Return the rotations (F, 3, 3) from the model frame to the camera frame."""
        batch, place = np.divmod(views.model, BATCH)
        turns = np.empty((len(place), 3, 3))
        for number in np.unique(batch):
            here = batch == number
            turns[here] = draw_batch(category, self.params.seed, int(number)).turn[place[here]]
        return turns

    def _images(self, category: str, views: Views) -> Images:
        """Return pictures in the cache, named by the number of an object in the endless list."""
        seed, numbers = self.params.seed, views.model.tolist()
        folder = cache_folder() / "pictures" / f"{KEY}-{self.version}-{category}-{seed}"
        files, masks = picture_files(folder, numbers)

        def draw(frame: int) -> None:
            batch, place = divmod(numbers[frame], BATCH)
            scene = draw_batch(category, seed, batch).scene(place, category)
            rng = named_rng(KEY, "picture", seed, category, numbers[frame])
            write_picture(rng, scene, files[frame], masks[frame])

        return Images(files, masks, draw)

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
        drawn = draw_batch(category, seed, batch)
        points = drawn.points
        yield take_visible(
            Views(
                points_3d=points,
                points_2d=points[..., :2],
                visible=drawn.bodies.visible(-drawn.turn[:, 2]),
                defined=np.ones(points.shape[:2], dtype=np.bool_),
                sequence=np.array([""] * BATCH),
                model=BATCH * batch + np.arange(BATCH),
                box=point_boxes(points[..., :2]),
            )
        )


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
        size="1000 frames of each of 12 categories by default, 7 to 17 points each, 124 in `all`; "
        "pictures and masks that methods or scores ask for go to the cache",
    ),
    synthetic=True,
    added_params=SyntheticPascal3d.added_params,
    conformance=Conformance({"frames": 8}),
)
