"""PASCAL3D+: orthographic views of the CAD models of 12 rigid categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import numpy as np

from liftbench.cameras import random_rotations
from liftbench.errors import DataMissingError, require_known
from liftbench.files import checksum
from liftbench.plugin.param_checks import (
    require_booleans,
    require_integers,
    require_one_of,
)
from liftbench.plugin.specs import DatasetInfo, DatasetSpec, Finding
from liftbench.seeds import named_rng
from liftbench.types import Dataset, Floats, Meshes
from liftbench_datasets.adapting.sequence_splits import SPLITS, split_sequences
from liftbench_datasets.pascal3d.cad import cad_models, keypoint_mask
from liftbench_datasets.pascal3d.categories import ALL, CATEGORIES, EIGHT, categories_of
from liftbench_datasets.pascal3d.check import check_release
from liftbench_datasets.pascal3d.detections import read_detections
from liftbench_datasets.pascal3d.objects import load_objects
from liftbench_datasets.pascal3d.release import (
    PARTS,
    SEE,
    SOURCES,
    Part,
    Release,
    Source,
    find_release,
)
from liftbench_datasets.pascal3d.surfaces import cad_meshes
from liftbench_datasets.pascal3d.template import cad_template
from liftbench_datasets.pascal3d.views import (
    Views,
    image_views,
    join_views,
    random_views,
    take_complete,
    take_visible,
    viewable_mask,
)

KEY = "pascal3d"
Keypoints = Literal["gt", "hrnet"]
ImageSets = Literal["all", "imagenet", "pascal"]
_ANNOTATED_SPLITS: Mapping[str, tuple[Part, ...]] = {
    "train": ("train",),
    "test": ("val",),
    "all": PARTS,
}
_RANDOM_SPLITS = (*SPLITS, "all")


@dataclass(frozen=True)
class Pascal3dParams:
    """Parameters of the views and of the choice of objects.

    Attributes:
        views: `annotated`, the viewpoints of objects in images, or `random`, Haar-random
            rotations of the CAD models, which need no annotations.
        categories: 8 for those of PR-RRN, each a subset; 12 for all, each a subset, and the
            subset `all` of them together.
        missing: True hides points; False shows all, and leaves out objects whose CAD model lacks
            keypoints.
        objects: `all` annotated ones, or the `whole` ones: neither truncated nor occluded nor
            difficult.
        train_images: source of the `train` images, which are in the train lists.
        test_images: source of the `test` images, which are in the val lists.
        train_keypoints: `gt` for projected models, `hrnet` for detections from a user's file.
        test_keypoints: likewise.
        random_views: number of random views of each category.
        view_seed: fixes the draw of the random rotations.
        masks: True leaves out objects without a mask, see the layout; then picture methods can
            learn from masks.
        template: True gives a closed surface about one of a category's CAD models, which some
            picture methods need.
    """

    views: Literal["annotated", "random"] = "annotated"
    categories: Literal[8, 12] = 12
    missing: bool = True
    objects: Literal["whole", "all"] = "whole"
    train_images: ImageSets = "all"
    test_images: ImageSets = "pascal"
    train_keypoints: Keypoints = "gt"
    test_keypoints: Keypoints = "gt"
    random_views: int = 3000
    view_seed: int = 0
    masks: bool = False
    template: bool = False

    def __post_init__(self) -> None:
        require_integers(self, "categories", "random_views", "view_seed")
        for name, kind in get_type_hints(type(self)).items():
            if known := get_args(kind):
                require_one_of(name, getattr(self, name), known)
        require_booleans(self, "missing", "masks", "template")
        if self.masks and self.views == "random":
            raise ValueError("masks: random views have no pictures; set it to false")
        if self.random_views < 2:
            raise ValueError(f"random_views: expected at least 2, got {self.random_views}")
        self._require_detections_fit()

    def _require_detections_fit(self) -> None:
        if "hrnet" not in (self.train_keypoints, self.test_keypoints):
            return
        if self.views == "random":
            raise ValueError("views: random views have no detections; set the keypoints to 'gt'")
        if not self.missing:
            raise ValueError("missing: a detector misses points; set it to true for 'hrnet'")


class Pascal3d:
    """Views of CAD models before an orthographic camera.

    Annotated views are in pixels of the image, with x and y where the object is: a method centres
    and scales them itself (C3DPO's input is these points minus their visible mean, times 0.01). z
    points away from the camera and has mean zero. `train` and `test` are the objects in images of
    the official train and val lists, `all` is both. A sequence is an image of a category.

    Random views are in the unit of the models, about the diagonal of their box. The models take
    turns. The first floor(0.8 n) views are `train`, the rest `unseen`: both splits have all
    models, but other views of them. A sequence is a model.

    The group of a frame is its category. Keypoints that a model lacks are hidden and do not count.
    True meshes are the CAD models in their own frame, shared by all views of a model.
    """

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = Pascal3dParams(**params)

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the categories whose files are found, and `all` if there is one."""
        try:
            release = find_release(root)
        except DataMissingError:
            return ()
        present = self._available(release)
        names = self._subset_names()
        return tuple(name for name in names if name in present or (name == ALL and present))

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 of the CAD models, lists, annotations and detections."""
        release, categories = self._find(root, subset)
        return checksum(path for c in categories for path in self._sources(release, c))

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return a split of a category or of `all`."""
        self._require_split(split)
        release, categories = self._find(root, subset)
        views = self._random_views if self.params.views == "random" else self._image_views
        parts = [(c, part) for c in categories for part in views(release, c, split)]
        if not any(len(part.sequence) for _, part in parts):
            raise DataMissingError(
                f"pascal3d: no object of '{subset}' is left in '{split}' under these parameters; "
                "'liftbench data check pascal3d' counts what is there"
            )
        unit = "model unit" if self.params.views == "random" else "px"
        data = join_views(subset, parts, unit, {c: _meshes(release, c) for c in categories})
        if subset == ALL or not self.params.template:
            return data
        template = cad_template(release.cad(subset), subset)
        return replace(data, observations=replace(data.observations, template=template))

    def note(self, root: Path, subset: str) -> str:
        """Return what kind of views these are and what is missing."""
        release, categories = self._find(root, subset)
        texts = [self._kind()]
        if len(categories) < len(categories_of(subset)):
            texts.append(f"{len(categories)} of {len(CATEGORIES)} categories")
        if self.params.views == "annotated":
            counts = [_count_images(release, c, s, p) for c in categories for s, p in self._lists()]
            listed, have = map(sum, zip(*counts, strict=True))
            if have < listed:
                texts.append(f"{have} of {listed} listed images have annotations")
        return "; ".join(texts)

    def check(self, root: Path) -> list[Finding]:
        """Read all files and return their counts and what is missing."""
        try:
            return check_release(find_release(root))
        except DataMissingError as error:
            return [Finding("CAD", False, str(error))]

    def _kind(self) -> str:
        if self.params.views == "random":
            return "random views of the CAD models, not the papers' annotated views"
        return "made from the release by C3DPO's recipe, as the papers' files are not public"

    def _subset_names(self) -> tuple[str, ...]:
        return EIGHT if self.params.categories == len(EIGHT) else (ALL, *CATEGORIES)

    def _available(self, release: Release) -> tuple[str, ...]:
        random = self.params.views == "random"
        return tuple(c for c in release.categories() if random or release.has_annotations(c))

    def _find(self, root: Path, subset: str) -> tuple[Release, tuple[str, ...]]:
        """Return the release and the categories of a subset that can be read from it."""
        require_known(f"subset of dataset '{KEY}'", subset, self._subset_names())
        release, wanted = find_release(root), categories_of(subset)
        present = tuple(c for c in wanted if c in self._available(release))
        if present:
            return release, present
        if wanted[0] not in release.categories() and subset != ALL:
            raise DataMissingError(f"pascal3d: {release.cad(subset)} not found; {SEE}")
        raise DataMissingError(
            f"pascal3d: no annotations of '{subset}' in {release.folder}/Annotations; {SEE}, or "
            "set 'views: random', which needs CAD models alone"
        )

    def _require_split(self, split: str) -> None:
        known = _RANDOM_SPLITS if self.params.views == "random" else tuple(_ANNOTATED_SPLITS)
        require_known(f"split of {self.params.views} views", split, known)

    def _sources(self, release: Release, category: str) -> list[Path]:
        """Return all files that views of a category are made from."""
        files = [release.cad(category)]
        if self.params.views == "annotated":
            for source, part in self._lists():
                files.append(release.image_list(category, source, part))
                files += release.annotations(category, source, part).values()
        if self.params.masks:
            sources = dict.fromkeys(source for source, _ in self._lists())
            files += [mask for source in sources for mask in release.masks(category, source)]
        if "hrnet" in (self.params.train_keypoints, self.params.test_keypoints):
            files.append(release.detections())
        return files

    def _lists(self, *parts: Part) -> list[tuple[Source, Part]]:
        """Return the lists of images that the parameters choose, by default of both parts."""
        chosen = {"train": self.params.train_images, "val": self.params.test_images}
        return [(s, p) for p in parts or PARTS for s in SOURCES if chosen[p] in ("all", s)]

    def _random_views(self, release: Release, category: str, split: str) -> list[Views]:
        models = cad_models(release.cad(category), category)
        if not self.params.missing:
            models = models[keypoint_mask(models).all(axis=1)]
        count = self.params.random_views if len(models) else 0
        rng = named_rng(KEY, "view", self.params.view_seed, category)
        views = random_views(models, random_rotations(rng, count))
        if split == "all":
            return [views]
        return [views.take(np.array(split_sequences(range(count), split), dtype=np.int64))]

    def _image_views(self, release: Release, category: str, split: str) -> list[Views]:
        models = cad_models(release.cad(category), category)
        return [
            self._views_of_list(release, category, models, source, part)
            for source, part in self._lists(*_ANNOTATED_SPLITS[split])
        ]

    def _views_of_list(
        self, release: Release, category: str, models: Floats, source: Source, part: Part
    ) -> Views:
        objects = load_objects(release, category, source, part)
        if self.params.objects == "whole":
            objects = objects.take(objects.whole)
        objects = objects.take(viewable_mask(objects, models))
        keypoints = self.params.train_keypoints if part == "train" else self.params.test_keypoints
        detected = None
        if keypoints == "hrnet":
            detected = read_detections(release.detections(), category, objects)
        images = np.array([str(release.picture(name)) for name in objects.image], dtype=np.str_)
        views = replace(image_views(objects, models, detected), images=images)
        if self.params.masks:
            masks = [
                release.mask(*which) for which in zip(objects.image, objects.number, strict=True)
            ]
            views = replace(views, masks=np.array(list(map(str, masks)), dtype=np.str_))
            views = views.take(np.array([mask.is_file() for mask in masks], dtype=np.bool_))
        return take_visible(views) if self.params.missing else take_complete(views)


def _meshes(release: Release, category: str) -> Meshes:
    path = release.cad(category)
    return cad_meshes(path, category, len(cad_models(path, category)))


def _count_images(release: Release, category: str, source: Source, part: Part) -> tuple[int, int]:
    """Return how many images a list has and how many of them are annotated."""
    listed = release.image_names(category, source, part)
    return len(listed), len(release.annotations(category, source, part))


PASCAL3D = DatasetSpec(
    key=KEY,
    title="PASCAL3D+: orthographic views of CAD models",
    reference="Xiang, Mottaghi, Savarese: Beyond PASCAL, WACV 2014",
    make=Pascal3d,
    params=Pascal3dParams,
    splits=("train", "test", "unseen", "all"),
    info=DatasetInfo(
        download="PASCAL3D+_release1.1.zip from cvgl.stanford.edu/projects/pascal3d.html; random "
        "views need only its CAD folder",
        licence="for research, without clear leave to redistribute; the images are those of PASCAL "
        "VOC 2012 and ImageNet, under their terms",
        layout="DATA_ROOT/pascal3d/{Annotations/<category>_{imagenet,pascal}/*.mat, "
        "CAD/<category>.mat, Image_sets/<category>_imagenet_{train,val}.txt, Images/..., "
        "PASCAL/VOCdevkit/VOC2012/ImageSets/Main/<category>_{train,val}.txt}; the unpacked "
        "folder PASCAL3D+_release1.1 is found too. Detected keypoints: hrnet.json beside CAD, "
        '{"detections": [{"image": "car_pascal/2008_000028", "object": 1, "points": '
        '{"left_front_wheel": [x, y], ...}}, ...]}: an annotation file, the place of the object '
        "in it from 1, pixels; points that are not detected are left out. Masks of a detector or "
        "of PASCAL VOC, for the parameter masks: Masks/car_pascal/2008_000028_1.png beside CAD: "
        "the annotation file and the place of the object in it; black outside the object",
        size="about 7.5 GB zipped",
    ),
    added_params={"masks": False, "template": False},
    partial={"CAD models only": {"views": "random"}},
)
