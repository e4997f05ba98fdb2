"""A user's own 2D points, with or without 3D truth: one file a subset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.arrays import Arrays, cached_arrays
from liftbench.errors import DataMissingError, UserError
from liftbench.files import checksum
from liftbench.images import Images
from liftbench.plugin.specs import DatasetInfo, DatasetSpec, Finding
from liftbench.types import Dataset, GroundTruth, Observations, Skeleton
from liftbench_datasets.points import file as points_file

KEY = "points"
ALL = "all"

# Raise the number when the reader changes what it makes of a file.
_PARSED = "points-1"
_SUFFIXES = (".npz", ".json")


@dataclass(frozen=True)
class PointsParams:
    """Where the files are.

    Attributes:
        folder: of the files, below the data root or absolute.
    """

    folder: str = KEY

    def __post_init__(self) -> None:
        if not isinstance(self.folder, str):
            raise ValueError(  # noqa: TRY004
                f"folder: expected the path of a folder, got {self.folder!r}"
            )


class Points:
    """Frames of a user's own, as the files have them (see `points_file`).

    The split `all` is every frame; the others are those that the field `split` names.
    """

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = PointsParams(**params)

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the names of the files, without their endings."""
        return tuple(sorted({path.stem for path in self._files(root)}))

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 of the file."""
        return checksum([self._file(root, subset)])

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return a split; the truth is None where the file has no 3D points."""
        path = self._file(root, subset)
        arrays = cached_arrays(_PARSED, checksum([path]), lambda: points_file.read_points(path))
        chosen = _chosen(path, arrays, split)
        seen = {name: arrays[name][chosen] for name in ("points_2d", "visible", "sequence")}
        edges = tuple((int(a), int(b)) for a, b in arrays["edges"])
        return Dataset(
            Observations(
                **seen,
                camera=arrays["camera"].item(),
                skeleton=Skeleton(tuple(arrays["names"].tolist()), edges),
                box=arrays["box"][chosen] if "box" in arrays else None,
                images=_images(path, arrays, chosen),
                pixel=arrays["pixel"][chosen] if "pixel" in arrays else None,
            ),
            _truth(arrays, chosen) if "points_3d" in arrays else None,
        )

    def note(self, root: Path, subset: str) -> str:
        """Return nothing: no paper has these points."""
        self._file(root, subset)
        return ""

    def check(self, root: Path) -> list[Finding]:
        """Read every file and return what it holds."""
        files = self._files(root)
        if not files:
            return [Finding("files", False, str(self._absent(root, "<name>")))]
        return [self._check(root, subset) for subset in self.subsets(root)]

    def _check(self, root: Path, subset: str) -> Finding:
        try:
            data = self.load(root, subset, ALL)
        except UserError as error:
            return Finding(subset, False, str(error))
        return Finding(subset, True, _told(data))

    def _files(self, root: Path) -> list[Path]:
        folder = root / self.params.folder
        return sorted(path for path in folder.glob("*.*") if path.suffix in _SUFFIXES)

    def _file(self, root: Path, subset: str) -> Path:
        found = [path for path in self._files(root) if path.stem == subset]
        if not found:
            raise self._absent(root, subset)
        if len(found) > 1:
            names = " and ".join(path.name for path in found)
            raise UserError(f"{found[0].parent}: {names} have one name; rename one of them")
        return found[0]

    def _absent(self, root: Path, subset: str) -> DataMissingError:
        return DataMissingError(
            f"{KEY}: {subset} not found, looked for {root / self.params.folder}/{subset}.npz and "
            f"{subset}.json; see 'liftbench data info {KEY}'"
        )


def _chosen(path: Path, arrays: Arrays, split: str) -> Any:  # noqa: ANN401 indices of frames
    if split == ALL:
        return np.arange(len(arrays["sequence"]))
    if "split" not in arrays:
        raise DataMissingError(
            f"{path}: it has no field split; add one that says train, val or test of every frame, "
            f"or ask for the split '{ALL}'"
        )
    chosen = np.flatnonzero(arrays["split"] == split)
    if not len(chosen):
        raise DataMissingError(f"{path}: no frame is of the split '{split}'")
    return chosen


def _truth(arrays: Arrays, chosen: Any) -> GroundTruth:  # noqa: ANN401 indices of frames
    names = ("points_3d", "group", "sequence", "mask")
    taken = {name: arrays[name][chosen] for name in names}
    return GroundTruth(**taken, unit=arrays["unit"].item())


def _images(path: Path, arrays: Arrays, chosen: Any) -> Images | None:  # noqa: ANN401
    if "images" not in arrays:
        return None
    return Images(tuple(str(path.parent / name) for name in arrays["images"][chosen]))


def _told(data: Dataset) -> str:
    seen = data.observations
    frames, points = seen.visible.shape
    sequences = len(set(seen.sequence.tolist()))
    truth = f"3D points in {data.truth.unit}" if data.truth else "no 3D points"
    return (
        f"{frames} frames of {points} points in {sequences} sequences, "
        f"{100 * seen.visible.mean():.0f} % visible, {seen.camera}, {truth}"
    )


POINTS = DatasetSpec(
    key=KEY,
    title="Your own points",
    reference="files of the user's",
    make=Points,
    params=PointsParams,
    splits=(ALL, *points_file.SPLITS),
    info=DatasetInfo(
        download="none: write the files yourself",
        licence="yours",
        layout="DATA_ROOT/points/<name>.npz or .json with points_2d (frames, points, 2), NaN or "
        "null where hidden; optional: visible (frames, points), points_3d (frames, points, 3; z "
        "away from the camera), sequence, group, split (train, val, test) and images a frame, box "
        "(frames, 4: x, y, width, height), pixel (its size in the unit of points_2d), names a "
        "point, edges (any, 2), unit, camera (orthographic, weak_perspective, or perspective on "
        "the unit focal plane)",
        size="any",
    ),
)
