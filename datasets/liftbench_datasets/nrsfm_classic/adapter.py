"""The classical NRSfM sequences: motion capture in the `.mat` files of Akhter and Torresani."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.arrays import cache_arrays
from liftbench.errors import DataMissingError, require_known
from liftbench.files import checksum
from liftbench.plugin.specs import DatasetInfo, DatasetSpec, Finding
from liftbench.types import Dataset, GroundTruth, Observations, Skeleton
from liftbench_datasets.nrsfm_classic.file import read_sequence
from liftbench_datasets.reading.findings import finding

KEY = "nrsfm_classic"
SPLITS = ("all",)

# Frames and points of the sequences that the papers' tables have.
COUNTS = {
    "drink": (1102, 41),
    "pickup": (357, 41),
    "yoga": (307, 41),
    "stretch": (370, 41),
    "dance": (264, 75),
    "walking": (260, 55),
    "face": (316, 40),
    "shark": (240, 91),
}
# Files whose names differ from those of their sequences.
_ALSO = {"shark": "jaws", "face_mocap": "face_mocap_rearranged"}
_FOLDERS = (KEY, "")
# Raise the number when the reader changes what it makes of a file.
_PARSED = "nrsfm_classic-1"


@dataclass(frozen=True)
class NrsfmClassicParams:
    """The sequences have no parameters."""


class NrsfmClassic:
    """Orthographic views of one deforming body per subset, all frames in one sequence.

    Truth is in the camera's frame. The files of drink, pickup, yoga and stretch have cameras, and
    the truth has their rotations; in the others the camera stands still. Lengths are in the unit
    of the file. Any other file in one of these forms is a subset by its name.
    """

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = NrsfmClassicParams(**params)

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the sequences whose files are found, first the ones in the papers' tables."""
        names = {_name(path) for path in _files(root)}
        order = [name for name in COUNTS if name in names]
        return (*order, *sorted(names - COUNTS.keys()))

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 of the file."""
        return checksum([_file(root, subset)])

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return all frames."""
        require_known("split", split, SPLITS)
        path = _file(root, subset)
        arrays = cache_arrays(_PARSED, checksum([path]), lambda: read_sequence(path))
        points_2d, points_3d = arrays["points_2d"], arrays["points_3d"]
        frames, points = points_2d.shape[:2]
        sequence = np.ones(frames, dtype=np.int64)
        skeleton = Skeleton(
            tuple(str(i) for i in range(points)),
            tuple((int(a), int(b)) for a, b in arrays["edges"]),
        )
        visible = np.ones((frames, points), dtype=np.bool_)
        return Dataset(
            Observations(points_2d, visible, sequence, "orthographic", skeleton),
            GroundTruth(
                points_3d,
                "units of the file",
                np.full(frames, subset),
                sequence,
                rotation=arrays.get("rotation"),
            ),
        )

    def note(self, root: Path, subset: str) -> str:
        """Return the counts of frames and points if they differ from the papers' sequence."""
        found = self.load(root, subset, "all").observations.visible.shape
        known = COUNTS.get(subset, found)
        if found == known:
            return ""
        return f"{found[0]} frames of {found[1]} points, not {known[0]} of {known[1]}"

    def check(self, root: Path) -> list[Finding]:
        """Read every file; return the counts and whether they are those of the papers."""
        names = self.subsets(root)
        if not names:
            return [Finding("sequences", False, str(_missing_error(root, "any sequence")))]
        return [self._check(root, name) for name in names]

    def _check(self, root: Path, subset: str) -> Finding:
        found = finding(subset, lambda: self._describe(root, subset))
        if found.ok and (note := self.note(root, subset)):
            return Finding(subset, False, note)
        return found

    def _describe(self, root: Path, subset: str) -> str:
        data = self.load(root, subset, "all")
        frames, points = data.observations.visible.shape
        moves = data.truth is not None and data.truth.rotation is not None
        camera = "cameras that turn" if moves else "a camera that stands still"
        return f"{frames} frames of {points} points, {camera}"


def _files(root: Path) -> list[Path]:
    """Return the files of the first folder that has any; in the data root, only known names."""
    for folder in _FOLDERS:
        found = sorted((root / folder).glob("*.mat"))
        known = [path for path in found if folder or _name(path) in {*COUNTS, *_ALSO}]
        if known:
            return known
    return []


def _name(path: Path) -> str:
    """Return the subset of a file."""
    return next((name for name, stem in _ALSO.items() if path.stem == stem), path.stem)


def _file(root: Path, subset: str) -> Path:
    found = [path for path in _files(root) if _name(path) == subset]
    if not found:
        raise _missing_error(root, subset)
    return min(found, key=lambda path: path.stem != subset)


def _missing_error(root: Path, name: str) -> DataMissingError:
    stem = name if name.isidentifier() else "drink"
    return DataMissingError(
        f"{KEY}: {name} not found, looked for {root / KEY / stem}.mat; "
        f"see 'liftbench data info {KEY}'"
    )


NRSFM_CLASSIC = DatasetSpec(
    key=KEY,
    title="Classical NRSfM sequences, motion capture",
    reference="Akhter, Sheikh, Khan, Kanade: Nonrigid Structure from Motion in Trajectory Space, "
    "NIPS 2008; Torresani, Hertzmann, Bregler: Nonrigid Structure-from-Motion: Estimating Shape "
    "and Motion with Hierarchical Priors, TPAMI 2008",
    make=NrsfmClassic,
    params=NrsfmClassicParams,
    splits=SPLITS,
    info=DatasetInfo(
        download="the authors' pages of trajectory-space, EM-SfM and CSF code, whose archives hold "
        "the .mat files",
        licence="not stated where we could look; ask the authors",
        layout="DATA_ROOT/nrsfm_classic/<name>.mat, names drink, pickup, yoga, stretch, dance, "
        "walking, face, shark (or jaws), face_mocap, with W (2F x P), S (3F x P) and perhaps Rs "
        "(2F x 3), rows frame by frame; or P3_gt (3F x P), rows all x, all y, all z; or X (3 x P x "
        "F): of P3_gt and X the camera sees x and y",
        size="0.05 to 3 MB a sequence",
    ),
)
