"""Any dataset in the JSON format of C3DPO: PASCAL3D+, Human3.6M, UP-3D, CUB or your own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.arrays import Arrays, cache_arrays
from liftbench.errors import DataMissingError, UserError
from liftbench.files import checksum
from liftbench.images import Images
from liftbench.plugin.specs import DatasetInfo, DatasetSpec, Finding
from liftbench.types import Bools, Dataset, Floats, GroundTruth, Observations
from liftbench_datasets.c3dpo.entries import read_entries
from liftbench_datasets.c3dpo.points import skeleton_of

KEY = "c3dpo_json"
SPLITS = ("train", "val", "test")
BOX_MARGIN = 0.1  # points outside a box that grows by this share at each side are hidden

# Raise the number when the reader changes what it makes of a file.
_PARSED = "c3dpo-1"
_BELOW_ROOT = ("c3dpo", "datasets/c3dpo", "data/datasets/c3dpo")
_FILE = re.compile(r"(?P<subset>.+)_(?P<split>train|val|test)\.json")

# Numbers of entries that C3DPO's scoring expects, and MD5 sums of the release's files.
_ENTRIES = {
    "h36m_val": 109_556,
    "h36m_hourglass_val": 109_556,
    "pascal3d_val": 1_950,
    "pascal3d_hrnet_val": 1_950,
    "up3d_79kp_train": 171_090,
    "up3d_79kp_test": 15_000,
}
_MD5 = {
    "h36m_train": "454e2aee4cad761499265f858fe2e0ff",
    "h36m_val": "d2347fc651e7f704ce3a4da880852fff",
    "h36m_hourglass_train": "d2ffcaf4ce9e49712a65e2b1932814a3",
    "h36m_hourglass_val": "9996a703cb3b24da3b5563baa09da2bd",
    "pascal3d_hrnet_train": "c145b879e7462f8942a258f7c6dcbee4",
    "pascal3d_hrnet_val": "5cb55986b1c19253f0b8213e47688443",
    "pascal3d_train": "a78048a101ef56bc371b01f66c19178b",
    "pascal3d_val": "0128817c43eaa1eff268d5295700c8ad",
    "up3d_79kp_train": "fde2aee038ecd0f145181559eff59c9f",
    "up3d_79kp_test": "7d8bf3405ec085394e9257440e8bcb18",
}
_UNITS = {"h36m": "mm", "pascal3d": "pixel", "up3d": "m"}


@dataclass(frozen=True)
class C3dpoJsonParams:
    """No parameters: the files hold the views."""


class C3dpoJson:
    """Unrelated frames from C3DPO's files, seen by an orthographic camera.

    A subset is the name of a file before `_train.json`, `_val.json` or `_test.json`. Points
    outside the grown box are hidden, as in C3DPO. Points count if `class_mask` and `kp_defined`
    are true. The group is the category or the action. If entries have a `scale` (Human3.6M), 2D
    and 3D points are multiplied by it and become millimetres; C3DPO multiplies the errors instead,
    so that its network sees all persons at one size. Units: pixels for PASCAL3D+; metres for
    UP-3D, inferred from the errors that C3DPO prints.
    """

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = C3dpoJsonParams(**params)

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the names of the datasets that are found."""
        return tuple(sorted(_files(root)))

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 of the files of all splits."""
        return checksum(_find_files_of(root, subset).values())

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return a split; the truth is None where the entries have no 3D points."""
        files = _find_files_of(root, subset)
        if split not in files:
            present = ", ".join(path.name for path in files.values())
            raise DataMissingError(
                f"{KEY}: {subset}_{split}.json not found, there is only {present}; "
                f"see 'liftbench data info {KEY}'"
            )
        return as_dataset(subset, files[split])

    def note(self, root: Path, subset: str) -> str:
        """Return which files have another number of entries than C3DPO's."""
        known = [path for path in _find_files_of(root, subset).values() if path.stem in _ENTRIES]
        notes = [_count_note(path, len(_read_arrays(path)["kp_vis"])) for path in known]
        return "; ".join(note for note in notes if note)

    def check(self, root: Path) -> list[Finding]:
        """Parse every file and return its counts, and whether it is the release's."""
        subsets = self.subsets(root)
        if not subsets:
            return [Finding("files", False, str(_missing_error(root, "<name>")))]
        return [finding for subset in subsets for finding in self.check_subset(root, subset)]

    def check_subset(self, root: Path, subset: str) -> list[Finding]:
        """Parse the files of one dataset and return their findings."""
        return [_check_file(path) for path in _find_files_of(root, subset).values()]


def as_dataset(subset: str, path: Path) -> Dataset:
    """Return the frames of one file.

    Args:
        subset: name of the dataset, which gives the names of its points.
        path: the file.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged.
    """
    arrays = _read_arrays(path)
    visible = arrays["kp_vis"] & arrays.get("class_mask", True)
    points_2d = _multiply_by_scale(arrays, "kp_loc")
    _require_finite(path, "kp_loc", points_2d, visible)
    visible &= _in_box(arrays)
    frames, count = visible.shape
    return Dataset(
        Observations(
            points_2d=np.where(visible[..., None], points_2d, np.nan),
            visible=visible,
            sequence=np.arange(frames),
            camera="orthographic",
            skeleton=skeleton_of(subset, count),
            box=arrays.get("bbox"),
            images=_images(path, arrays),
        ),
        _truth(subset, path, arrays) if "kp_loc_3d" in arrays else None,
    )


