"""CUB-200-2011: birds in single images with 15 parts, split and reconstructed by CMR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.arrays import Arrays, cache_arrays
from liftbench.errors import DataMissingError, UserError, require_known
from liftbench.files import checksum
from liftbench.images import Images
from liftbench.plugin.specs import DatasetInfo, DatasetSpec, Finding
from liftbench.types import Dataset, GroundTruth, Observations, Skeleton
from liftbench_datasets.cub.cmr import find_images, read_annotations, read_sfm, shape_of
from liftbench_datasets.cub.files import Files, find_files
from liftbench_datasets.cub.masks import unpack_masks
from liftbench_datasets.cub.release import (
    PARTS,
    read_boxes,
    read_image_names,
    read_part_names,
    read_parts,
    read_train_flags,
)
from liftbench_datasets.cub.template import FACES, VERTICES, read_template
from liftbench_datasets.reading.findings import finding

SUBSETS = ("all",)
SPLITS = ("train", "val", "test")
OFFICIAL_IMAGES = 11_788
FIRST_PIXEL = 0.5  # position of its middle in an image; points are counted from there
CMR_IMAGES = {"train": 5964, "val": 2874, "test": 2874}

SKELETON = Skeleton(
    points=PARTS,
    edges=(
        *((1, 5), (5, 4), (4, 9), (9, 0), (0, 13), (1, 14), (14, 3), (3, 2), (2, 13)),
        *((5, 6), (5, 10), (0, 8), (0, 12), (2, 7), (2, 11)),
    ),
    left_right=((6, 10), (7, 11), (8, 12)),
)

# Raise the number when the readers change what they make of a file.
_PARSED = "cub-1"


@dataclass(frozen=True)
class CubParams:
    """CUB has no parameters."""


class Cub:
    """Birds with the visible ones of 15 parts, one bird per frame.

    Lengths are pixels from the middle of the first pixel of an image. The camera is weakly
    perspective with another scale in each image, so in pixels it is orthographic. The truth is a
    pseudo truth where CMR's files have it: one rigid shape, found by structure from motion from
    the 2D parts and seen by each image's camera, so its projection differs a little from the
    annotated parts. Every frame is a sequence.
    """

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = CubParams(**params)

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the one subset if the files of a split are found."""
        files = find_files(root)
        return SUBSETS if any(_source(files, split) for split in SPLITS) else ()

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 of all files that are read."""
        files = _require_files(root, subset)
        return checksum(dict.fromkeys(path for split in SPLITS for path in files.sources(split)))

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return a split, with the images, the masks and the template that are found."""
        files = _find(root, subset)
        arrays = _arrays(files, split)
        visible = arrays["visible"]
        shown = np.where(visible[..., None], arrays["points_2d"], np.nan)
        sequence = np.arange(len(visible))
        images = _images(files, split, arrays)
        truth = arrays.get("points_3d")
        return Dataset(
            Observations(
                shown,
                visible,
                sequence,
                "orthographic",
                SKELETON,
                arrays["box"],
                images,
                np.ones(len(sequence)),
                np.full((len(sequence), 2), FIRST_PIXEL),
                read_template(files.template) if files.template.is_file() else None,
            ),
            None
            if truth is None
            else GroundTruth(truth, "px", np.full(len(sequence), "bird"), sequence),
        )

    def note(self, root: Path, subset: str) -> str:
        """Return the origin of the truth and of the splits."""
        files = _require_files(root, subset)
        notes = [_note(files, split) for split in SPLITS]
        return "; ".join(dict.fromkeys(note for note in notes if note))

    def check(self, root: Path) -> list[Finding]:
        """Read all files and return their counts and which of them are incomplete."""
        files = find_files(root)
        if not self.subsets(root):
            return [Finding("release", False, str(_missing_error(files, "train")))]
        return [
            finding("release", lambda: _check_release(files)),
            *(finding(split, partial(_check_split, files, split)) for split in SPLITS),
            finding("template", lambda: _check_template(files)),
        ]


