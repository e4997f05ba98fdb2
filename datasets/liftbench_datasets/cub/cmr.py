"""Readers of CMR's files about CUB: its cleaned annotations, and its structure from motion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from liftbench.errors import UserError
from liftbench.types import Bools, Floats
from liftbench_datasets.cub.release import PARTS
from liftbench_datasets.reading.array_fields import finite_field
from liftbench_datasets.reading.mat_file import read_mat
from liftbench_datasets.reading.one_line_errors import one_line_errors

_FITS = 1e-3  # pixels; entries fit their own image to 2e-4, other images to 7e-3 at best
_NEIGHBOURS = 5
_AT_ONCE = 256  # entries against all images: 25 MB
_CORNERS = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True)
class Annotations:
    """The F birds of a split.

    Attributes:
        points: (F, 15, 2) in pixels from the middle of the first one.
        visible: (F, 15).
        box: (F, 4) x, y, width and height.
        names: (F,) paths of the images below `images`.
    """

    points: Floats
    visible: Bools
    box: Floats
    names: NDArray[np.str_]


@dataclass(frozen=True)
class Sfm:
    """Cameras of F birds, and the shape that they see.

    Attributes:
        rotations: (F, 3, 3).
        scales: (F,) pixels.
        translations: (F, 2) in pixels from the middle of the first one.
        shape: (3, 15); None where the file has none.
    """

    rotations: Floats
    scales: Floats
    translations: Floats
    shape: Floats | None

    def views(self, shape: Floats) -> Floats:
        """Return a shape (3, 15) as the cameras see it, (F, 15, 3) pixels."""
        turned = self.scales[:, None, None] * (self.rotations @ shape)
        moved = np.pad(self.translations, ((0, 0), (0, 1)))
        views: Floats = turned.swapaxes(1, 2) + moved[:, None]
        return views


def read_annotations(path: Path) -> Annotations:
    """Read `<split>_cub_cleaned.mat`.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged.
    """
    images = read_mat(path, "images")["images"]
    with one_line_errors(path, "a struct array 'images' with rel_path, bbox and parts"):
        names = [str(name) for name in as_list(images["rel_path"])]
        parts = np.asarray(as_list(images["parts"]))
        boxes = np.array([[box[c] for c in _CORNERS] for box in as_list(images["bbox"])])
        parts = finite_field(parts, "parts", (len(names), 3, len(PARTS)))
        boxes = finite_field(boxes, "bbox", (len(names), 4))
        if (boxes[:, 2:] < boxes[:, :2]).any():
            raise ValueError("a 'bbox' has no size")
    box = np.concatenate([boxes[:, :2] - 1, boxes[:, 2:] - boxes[:, :2] + 1], axis=1)
    return Annotations(parts[:, :2].swapaxes(1, 2) - 1, parts[:, 2] > 0, box, np.array(names))


def read_sfm(path: Path) -> Sfm:
    """Read `anno_<split>.mat`.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged.
    """
    content = read_mat(path)
    with one_line_errors(path, "a struct array 'sfm_anno' with rot, scale and trans"):
        entries = content["sfm_anno"]
        scales = finite_field(np.array(as_list(entries["scale"])), "scale", (None,))
        if not len(scales):
            raise ValueError("'sfm_anno' is empty")
        rotations = np.array(as_list(entries["rot"]))
        translations = np.array(as_list(entries["trans"]))
        shape = content.get("S")
        return Sfm(
            finite_field(rotations, "rot", (len(scales), 3, 3)),
            scales,
            finite_field(translations, "trans", (len(scales), 2)) - 1,
            None if shape is None else finite_field(shape, "S", (3, len(PARTS))),
        )


def shape_of(sfm: Sfm, whole: Path) -> Floats | None:
    """Return the shape (3, 15) that cameras were found with, None if it is unknown.

    CMR's files of `val` and `test` have no shape; their entries are also in `anno_testval.mat`,
    which has it.

    Args:
        sfm: the cameras.
        whole: `anno_testval.mat`.
    """
    if sfm.shape is not None or not whole.is_file():
        return sfm.shape
    both = read_sfm(whole)
    return both.shape if np.isin(_keys(sfm), _keys(both)).all() else None


def find_images(views: Floats, points: Floats, visible: Bools, path: Path) -> NDArray[np.int64]:
    """Return the number (F,) of the image of each entry, which the file does not name.

    The translation of an entry was fitted to the visible points of its image: their distances to
    the shape have a mean of zero in this image and in no other. Entries are in the order of their
    images, which decides between images that are in the release twice.

    Args:
        views: (F, 15, 3) the shape as seen by the cameras of the entries.
        points: (N, 15, 2) of all images.
        visible: (N, 15).
        path: of the entries, for the error.

    Raises:
        UserError: the entries do not belong to these images.
    """
    count = visible.sum(axis=1, keepdims=True)
    weights = visible / np.maximum(count, 1)
    means = np.where(count > 0, np.einsum("np,npc->nc", weights, points), np.inf)
    entry, image = _fitting(views, means, weights)
    if not np.array_equal(np.unique(entry), np.arange(len(views))):
        raise UserError(f"{path}: an entry fits no image of part_locs.txt; are both of CUB?")
    usual = median_filter(image[_firsts(entry)], _NEIGHBOURS, mode="nearest")
    order = np.lexsort((np.abs(image - usual[entry]), entry))
    found: NDArray[np.int64] = image[order][_firsts(entry[order])]
    if (np.diff(found) <= 0).any():
        raise UserError(f"{path}: the entries are not in the order of the images of part_locs.txt")
    return found


def _fitting(
    views: Floats, means: Floats, weights: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of an entry and an image that fits it, in the order of the entries."""
    pairs = []
    for start in range(0, len(views), _AT_ONCE):
        some = views[start : start + _AT_ONCE, :, :2]
        # Entries are in order, so each entry before or after this one needs an image there too.
        reach = slice(start, len(means) - len(views) + start + len(some))
        gaps = some[..., 0] @ weights[reach].T - means[reach, 0]
        entry, image = np.nonzero(np.abs(gaps) < _FITS)
        image += start
        # Few pairs fit in x, and only these are compared in y.
        gaps = np.einsum("kpc,kp->kc", some[entry], weights[image]) - means[image]
        fits = np.linalg.norm(gaps, axis=1) < _FITS
        pairs.append((start + entry[fits], image[fits]))
    entries, images = zip(*pairs, strict=True)
    return np.concatenate(entries), np.concatenate(images)


def _firsts(entry: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the index where each entry begins in a sorted list of entries."""
    return np.flatnonzero(np.diff(entry, prepend=-1))


def as_list(value: Any) -> list[Any]:  # noqa: ANN401 a field of a struct array
    """Return a field of a struct array as a list; of a single entry the reader gives the value."""
    return value if isinstance(value, list) else [value]


def _keys(sfm: Sfm) -> NDArray[np.void]:
    """Return a value that distinguishes each entry from all others, (F,)."""
    rows = np.column_stack([sfm.scales, sfm.translations])
    return np.ascontiguousarray(rows).view(np.dtype((np.void, rows.itemsize * 3)))[:, 0]
