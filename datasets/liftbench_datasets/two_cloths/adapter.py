"""Two Cloths: 2D tracks of two cloths that move fast, without 3D truth.

The paper prints 163 frames of 525 points, a grid (PR-RRN, section 5.1). We do not know how the
points are numbered or which cloth a point belongs to, so the skeleton has no edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.arrays import cache_arrays
from liftbench.errors import DataMissingError, UserError, require_known
from liftbench.files import checksum
from liftbench.plugin.specs import DatasetInfo, DatasetSpec, Finding
from liftbench.types import Dataset, Observations, Skeleton
from liftbench_datasets.reading.number_file import find_numbers, read_tracks

KEY = "two_cloths"
SPLITS = ("all",)
SUBSETS = ("all",)
FRAMES, POINTS = 163, 525

_PLACES = ("two_cloths/two_cloths", "two_cloths")
# Raise the number when the reader changes what it makes of a file.
_PARSED = "two_cloths-1"


@dataclass(frozen=True)
class TwoClothsParams:
    """Two Cloths has no parameters."""


class TwoCloths:
    """One sequence of 2D points in the unit of the file, treated as orthographic as in PR-RRN.

    A point that is NaN in the file is hidden.
    """

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = TwoClothsParams(**params)

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return `all` if the tracks are there."""
        return SUBSETS if _find(root) else ()

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 over the file."""
        return checksum([_tracks(root, subset)])

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return all frames; there is no truth."""
        require_known("split", split, SPLITS)
        path = _tracks(root, subset)
        arrays = cache_arrays(_PARSED, checksum([path]), lambda: {"points_2d": read_tracks(path)})
        points_2d = arrays["points_2d"]
        frames, points = points_2d.shape[:2]
        seen = Observations(
            points_2d,
            np.all(np.isfinite(points_2d), axis=2),
            np.ones(frames, dtype=np.int64),
            "orthographic",
            Skeleton(tuple(str(i) for i in range(points))),
        )
        return Dataset(seen, None)

    def note(self, root: Path, subset: str) -> str:
        """Return the counts if they differ from those that the paper prints."""
        frames, points = self.load(root, subset, SPLITS[0]).observations.visible.shape
        if (frames, points) == (FRAMES, POINTS):
            return ""
        return f"{frames} frames of {points} points, not {FRAMES} of {POINTS}"

    def check(self, root: Path) -> list[Finding]:
        """Read the tracks and return the counts."""
        try:
            seen = self.load(root, SUBSETS[0], SPLITS[0]).observations
            note = self.note(root, SUBSETS[0])
        except UserError as error:
            return [Finding("tracks", False, str(error))]
        detail = f"{seen.visible.shape[0]} frames of {seen.visible.shape[1]} points"
        hidden = int((~seen.visible).sum())
        return [Finding("tracks", not note, note or f"{detail}, {hidden} hidden")]


def _find(root: Path) -> Path | None:
    files = (find_numbers(root / place) for place in _PLACES)
    return next((file for file in files if file), None)


def _tracks(root: Path, subset: str) -> Path:
    require_known(f"subset of dataset '{KEY}'", subset, SUBSETS)
    path = _find(root)
    if path is None:
        raise DataMissingError(
            f"{KEY}: tracks not found, looked for {root / _PLACES[0]}.mat, .npz and .txt; "
            f"see 'liftbench data info {KEY}'"
        )
    return path


TWO_CLOTHS = DatasetSpec(
    key=KEY,
    title="Two Cloths, 2D tracks, no 3D truth",
    reference="Taylor, Jepson, Kutulakos: Non-Rigid Structure from Locally-Rigid Motion, CVPR 2010",
    make=TwoCloths,
    params=TwoClothsParams,
    splits=SPLITS,
    info=DatasetInfo(
        download="ask the authors of the paper; no public copy was found",
        licence="not stated where we could look; ask the authors",
        layout="DATA_ROOT/two_cloths/two_cloths.mat, .npz or .txt with the variable W, two rows "
        "per frame (326 x 525) or frames x points x 2; NaN = hidden. This form is ours, as that of "
        "the release could not be found out",
        size="163 frames of 525 points, about 1 MB",
    ),
)