def _find(root: Path, subset: str) -> Files:
    require_known("subset of dataset 'cub'", subset, SUBSETS)
    return find_files(root)


def _require_files(root: Path, subset: str) -> Files:
    files = _find(root, subset)
    if not any(_source(files, split) for split in SPLITS):
        raise _missing_error(files, "train")
    return files


def _missing_error(files: Files, split: str) -> DataMissingError:
    return DataMissingError(
        f"cub: no files of the '{split}' split found, looked for {files.annotations(split)}, "
        f"{files.sfm(split)} with {files.parts} and {files.flags}; see 'liftbench data info cub'"
    )


def _arrays(files: Files, split: str) -> Arrays:
    """Return `points_2d`, `visible`, `box`, and `points_3d` and `names` where they are known."""
    require_known("split", split, SPLITS)
    parse = _source(files, split)
    if parse is None:
        raise _missing_error(files, split)
    kind = f"{_PARSED}-{split}"
    return cache_arrays(kind, checksum(files.sources(split)), lambda: parse(files, split))


def _source(files: Files, split: str) -> Callable[[Files, str], Arrays] | None:
    """Return the reader of a split for the files that are found, or None.

    CMR's annotations come first, then its structure from motion, then CUB's own split.
    """
    if files.annotations(split).is_file():
        return _from_annotations
    if not (files.parts.is_file() and files.boxes.is_file()):
        return None
    if files.sfm(split).is_file() and (split == "train" or files.sfm("testval").is_file()):
        return _from_sfm
    return _from_release if files.flags.is_file() and split != "val" else None


def _from_annotations(files: Files, split: str) -> Arrays:
    birds = read_annotations(files.annotations(split))
    arrays = {
        "points_2d": birds.points,
        "visible": birds.visible,
        "box": birds.box,
        "names": birds.names,
    }
    if not files.sfm(split).is_file():
        return arrays
    sfm = read_sfm(files.sfm(split))
    if len(sfm.scales) != len(birds.points):
        raise UserError(
            f"{files.sfm(split)}: {len(sfm.scales)} entries, but {files.annotations(split)} has "
            f"{len(birds.points)}; take both from the same release"
        )
    shape = shape_of(sfm, files.sfm("testval"))
    return arrays if shape is None else {**arrays, "points_3d": sfm.views(shape)}


def _from_sfm(files: Files, split: str) -> Arrays:
    path = files.sfm(split)
    sfm = read_sfm(path)
    shape = shape_of(sfm, files.sfm("testval"))
    if shape is None:
        raise UserError(f"{path}: it has no shape 'S', and its entries are not in anno_testval.mat")
    views = sfm.views(shape)
    points, visible = read_parts(files.parts)
    images = find_images(views, points, visible, path)
    return {**_take_images(files, images), "points_3d": views}


def _from_release(files: Files, split: str) -> Arrays:
    return _take_images(files, np.flatnonzero(read_train_flags(files.flags) == (split == "train")))


def _take_images(files: Files, images: np.ndarray[Any, np.dtype[np.int64]]) -> Arrays:
    """Return the arrays of some images of the release."""
    points, visible = read_parts(files.parts)
    table: Arrays = {"points_2d": points, "visible": visible, "box": read_boxes(files.boxes)}
    if files.names.is_file():
        table["names"] = read_image_names(files.names)
    if len({len(column) for column in table.values()}) > 1 or images.max(initial=0) >= len(points):
        raise UserError(f"{files.release}: its files have different numbers of images")
    return {name: column[images] for name, column in table.items()}


def _images(files: Files, split: str, arrays: Arrays) -> Images | None:
    """Return the images of the frames, or None if one of them is missing."""
    folder = files.release / "images"
    if "names" not in arrays or not folder.is_dir():
        return None
    paths = [folder / str(name) for name in arrays["names"]]
    if not all(path.is_file() for path in paths):
        return None
    cleaned = files.annotations(split)
    masks = unpack_masks(cleaned, len(paths)) if cleaned.is_file() else None
    return Images(tuple(map(str, paths)), masks)


