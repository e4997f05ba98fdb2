"""ApolloCar3D: cars before a camera in traffic, posed by hand with models of 79 cars."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from liftbench.arrays import Arrays, cache_arrays
from liftbench.cameras import project
from liftbench.errors import DataMissingError, require_known
from liftbench.files import checksum
from liftbench.images import Images
from liftbench.plugin.param_checks import require_booleans, require_one_of
from liftbench.plugin.specs import DatasetInfo, DatasetSpec, Finding
from liftbench.types import Bools, Dataset, Floats
from liftbench_datasets.adapting.sequence_splits import split_sequences
from liftbench_datasets.apollocar3d.cars import collect_cars
from liftbench_datasets.apollocar3d.files import (
    KEYPOINTS_3D,
    Files,
    camera_of,
    find_files,
    read_labels,
    read_list,
    read_poses,
)
from liftbench_datasets.apollocar3d.keypoints import DERIVED_SKELETON, read_keypoints
from liftbench_datasets.apollocar3d.models import NAMES, read_model
from liftbench_datasets.apollocar3d.skeleton import SKELETON
from liftbench_datasets.apollocar3d.views import car_dataset
from liftbench_datasets.reading.findings import finding

SUBSETS = ("all",)
SPLITS = ("train", "test")
FIRST_PIXEL = 0.5  # position of its middle in an image
OFFICIAL_IMAGES = 5277  # Source: Deep NRSfM++, section 5
PAPER_CARS = {"train": 2848, "test": 1842}  # Source: Deep NRSfM++, section 5

Keypoints = Literal["any", "file", "derived"]

# Raise the number when the readers change what they make of a file.
_PARSED = "apollocar3d-1"


@dataclass(frozen=True)
class ApolloCar3DParams:
    """Parameters of the views.

    Attributes:
        keypoints: `file` takes the 3D keypoints from the user's `keypoints_3d.json`, `derived`
            makes them from the meshes of the car models; `any` takes the file if there is one.
        occlusion: True hides the points that are hidden in the images; False shows all points of
            the same frames.
    """

    keypoints: Keypoints = "any"
    occlusion: bool = True

    def __post_init__(self) -> None:
        require_one_of("keypoints", self.keypoints, get_args(Keypoints))
        require_booleans(self, "occlusion")


class ApolloCar3D:
    """Cars up to 30 m away that show at least 25 of 58 points (Deep NRSfM++, section 5).

    Lengths are metres. A frame is a car. The sequence of a frame is the number of its image, its
    group is the distance of the car.
    """

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = ApolloCar3DParams(**params)

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the one subset if its files are found."""
        try:
            self._derives(find_files(root))
        except DataMissingError:
            return ()
        return SUBSETS

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 of all files that are read."""
        files = _find(root, subset)
        return self._checksum(files)

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return a split, with images if the release's images are found."""
        files = _find(root, subset)
        arrays = self._arrays(files)
        chosen = _of_split(files, arrays["image"], split)
        if not chosen.any():
            raise DataMissingError(f"apollocar3d: no car of the '{split}' split is kept")
        points_3d, visible, depth, image = (
            arrays[name][chosen] for name in ("points_3d", "visible", "depth", "image")
        )
        return car_dataset(
            points_3d,
            visible if self.params.occlusion else np.ones_like(visible),
            depth,
            image,
            np.array([camera_of(path).pixel for path in files.poses])[image],
            DERIVED_SKELETON if self._derives(files) else SKELETON,
            _images(files, image),
            _positions(files, image, points_3d),
        )

    def note(self, root: Path, subset: str) -> str:
        """Return what differs from the papers' set: the keypoints, and which cars are kept."""
        files = _find(root, subset)
        arrays = self._arrays(files)
        cars = {s: int(_of_split(files, arrays["image"], s).sum()) for s in SPLITS}
        whole = not self._derives(files) and cars == PAPER_CARS
        return "" if whole else "; ".join([self._keypoint_note(files), *_notes(files, arrays)])

    def check(self, root: Path) -> list[Finding]:
        """Read all files and return their counts and which of them are incomplete."""
        try:
            files = find_files(root)
        except DataMissingError as error:
            return [Finding("files", False, str(error))]
        findings = [
            finding("poses", lambda: _check_poses(files)),
            finding("car models", lambda: _check_models(files)),
            finding("lists", lambda: _check_lists(files)),
            finding("labels", lambda: _check_labels(files)),
            finding("keypoints", lambda: _check_keypoints(files)),
        ]
        if all(found.ok for found in findings):
            findings.append(finding("cars", lambda: self.note(root, "all") or "as in the paper"))
        return findings

    def _arrays(self, files: Files) -> Arrays:
        derive = self._derives(files)
        kind = f"{_PARSED}-{'derived' if derive else 'file'}"
        return cache_arrays(kind, self._checksum(files), lambda: collect_cars(files, derive))

    def _checksum(self, files: Files) -> str:
        sources = [*files.poses, *files.models.values(), *files.lists.values()]
        if not self._derives(files) and files.keypoints_3d:
            sources += [files.keypoints_3d, *files.all_labels()]
        return checksum(sources)

    def _derives(self, files: Files) -> bool:
        if self.params.keypoints == "file" and files.keypoints_3d is None:
            raise DataMissingError(
                f"apollocar3d: no 3D keypoints found, looked for {files.folder / KEYPOINTS_3D}; "
                "see 'liftbench data info apollocar3d'"
            )
        return self.params.keypoints == "derived" or files.keypoints_3d is None

    def _keypoint_note(self, files: Files) -> str:
        if self._derives(files):
            return "derived keypoints, hidden by the car itself, not the papers' labelled ones"
        if files.all_labels():
            return "keypoints of the user's file, visible where they are labelled"
        return "keypoints of the user's file, hidden by the car itself: no labels"


