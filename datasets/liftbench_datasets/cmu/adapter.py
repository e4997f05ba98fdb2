"""CMU motion capture: the official ASF/AMC archive, one subset per subject."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.arrays import Arrays, cache_arrays
from liftbench.cameras import project, random_rotations
from liftbench.errors import DataMissingError, UserError
from liftbench.files import checksum
from liftbench.plugin.specs import DatasetInfo, DatasetSpec, Finding
from liftbench.seeds import named_rng
from liftbench.types import Dataset, Floats, GroundTruth, Observations, Skeleton
from liftbench_datasets.adapting.left_right import left_right_pairs
from liftbench_datasets.adapting.sequence_splits import SPLITS, split_sequences
from liftbench_datasets.adapting.views import ViewParams, camera_views
from liftbench_datasets.cmu.amc import read_amc
from liftbench_datasets.cmu.asf import read_asf
from liftbench_datasets.geometry.kinematics import rest_pose

POINTS = 31

# Number of sequences of a subject in the official archive, and of frames where a paper prints it.
OFFICIAL_SEQUENCES = {"01": 14, "07": 12, "20": 13, "39": 14}
OFFICIAL_FRAMES = {"01": 54_857}

# Metres from the lowest joint to the highest at rest; a height outside means a wrong unit.
HEIGHT_RANGE = (1.0, 2.5)

# Raise the number when the readers change what they make of a file.
_PARSED = "cmu-2"

_BELOW_ROOT = ("", "subjects", "all_asfamc/subjects", "cmu", "cmu/subjects")
_BELOW_ROOT_DEEP = "cmu/all_asfamc/subjects"


@dataclass(frozen=True)
class CmuParams(ViewParams):
    """Parameters of the views.

    Attributes:
        view_seed: the seed of the camera rotations, one per frame.
    """

    view_seed: int = 0


class Cmu:
    """Views of motion capture, with one Haar-random rotation per frame.

    The first floor(0.8 n) of a subject's n sequences in file order are `train`, the rest
    `unseen` (PR-RRN, section 5.1). Points are centred in each frame; lengths are metres. The
    height of a subject is that of its skeleton's rest pose, from the lowest joint to the highest
    along y, which is vertical in these files; it is the same for all motions of the subject.
    """

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = CmuParams(**params)

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the subjects whose skeleton file is there."""
        folder = _archive(root)
        if folder is None:
            return ()
        return tuple(sorted(p.name for p in folder.iterdir() if _asf(p).is_file()))

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 over the subject's skeleton and motions."""
        return checksum(_sources(root, subset))

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return a split of a subject; sequence ids are the trial numbers of the archive."""
        asf, *motions = _sources(root, subset)
        arrays = cache_arrays(_PARSED, checksum([asf, *motions]), lambda: _parse(asf, motions))
        trials = split_sequences(arrays["trials"].tolist(), split)
        if not trials:
            raise DataMissingError(f"cmu: {subset} has too few sequences for a '{split}' split")
        chosen = np.isin(arrays["sequence"], trials)
        sequence = arrays["sequence"][chosen]
        rotations = self._rotations(subset, sequence)
        height = float(arrays["height"])
        points_3d = camera_views(arrays["positions"][chosen], rotations, self.params, height)
        points_2d = project(points_3d, self.params.camera)
        visible = np.ones(points_2d.shape[:2], dtype=np.bool_)
        skeleton = _skeleton(arrays)
        return Dataset(
            Observations(points_2d, visible, sequence, self.params.camera, skeleton),
            GroundTruth(points_3d, "m", np.full(len(sequence), subset), sequence),
        )

    def note(self, root: Path, subset: str) -> str:
        """Return how many of the official sequences there are, if some are known to be missing."""
        have = len(_sources(root, subset)) - 1
        official = OFFICIAL_SEQUENCES.get(subset)
        if official is None or have == official:
            return ""
        return f"{have} of the official {official} sequences, so not exactly the papers' set"

    def check(self, root: Path) -> list[Finding]:
        """Parse every subject and return its counts and what is missing."""
        subjects = self.subsets(root)
        if not subjects:
            return [Finding("archive", False, str(_not_found(root, "any subject")))]
        return [self._check_subject(root, subject) for subject in subjects]

    def _check_subject(self, root: Path, subject: str) -> Finding:
        try:
            asf, *motions = _sources(root, subject)
            arrays = _parse(asf, motions)
        except UserError as error:
            return Finding(subject, False, str(error))
        frames, points = arrays["positions"].shape[:2]
        height, (low, high) = float(arrays["height"]), HEIGHT_RANGE
        counts = f"{len(motions)} sequences, {frames} frames, {points} points, {height:.2f} m tall"
        problems = [
            text
            for bad, text in (
                (points != POINTS, f"expected {POINTS} points"),
                (not low <= height <= high, f"expected a height of {low} to {high} m"),
                (OFFICIAL_FRAMES.get(subject, frames) != frames, "not the official frame count"),
            )
            if bad
        ]
        partial = [note] if (note := self.note(root, subject)) else []
        return Finding(subject, not problems, "; ".join([counts, *partial, *problems]))

    def _rotations(self, subject: str, sequence: np.ndarray[Any, Any]) -> Floats:
        """Draw the (F, 3, 3) camera rotations, for each sequence without regard to the others."""
        seed = self.params.view_seed
        return np.concatenate(
            [
                random_rotations(named_rng("cmu", "view", seed, subject, int(t)), n)
                for t, n in zip(*np.unique(sequence, return_counts=True), strict=True)
            ]
        )


def _archive(root: Path) -> Path | None:
    """Return the folder of `<NN>` folders: the root itself or one of the usual places below."""
    for below in (_BELOW_ROOT_DEEP, *reversed(_BELOW_ROOT)):
        folder = root / below
        if folder.is_dir() and any(_asf(p).is_file() for p in folder.iterdir() if p.is_dir()):
            return folder
    return None


def _asf(folder: Path) -> Path:
    return folder / f"{folder.name}.asf"


def _sources(root: Path, subject: str) -> list[Path]:
    """Return the subject's skeleton and its motions in the order of their trial numbers."""
    archive = _archive(root)
    if archive is None or not _asf(archive / subject).is_file():
        raise _not_found(root, subject)
    motions = sorted((archive / subject).glob(f"{subject}_*.amc"), key=_trial)
    if not motions:
        raise DataMissingError(f"cmu: no {subject}_*.amc in {archive / subject}")
    return [_asf(archive / subject), *motions]


