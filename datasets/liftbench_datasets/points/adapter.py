"""A user's own 2D points, with or without 3D truth, in one file per subset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftbench.arrays import Arrays, cache_arrays
from liftbench.errors import DataMissingError
from liftbench.files import checksum
from liftbench.images import Images
from liftbench.plugin.specs import DatasetInfo, DatasetSpec
from liftbench.plugin.subset_files import SubsetFiles
from liftbench.types import Dataset, GroundTruth, Observations, Skeleton
from liftbench_datasets.points import file as points_file

KEY = "points"
ALL = "all"
SPLITS = (ALL, *points_file.SPLITS)

# Raise the number when the reader changes what it makes of a file.
_PARSED = "points-1"


@dataclass(frozen=True)
class PointsParams:
    """Where the files are.

    Attributes:
        folder: the folder of the files, below the data root or absolute.
    """

    folder: str = KEY

    def __post_init__(self) -> None:
        if not isinstance(self.folder, str):
            raise ValueError(  # noqa: TRY004
                f"folder: expected the path of a folder, got {self.folder!r}"
            )


class Points(SubsetFiles):
    """Frames of the user's own points, as they are in the files (see `points.file`).

    The split `all` has every frame; the field `split` names the frames of the other splits.
    """

    key = KEY
    suffix = (".npz", ".json")
    splits = SPLITS

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = PointsParams(**params)

    def folder(self, root: Path) -> Path:
        """Return the folder of the files."""
        return root / self.params.folder

    def read(self, path: Path, split: str) -> Dataset:
        """Return a split; the truth is None where the file has no 3D points."""
        arrays = cache_arrays(_PARSED, checksum([path]), lambda: points_file.read_points(path))
        chosen = _frames_of_split(path, arrays, split)
        seen = {name: arrays[name][chosen] for name in ("points_2d", "visible", "sequence")}
        edges = tuple((int(a), int(b)) for a, b in arrays["edges"])
        return Dataset(
            Observations(
                seen["points_2d"],
                seen["visible"],
                seen["sequence"],
                camera=arrays["camera"].item(),
                skeleton=Skeleton(tuple(arrays["names"].tolist()), edges),
                box=arrays["box"][chosen] if "box" in arrays else None,
                images=_images(path, arrays, chosen),
                pixel=arrays["pixel"][chosen] if "pixel" in arrays else None,
                origin=arrays["origin"][chosen] if "origin" in arrays else None,
            ),
            _truth(arrays, chosen) if "points_3d" in arrays else None,
        )

    def describe(self, root: Path, subset: str) -> str:
        """Describe the content of a file: its counts, its camera and whether it has 3D points."""
        data = self.load(root, subset, ALL)
        seen = data.observations
        frames, points = seen.visible.shape
        sequences = len(set(seen.sequence.tolist()))
        truth = f"3D points in {data.truth.unit}" if data.truth else "no 3D points"
        return (
            f"{frames} frames of {points} points in {sequences} sequences, "
            f"{100 * seen.visible.mean():.0f} % visible, {seen.camera}, {truth}"
        )


def _frames_of_split(path: Path, arrays: Arrays, split: str) -> NDArray[np.intp]:
    if split == ALL:
        return np.arange(len(arrays["sequence"]))
    if "split" not in arrays:
        raise DataMissingError(
            f"{path}: it has no field split; add one with train, val or test for every frame, "
            f"or ask for the split '{ALL}'"
        )
    chosen = np.flatnonzero(arrays["split"] == split)
    if not len(chosen):
        raise DataMissingError(f"{path}: no frame belongs to the split '{split}'")
    return chosen


def _truth(arrays: Arrays, chosen: NDArray[np.intp]) -> GroundTruth:
    return GroundTruth(
        points_3d=arrays["points_3d"][chosen],
        unit=arrays["unit"].item(),
        group=arrays["group"][chosen],
        sequence=arrays["sequence"][chosen],
        mask=arrays["mask"][chosen],
    )


def _images(path: Path, arrays: Arrays, chosen: NDArray[np.intp]) -> Images | None:
    if "images" not in arrays:
        return None
    return Images(tuple(str(path.parent / name) for name in arrays["images"][chosen]))


POINTS = DatasetSpec(
    key=KEY,
    title="Your own points",
    reference="files of the user's",
    make=Points,
    params=PointsParams,
    splits=SPLITS,
    info=DatasetInfo(
        download="none: write the files yourself",
        licence="yours",
        layout="DATA_ROOT/points/<name>.npz or .json with points_2d (frames, points, 2), NaN or "
        "null where hidden; optional: visible (frames, points), points_3d (frames, points, 3; z "
        "away from the camera), sequence, group, split (train, val, test) and images a frame, box "
        "(frames, 4: x, y, width, height), pixel (its size in the unit of points_2d), origin "
        "(frames, 2: where 0,0 of points_2d lies in the image, pixels from its corner), names a "
        "point, edges (any, 2), unit, camera (orthographic, weak_perspective, or perspective on "
        "the unit focal plane)",
        size="any",
    ),
)
