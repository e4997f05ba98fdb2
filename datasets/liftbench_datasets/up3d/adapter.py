"""UP-3D: people with 79 points, from C3DPO's files or from the release's SMPL fits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.arrays import Arrays, cache_arrays
from liftbench.cameras import project, subtract_mean
from liftbench.errors import DataMissingError, UserError, require_known
from liftbench.files import checksum
from liftbench.images import Images
from liftbench.plugin.specs import DatasetInfo, DatasetSpec, Finding
from liftbench.types import Dataset, Floats, GroundTruth, Observations, Skeleton
from liftbench_datasets.adapting.image_maps import best_origin, best_pixel
from liftbench_datasets.adapting.left_right import left_right_pairs
from liftbench_datasets.c3dpo.adapter import C3dpoJson
from liftbench_datasets.up3d.release import read_fits, read_landmarks, read_split, view_fits
from liftbench_datasets.up3d.smpl_file import read_smpl

KEY = "up3d"
SPLITS = ("train", "val", "test")
RENDERED = "all"
FILES = "up3d_79kp"  # C3DPO's name of the dataset
FITS = "fits"
POINTS = 79

# Photographs of the release. Source: Lassner et al., Unite the People, CVPR 2017.
OFFICIAL_FRAMES = {"train": 5703, "val": 1423, "test": 1389}

# Raise the number when the readers change what they make of the files.
_PARSED = "up3d-2"
_BELOW_ROOT = ("up3d", "up-3d", "up3d/up-3d")
_MODELS = ("basicModel_neutral_lbs_10_207_0_v1.0.0.pkl", "smpl.npz")
_LANDMARKS = ("landmarks.pkl",)


@dataclass(frozen=True)
class Up3dParams:
    """No parameters: the views are those of the files."""


class Up3d:
    """Single views of people, seen by an orthographic camera.

    The subset `all` is C3DPO's rendering from its JSON files (see dataset `c3dpo_json`); the
    papers use this one. The subset `fits` has the bodies that the release fits to photographs: 79
    vertices of each body, seen by the camera of its photograph and centred in each frame, in
    metres. Ray casting decides which vertices the body hides. A frame's sequence is the
    photograph's number.

    A photograph's camera is perspective, with its optical axis through the middle. The map from
    points to the image is, for each frame, the scale and the offset that fit this camera best.
    """

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = Up3dParams(**params)
        self.c3dpo = C3dpoJson()

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the names of the subsets whose files are there."""
        fits = (FITS,) if _folder(root) else ()
        return fits + ((RENDERED,) if FILES in self.c3dpo.subsets(root) else ())

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 over the model, landmarks and fits, or over C3DPO's files."""
        if _require_subset(subset) == RENDERED:
            return self.c3dpo.checksum(root, FILES)
        folder = _require_folder(root)
        splits = [path for split in SPLITS if (path := folder / f"{split}.txt").is_file()]
        numbers = [number for path in splits for number in read_split(path)]
        return checksum([*_models(root), *splits, *_bodies(folder, numbers)])

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return a split of a subset."""
        if _require_subset(subset) == RENDERED:
            return self.c3dpo.load(root, FILES, split)
        folder = _require_folder(root)
        arrays = _views(root, folder, split)
        points_3d, visible = arrays["points"], arrays["visible"]
        points_2d = np.where(visible[..., None], project(points_3d, "orthographic"), np.nan)
        sequence = arrays["numbers"]
        images = Images(tuple(str(folder / f"{number:05}_image.png") for number in sequence))
        pixel, origin = _image_map(images, arrays)
        names = tuple(arrays["names"].tolist())
        skeleton = Skeleton(names, left_right=left_right_pairs(names))
        return Dataset(
            Observations(
                points_2d=points_2d,
                visible=visible,
                sequence=sequence,
                camera="orthographic",
                skeleton=skeleton,
                images=images,
                pixel=pixel,
                origin=origin,
            ),
            GroundTruth(points_3d, "m", np.full(len(sequence), "all"), sequence),
        )

    def note(self, root: Path, subset: str) -> str:
        """Return how the views differ from those of the papers."""
        if _require_subset(subset) == RENDERED:
            return self.c3dpo.note(root, FILES)
        return "the release's fits in the views of its photographs, not C3DPO's rendering of them"

    def check(self, root: Path) -> list[Finding]:
        """Read every file and return its counts and what is missing."""
        there = FILES in self.c3dpo.subsets(root)
        found = self.c3dpo.check_subset(root, FILES) if there else []
        folder = _folder(root)
        if folder is not None:
            splits = [split for split in SPLITS if (folder / f"{split}.txt").is_file()]
            found += [self._check(root, split) for split in splits]
        return found or [Finding("files", False, str(_not_found(root)))]

    def _check(self, root: Path, split: str) -> Finding:
        try:
            seen = self.load(root, FITS, split).observations
        except UserError as error:
            return Finding(f"{FITS} {split}", False, str(error))
        frames, points = seen.visible.shape
        official = OFFICIAL_FRAMES[split]
        return Finding(
            f"{FITS} {split}",
            (frames, points) == (official, POINTS),
            f"{frames} of the official {official} photographs, {points} of {POINTS} points, "
            f"{100 * seen.visible.mean():.0f} % visible",
        )


def _views(root: Path, folder: Path, split: str) -> Arrays:
    numbers = read_split(folder / f"{split}.txt")
    model_path, landmarks_path = _models(root)
    sources = [model_path, landmarks_path, folder / f"{split}.txt", *_bodies(folder, numbers)]

    def make() -> Arrays:
        model, landmarks = read_smpl(model_path), read_landmarks(landmarks_path)
        if (landmarks.vertices >= len(model.template)).any() or (landmarks.vertices < 0).any():
            raise UserError(f"{landmarks_path}: it names vertices that {model_path} does not have")
        fits = read_fits(folder, numbers, len(model.parent))
        points, visible = view_fits(model, landmarks, fits)
        return {
            "points": subtract_mean(points),
            "place": points.mean(axis=1) + fits.place,
            "focal": fits.focal,
            "visible": visible,
            "numbers": np.array(numbers, dtype=np.int64),
            "names": np.array(landmarks.names),
        }

    return cache_arrays(_PARSED, checksum(sources), make)


def _image_map(images: Images, arrays: Arrays) -> tuple[Floats | None, Floats | None]:
    """Return `pixel` and `origin`; None if a photograph, or the camera of one, is not there."""
    seen = arrays["points"] + arrays["place"][:, None]
    if images.missing() or not (seen[..., 2] > 0).all():
        return None, None
    middle = images.sizes() / 2
    positions = arrays["focal"][:, None, None] * project(seen, "perspective") + middle[:, None]
    flat = arrays["points"][..., :2]
    pixel = best_pixel(flat, positions)
    return pixel, best_origin(flat, positions, pixel)


def _require_subset(subset: str) -> str:
    require_known(f"subset of dataset '{KEY}'", subset, (FITS, RENDERED))
    return subset


def _folder(root: Path) -> Path | None:
    """Return the folder of the release: the first one that lists a split, or None."""
    folders = (root / below for below in _BELOW_ROOT)
    return next((f for f in folders if any((f / f"{s}.txt").is_file() for s in SPLITS)), None)


def _require_folder(root: Path) -> Path:
    folder = _folder(root)
    if folder is None:
        raise _not_found(root)
    return folder


def _models(root: Path) -> tuple[Path, Path]:
    """Return the files of the body model and of its landmarks, which the release lacks."""
    places = [root / below for below in (*_BELOW_ROOT, "smpl")]
    found = []
    for names, content in ((_MODELS, "SMPL model"), (_LANDMARKS, "list of the 79 vertices")):
        paths = [place / name for place in places for name in names if (place / name).is_file()]
        if not paths:
            raise DataMissingError(
                f"{KEY}: no {content}, looked for {' or '.join(names)} in {places[0]} and "
                f"{places[-1]}; see 'liftbench data info {KEY}'"
            )
        found.append(paths[0])
    return found[0], found[1]


def _bodies(folder: Path, numbers: list[str]) -> list[Path]:
    """Return the files of the fits of photographs, all of which must be there."""
    paths = [folder / f"{number}_body.pkl" for number in numbers]
    absent = [path for path in paths if not path.is_file()]
    if absent:
        raise DataMissingError(
            f"{KEY}: {len(absent)} of {len(paths)} fits are not there, such as {absent[0]}; "
            f"see 'liftbench data info {KEY}'"
        )
    return paths


def _not_found(root: Path) -> DataMissingError:
    return DataMissingError(
        f"{KEY}: neither {root}/c3dpo/{FILES}_train.json nor {root}/{_BELOW_ROOT[0]}/train.txt "
        f"found; see 'liftbench data info {KEY}'"
    )


UP3D = DatasetSpec(
    key=KEY,
    title="UP-3D, 79 points of SMPL",
    reference="Lassner et al., Unite the People, CVPR 2017; Novotny et al., C3DPO, ICCV 2019",
    make=Up3d,
    params=Up3dParams,
    splits=SPLITS,
    info=DatasetInfo(
        download="C3DPO's up3d_79kp_train.json and _test.json (see 'liftbench data info "
        "c3dpo_json'); or files.is.tuebingen.mpg.de/classner/up/datasets/up-3d.zip, with the "
        "neutral model of smplify.is.tue.mpg.de and models/pose/landmarks.pkl (79 names and "
        "vertices) of github.com/classner/up",
        licence="research only, not to be passed on, also the SMPL model",
        layout="DATA_ROOT/c3dpo/up3d_79kp_{train,test}.json; DATA_ROOT/up3d/{train,val,test}.txt "
        "and NNNNN_{body.pkl,image.png}; there or in DATA_ROOT/smpl "
        "basicModel_neutral_lbs_10_207_0_v1.0.0.pkl, or a smpl.npz of its arrays (v_template, "
        "shapedirs, posedirs, J_regressor as a full matrix, weights, kintree_table, f), and "
        "landmarks.pkl",
        size="C3DPO's files about 2 GB, an estimate; the release 8515 photographs",
    ),
)
