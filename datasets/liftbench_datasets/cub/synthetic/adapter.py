"""The stand-in for CUB, which needs no file: birds of many species in pictures, with masks.

The parameters alone fix every frame. Each frame shows a bird of a new shape (see `shapes`) before
a weakly perspective camera that stands where those of CUB do, and is kept if enough parts are
visible. Exact rays decide which parts the bird hides.
"""

# ruff: noqa: ARG002  every adapter is handed the data root; this one has no files there

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.arrays import cache_folder
from liftbench.errors import require_known
from liftbench.images import Images
from liftbench.plugin.param_checks import require_booleans, require_integers
from liftbench.plugin.specs import Conformance, DatasetSpec, Finding
from liftbench.seeds import named_rng
from liftbench.types import Dataset, GroundTruth, Observations
from liftbench_datasets.adapting.drawn_files import picture_files
from liftbench_datasets.adapting.generated import Generated, check_visible, generated_info
from liftbench_datasets.adapting.sequence_splits import TRAIN_SHARE
from liftbench_datasets.cub.adapter import FIRST_PIXEL, SKELETON
from liftbench_datasets.cub.synthetic.pictures import SIZE, Bird, write_picture
from liftbench_datasets.cub.synthetic.plumage import draw_plumage, vertex_colours
from liftbench_datasets.cub.synthetic.shapes import POSE, draw_species
from liftbench_datasets.cub.synthetic.surface import vertex
from liftbench_datasets.cub.synthetic.template import mean_bird
from liftbench_datasets.cub.synthetic.views import Views, draw_views
from liftbench_datasets.geometry.lazy_meshes import LazyMeshes

KEY = "synthetic_cub"
SPLITS = ("train", "test")
BATCH = 64  # birds drawn at once, whatever the number of frames, so that it changes no frame
LEAST_FRAMES = 5  # so that both splits have some
LEAST_VISIBLE = 7  # as in CMR's choice of CUB's images

_EYES = [SKELETON.points.index(f"{side} eye") for side in ("left", "right")]
_SOLES = [vertex(f"{side}foot", 2, 12) for side in "lr"]
_SPREAD = POSE.index("spread")


@dataclass(frozen=True)
class SyntheticCubParams:
    """Parameters of the generator.

    Attributes:
        frames: number of frames; the first floor(0.8 n) are `train`, the rest `test`.
        species: number of species; both splits have birds of all of them.
        seed: fixes all random draws.
        occlusion: True hides parts behind the bird and beyond the edge of its picture; False
            shows all parts of the same frames.
    """

    frames: int = 2000
    species: int = 60
    seed: int = 0
    occlusion: bool = True

    def __post_init__(self) -> None:
        require_integers(self, "frames", "species", "seed")
        if self.frames < LEAST_FRAMES:
            raise ValueError(f"frames: expected at least {LEAST_FRAMES}, got {self.frames}")
        if self.species < 1:
            raise ValueError(f"species: expected at least 1, got {self.species}")
        require_booleans(self, "occlusion")