def _find(root: Path, subset: str) -> Files:
    require_known("subset of dataset 'apollocar3d'", subset, SUBSETS)
    return find_files(root)


def _of_split(files: Files, image: NDArray[np.int64], split: str) -> Bools:
    """Return which frames belong to a split; without lists, train has 80 % of the images."""
    require_known("split", split, SPLITS)
    if not files.lists:
        places = np.unique(image).tolist()
        return np.isin(image, split_sequences(places, "train" if split == "train" else "unseen"))
    if split not in files.lists:
        raise DataMissingError(f"apollocar3d: a list of images is found, but none for '{split}'")
    listed = np.isin(files.names, list(read_list(files.lists[split])))
    return listed[image]


def _images(files: Files, image: NDArray[np.int64]) -> Images | None:
    """Return the images of the frames, or None if one of them is missing."""
    places = files.images
    if not all(places[i].is_file() for i in np.unique(image)):
        return None
    return Images(tuple(str(places[i]) for i in image))


def _positions(files: Files, image: NDArray[np.int64], points_3d: Floats) -> Floats:
    """Return the positions of points (F, 58, 3) in their images, (F, 58, 2)."""
    flat = project(points_3d, "perspective")
    cameras = [camera_of(path) for path in files.poses]
    positions = np.empty_like(flat)
    for camera in set(cameras):
        frames = np.array([other == camera for other in cameras])[image]
        positions[frames] = camera.pixels(flat[frames]) + FIRST_PIXEL
    return positions


def _notes(files: Files, arrays: Arrays) -> list[str]:
    cars, known, near, kept = arrays["counts"].tolist()
    split = (
        ""
        if files.lists
        else "; the first 80 % of the images with such cars are train: no lists are there"
    )
    return [
        f"{kept} of {cars} cars in {len(files.poses)} images kept ({cars - known} have no "
        f"keypoints as {len(files.models)} of {len(NAMES)} models are there, {known - near} are "
        f"beyond 30 m, {near - kept} show too few points)",
        f"the papers' set has {' and '.join(map(str, PAPER_CARS.values()))} cars{split}",
    ]


def _check_poses(files: Files) -> str:
    cars = sum(len(read_poses(path)[0]) for path in files.poses)
    partial = "" if len(files.poses) == OFFICIAL_IMAGES else f" of {OFFICIAL_IMAGES}"
    return f"{cars} cars in {len(files.poses)}{partial} images"


def _check_models(files: Files) -> str:
    for path in files.models.values():
        read_model(path)
    missing = [name for i, name in enumerate(NAMES) if i not in files.models]
    count = f"{len(files.models)} of {len(NAMES)} models"
    return f"{count}; without {', '.join(missing)}" if missing else count


def _check_lists(files: Files) -> str:
    counts = [f"{len(read_list(path))} images for {split}" for split, path in files.lists.items()]
    return ", ".join(counts) or "none: the first 80 % of the images are train"


def _check_labels(files: Files) -> str:
    return f"{len([read_labels(path) for path in files.all_labels()])} cars with labelled keypoints"


def _check_keypoints(files: Files) -> str:
    if files.keypoints_3d is None:
        return f"derived keypoints: no {KEYPOINTS_3D}"
    return f"{KEYPOINTS_3D} has {len(read_keypoints(files.keypoints_3d))} models"


APOLLOCAR3D = DatasetSpec(
    key="apollocar3d",
    title="ApolloCar3D",
    reference="Song et al., ApolloCar3D: A Large 3D Car Instance Understanding Benchmark for "
    "Autonomous Driving, CVPR 2019",
    make=ApolloCar3D,
    params=ApolloCar3DParams,
    splits=SPLITS,
    info=DatasetInfo(
        download="3d_car_instance from apolloscape.auto/car_instance.html; the 3D keypoints of "
        f"the models are in no release: write {KEYPOINTS_3D} if you have them, an object from "
        "names of models to 58 rows x, y, z of the release's keypoints 0 to 57, in the frame of "
        "the model's file; without the file they are derived from the meshes",
        licence="ApolloScape's own: research only, not to be passed on",
        layout="DATA_ROOT/apollocar3d/{car_models_json/<name>.json or car_models/<name>.pkl, "
        "train/{car_poses/<image>.json, keypoints/<image>/<image>*.txt, "
        "split/{train-list,validation-list}.txt, images/<image>.jpg}, "
        f"{KEYPOINTS_3D} (your own)}}",
        size="5277 images, some 60000 cars, 79 models; about 6 GB",
    ),
)