def _not_found(root: Path, subject: str) -> DataMissingError:
    folder = _archive(root) or root / "cmu"
    return DataMissingError(
        f"cmu: {subject} not found, looked for {folder}/{subject}/{subject}.asf; "
        "see 'liftbench data info cmu'"
        if subject.isdigit()
        else f"cmu: no <NN>/<NN>.asf under {root}; see 'liftbench data info cmu'"
    )


def _parse(asf: Path, motions: list[Path]) -> Arrays:
    skeleton = read_asf(asf)
    trials = [_trial(path) for path in motions]
    positions = [read_amc(path, skeleton) for path in motions]
    return {
        "positions": np.concatenate(positions),
        "sequence": np.repeat(trials, [len(p) for p in positions]).astype(np.int64),
        "trials": np.array(trials, dtype=np.int64),
        "height": np.array(np.ptp(rest_pose(skeleton.tree)[:, 1])),
        "names": np.array(skeleton.tree.names),
        "edges": np.array(skeleton.tree.edges),
    }


def _trial(path: Path) -> int:
    number = path.stem.rpartition("_")[2]
    if not number.isdigit():
        raise UserError(f"{path}: expected a name such as 07_03.amc; rename or remove the file")
    return int(number)


def _skeleton(arrays: Arrays) -> Skeleton:
    names = tuple(arrays["names"].tolist())
    edges = tuple((int(a), int(b)) for a, b in arrays["edges"])
    return Skeleton(names, edges, left_right_pairs(names))


CMU = DatasetSpec(
    key="cmu",
    title="CMU motion capture, random views",
    reference="mocap.cs.cmu.edu, created with funding from NSF EIA-0196217",
    make=Cmu,
    params=CmuParams,
    splits=SPLITS,
    info=DatasetInfo(
        download="allasfamc.zip from mocap.cs.cmu.edu (all subjects, ASF/AMC)",
        licence="free for research and commercial products, not to be resold even in converted "
        "form; acknowledge mocap.cs.cmu.edu and NSF EIA-0196217",
        layout="DATA_ROOT/cmu/<NN>/<NN>.asf and <NN>_<MM>.amc; the unpacked archive "
        "all_asfamc/subjects/<NN> is found too",
        size="about 1.1 GB zipped, 4 GB unpacked, 2514 sequences of 144 subjects",
    ),
)