def _note(files: Files, split: str) -> str:
    source = _source(files, split)
    if source is None:
        return f"no {split}"
    arrays = _arrays(files, split)
    truth = (
        "pseudo truth: one rigid shape from CMR's structure from motion"
        if "points_3d" in arrays
        else f"no 3D truth of {split}"
    )
    if source is _from_release:
        return f"{truth}; {split} is CUB's own, not CMR's"
    if source is _from_sfm:
        truth += "; without CMR's annotations, so its birds were found by their 2D parts"
    found, expected = len(arrays["visible"]), CMR_IMAGES[split]
    return truth if found == expected else f"{truth}; {found} of CMR's {expected} birds of {split}"


def _check_release(files: Files) -> str:
    points, visible = read_parts(files.parts)
    boxes = read_boxes(files.boxes)
    if len(boxes) != len(points):
        raise UserError(f"{files.boxes}: {len(boxes)} boxes of {len(points)} images")
    names = files.release / "parts" / "parts.txt"
    if names.is_file() and read_part_names(names) != PARTS:
        raise UserError(f"{names}: expected the parts {', '.join(PARTS)}")
    share = "" if len(points) == OFFICIAL_IMAGES else f" of {OFFICIAL_IMAGES}"
    absent = [path.name for path in (files.names, files.flags) if not path.is_file()]
    without = f"; without {' and '.join(absent)}" if absent else ""
    return f"{len(points)}{share} images, {int(visible.sum())} visible parts{without}"


def _check_split(files: Files, split: str) -> str:
    arrays = _arrays(files, split)
    frames = len(arrays["visible"])
    details = [f"{frames} birds", _note(files, split)]
    if "points_3d" in arrays:
        gaps = np.linalg.norm(arrays["points_3d"][..., :2] - arrays["points_2d"], axis=2)
        gaps = gaps[arrays["visible"]]
        details.append(
            f"annotated parts are {gaps.mean():.1f} px from its 2D, {gaps.max():.1f} at most"
        )
    return "; ".join(details)


def _check_template(files: Files) -> str:
    template = read_template(files.template)
    sizes = (len(template.mesh.vertices), len(template.mesh.faces))
    if sizes != (VERTICES, FACES):
        raise UserError(
            f"{files.template}: {sizes[0]} vertices and {sizes[1]} faces, "
            f"expected {VERTICES} and {FACES}"
        )
    return f"{VERTICES} vertices, {FACES} faces"


CUB = DatasetSpec(
    key="cub",
    title="CUB-200-2011 birds",
    reference="Wah et al., The Caltech-UCSD Birds-200-2011 Dataset, 2011; Kanazawa et al., "
    "Learning Category-Specific Mesh Reconstruction from Image Collections, ECCV 2018",
    make=Cub,
    params=CubParams,
    splits=SPLITS,
    info=DatasetInfo(
        download="CUB_200_2011.tgz from vision.caltech.edu/datasets/cub_200_2011; the splits, "
        "cameras and masks are CMR's: cub/{data,sfm} of cachedir.tar.gz from "
        "github.com/akanazawa/cmr; bird.obj is To The Point's",
        licence="images: non-commercial research and education only; CMR's files state none",
        layout="DATA_ROOT/CUB_200_2011/{parts/part_locs.txt, parts/parts.txt, bounding_boxes.txt, "
        "images.txt, train_test_split.txt, images/} and DATA_ROOT/cub_cmr/"
        "{data/<split>_cub_cleaned.mat, sfm/anno_{train,val,test,testval}.mat, bird.obj}",
        size="11788 images of 15 parts; 1.1 GB, CMR's files 60 MB",
    ),
)