class SyntheticCub(Generated[SyntheticCubParams]):
    """Birds in square pictures, which are drawn when they are first used.

    Seed and number of species fix an endless list of frames, of which the dataset has the first
    ones. Each frame shows another bird and is a sequence. Lengths are pixels from the middle of
    the first pixel of a picture. The camera is weakly perspective with another scale for each
    bird, so in pixels it is orthographic. True meshes are the birds in their poses, in the frame
    of `anatomy`; their unit is the length of the trunk.
    """

    key = KEY
    version = 2

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = SyntheticCubParams(**params)

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Generate one split; meshes and pictures are made when they are first used."""
        self.require_known(subset)
        frames = split_frames(self.params.frames, split)
        views = self.views().take(frames)
        visible = views.visible if self.params.occlusion else np.ones_like(views.visible)
        points_2d = np.where(visible[..., None], views.points_3d[..., :2], np.nan)
        sequence = np.arange(self.params.frames)[frames]
        return Dataset(
            Observations(
                points_2d,
                visible,
                sequence,
                "orthographic",
                SKELETON,
                views.box,
                self._images(views),
                pixel=np.ones(len(sequence)),
                origin=np.full((len(sequence), 2), FIRST_PIXEL),
                template=mean_bird(),
            ),
            GroundTruth(
                views.points_3d,
                "px",
                np.full(len(sequence), "bird"),
                sequence,
                meshes=LazyMeshes(len(sequence), views.mesh),
                mesh=np.arange(len(sequence)),
                rotation=views.turn,
            ),
        )

    def check(self, root: Path) -> list[Finding]:
        """Generate all frames and check that they look like birds in pictures."""
        views = self.views()
        visible = check_visible(views.visible, LEAST_VISIBLE, "parts")
        return [_check_frames(views, self.params), visible, _check_size(views)]

    def views(self) -> Views:
        """Return all frames: the first of all birds drawn that show enough parts."""
        return _views(self.params.frames, self.params.species, self.params.seed)

    def _images(self, views: Views) -> Images:
        """Return pictures in the cache, named by the number of a bird in the endless list."""
        seed, species = self.params.seed, self.params.species
        folder = cache_folder() / "pictures" / f"{KEY}-{self.version}-{species}-{seed}"
        files, masks = picture_files(folder, views.number.tolist())

        def draw(frame: int) -> None:
            names = (KEY, seed, "picture", int(views.number[frame]))
            bird = _bird_of_frame(views, frame, seed)
            write_picture(named_rng(*names), bird, files[frame], masks[frame])

        return Images(files, masks, draw)


def split_frames(frames: int, split: str) -> slice:
    """Return which frames are those of a split."""
    require_known("split", split, SPLITS)
    first = int(TRAIN_SHARE * frames)
    return slice(first) if split == "train" else slice(first, None)


@lru_cache(maxsize=1)
def _views(frames: int, species: int, seed: int) -> Views:
    batches: list[Views] = []
    for batch in _batches(species, seed):
        batches.append(batch)
        if sum(len(views.number) for views in batches) >= frames:
            break
    return Views.join(batches).take(slice(frames))


def _batches(species: int, seed: int) -> Iterator[Views]:
    """Yield batches of an endless list of birds that show enough of their parts."""
    kinds = draw_species(named_rng(KEY, seed, "species"), species)
    for batch in count():
        rng = named_rng(KEY, seed, "birds", batch)
        views = draw_views(rng, kinds, BATCH * batch + np.arange(BATCH))
        yield views.take(views.visible.sum(axis=1) >= LEAST_VISIBLE)


def _bird_of_frame(views: Views, frame: int, seed: int) -> Bird:
    """Return the bird of a frame as its picture shows it."""
    vertices = views.picture_vertices(frame)
    plumage = draw_plumage(named_rng(KEY, seed, "plumage", int(views.species[frame])))
    rng = named_rng(KEY, seed, "colours", int(views.number[frame]))
    eyes = views.points_3d[frame, _EYES, :2][views.visible[frame, _EYES]]
    flies = views.poses[frame, _SPREAD] > 0.5
    perch = None if flies else vertices[_SOLES, :2].mean(axis=0)
    colours = vertex_colours(rng, plumage)
    return Bird(vertices, colours, eyes, float(views.scale[frame]), perch)


def _check_frames(views: Views, params: SyntheticCubParams) -> Finding:
    kinds = len(np.unique(views.species))
    detail = f"{len(views.number)} birds of {kinds} of {params.species} species"
    return Finding("frames", len(views.number) == params.frames, detail)


def _check_size(views: Views) -> Finding:
    sides = views.box[:, 2:].max(axis=1)
    detail = f"boxes are {sides.min():.0f} to {sides.max():.0f} of {SIZE} px large"
    return Finding("pictures", bool((sides > 0.3 * SIZE).all() and (sides <= SIZE).all()), detail)


SYNTHETIC_CUB = DatasetSpec(
    key=KEY,
    title="Synthetic birds in pictures with masks",
    reference="generated by liftbench",
    make=SyntheticCub,
    params=SyntheticCubParams,
    splits=SPLITS,
    info=generated_info(
        layout="parameters frames, species, seed and occlusion",
        size="2000 frames of 15 points by default; pictures and masks that methods or scores ask "
        "for go to the cache, about 50 kB a frame",
    ),
    synthetic=True,
    conformance=Conformance({"frames": 16}),
)