def _read_arrays(path: Path) -> Arrays:
    return cache_arrays(_PARSED, checksum([path]), lambda: read_entries(path))


def _in_box(arrays: Arrays) -> Bools:
    if "bbox" not in arrays:
        return np.ones(arrays["kp_vis"].shape, dtype=np.bool_)
    corner, size = np.split(arrays["bbox"][:, None], 2, axis=2)
    beyond = np.maximum(corner - arrays["kp_loc"], arrays["kp_loc"] - corner - size)
    inside: Bools = (beyond <= BOX_MARGIN * size).all(axis=2)
    return inside


def _multiply_by_scale(arrays: Arrays, name: str) -> Floats:
    scale = arrays.get("scale", np.ones(1))
    with np.errstate(over="ignore", invalid="ignore"):  # a check follows
        points: Floats = arrays[name] * scale[:, None, None]
    return points


def _truth(subset: str, path: Path, arrays: Arrays) -> GroundTruth:
    masks = [arrays[name] for name in ("class_mask", "kp_defined") if name in arrays]
    mask = np.logical_and.reduce(masks) if masks else None
    points = _multiply_by_scale(arrays, "kp_loc_3d")
    counts = np.ones(points.shape[:2], dtype=np.bool_) if mask is None else mask
    _require_finite(path, "kp_loc_3d", points, counts)
    frames = len(points)
    group = arrays.get("p3d_class", arrays.get("action_name", np.full(frames, "all")))
    unit = next((unit for name, unit in _UNITS.items() if subset.startswith(name)), "file's unit")
    # Points that do not count may have any value in the file, also NaN.
    points = np.where(counts[..., None], points, 0.0)
    return GroundTruth(points, unit, group, np.arange(frames), mask)


def _require_finite(path: Path, name: str, points: Floats, counts: Bools) -> None:
    bad = counts & ~np.isfinite(points).all(axis=2)
    if bad.any():
        entry, point = np.argwhere(bad)[0]
        raise UserError(f"{path}: entry {entry}: {name}: point {point} is not finite")


def _images(path: Path, arrays: Arrays) -> Images | None:
    """Return the images, whose paths in the file start from its folder."""
    if "image_path" not in arrays:
        return None
    return Images(tuple(str(path.parent / name) for name in arrays["image_path"]))


def _files(root: Path) -> Mapping[str, dict[str, Path]]:
    """Return the files of each subset by split."""
    found: dict[str, dict[str, Path]] = {}
    for folder in (root / below for below in _BELOW_ROOT):
        for path in sorted(folder.glob("*.json")):
            if name := _FILE.fullmatch(path.name):
                found.setdefault(name["subset"], {}).setdefault(name["split"], path)
    return found


def _find_files_of(root: Path, subset: str) -> dict[str, Path]:
    files = _files(root).get(subset)
    if files is None:
        raise _missing_error(root, subset)
    return files


def _missing_error(root: Path, subset: str) -> DataMissingError:
    return DataMissingError(
        f"{KEY}: {subset} not found, looked for {root / _BELOW_ROOT[0]}/{subset}_train.json, "
        f"_val.json and _test.json; see 'liftbench data info {KEY}'"
    )


def _count_note(path: Path, entries: int) -> str:
    official = _ENTRIES.get(path.stem, entries)
    if official == entries:
        return ""
    return f"{path.name} has {entries} of the official {official} entries"


def _check_file(path: Path) -> Finding:
    try:
        data = as_dataset(path.stem, path)
    except UserError as error:
        return Finding(path.stem, False, str(error))
    seen, truth = data.observations, data.truth
    frames, points = seen.visible.shape
    groups = len(set(truth.group.tolist())) if truth else 0
    counts = [
        f"{frames} entries of {points} points, {100 * seen.visible.mean():.0f} % visible",
        f"3D points in {groups} groups" if truth else "no 3D points",
    ]
    problems = [_count_note(path, frames), _md5_note(path)]
    found = [problem for problem in problems if problem]
    return Finding(path.stem, not found, "; ".join(counts + found))


def _md5_note(path: Path) -> str:
    if path.stem not in _MD5:
        return ""
    with path.open("rb") as stream:
        have = hashlib.file_digest(stream, "md5").hexdigest()
    return "" if have == _MD5[path.stem] else f"MD5 {have}, not the release's"


C3DPO_JSON = DatasetSpec(
    key=KEY,
    title="Data sets in the JSON form of C3DPO",
    reference="Novotny et al., C3DPO, ICCV 2019",
    make=C3dpoJson,
    params=C3dpoJsonParams,
    splits=SPLITS,
    info=DatasetInfo(
        download="NAME_SPLIT.json from dl.fbaipublicfiles.com/c3dpo_nrsfm: pascal3d, "
        "pascal3d_hrnet, h36m, h36m_hourglass (train, val), up3d_79kp (train, test)",
        licence="that of each source (PASCAL3D+, Human3.6M, UP-3D); the last two are for "
        "research only and must not be passed on",
        layout="DATA_ROOT/c3dpo/<name>_{train,val,test}.json; C3DPO's own folder "
        "data/datasets/c3dpo is found too; images under their image_path from there",
        size="by the number of entries 0.1 GB (pascal3d) to 2 GB (up3d_79kp_train), an estimate",
    ),
)
