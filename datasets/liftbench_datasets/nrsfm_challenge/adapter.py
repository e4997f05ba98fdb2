"""The NRSfM Challenge 2017: five deforming objects on six paths of a virtual camera.

The release itself was not available: the format of its files is inferred from public code that
reads them. It gives the true points of one frame per object, in an unknown coordinate frame: the
pose of the camera, and the intrinsics of a perspective one, are fitted to that frame's 2D points.
The fit also decides whether the number in the file's name counts from 0 or from 1.

The protocols here do not give the score of the organisers: they align with any affine map, measure
both ways to the nearest point and cut off outliers as in a box plot.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from liftbench.arrays import Arrays, cache_arrays
from liftbench.errors import DataMissingError, UserError, require_known
from liftbench.files import checksum
from liftbench.plugin.param_checks import require_booleans, require_one_of
from liftbench.plugin.specs import DatasetInfo, DatasetSpec, Finding
from liftbench.types import Dataset, GroundTruth, Observations, Skeleton
from liftbench_datasets.nrsfm_challenge.files import (
    FOLDERS,
    Sources,
    find_sources,
    object_folder,
    read_sources,
)
from liftbench_datasets.nrsfm_challenge.views import View, make_views

KEY = "nrsfm_challenge"
SPLITS = ("all",)
OBJECTS = ("articulated", "balloon", "paper", "stretch", "tearing")
ChallengeCamera = Literal["orthographic", "perspective"]
CameraPath = Literal["all", "circle", "flyby", "line", "semi_circle", "tricky", "zigzag"]
CAMERAS: tuple[ChallengeCamera, ...] = get_args(ChallengeCamera)
PATHS: tuple[str, ...] = get_args(CameraPath)[1:]

# Raise the number when the readers change what they make of a file.
_PARSED = "nrsfm_challenge-1"


@dataclass(frozen=True)
class NrsfmChallengeParams:
    """The choice of views.

    Attributes:
        camera: the camera whose 2D points are loaded.
        path: the path of the camera; `all` gives one sequence per path.
        missing: True hides points that the object hides; False shows all points.
    """

    camera: ChallengeCamera = "orthographic"
    path: CameraPath = "all"
    missing: bool = False

    def __post_init__(self) -> None:
        require_one_of("camera", self.camera, CAMERAS)
        require_one_of("path", self.path, ("all", *PATHS))
        require_booleans(self, "missing")


class NrsfmChallenge:
    """Views of one object, with a sequence and a group for each path of the camera.

    Lengths are in the unit of the true points (mm). Perspective points lie on the unit focal
    plane. In frames without truth no point counts (`GroundTruth.mask`). Orthographic views do not
    show whether y points down; it is assumed to.
    """

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = NrsfmChallengeParams(**params)

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return the objects for which a requested camera path is found."""
        return tuple(name for name in OBJECTS if self._find(root, name, with_visibility=False))

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 of the 2D points, true points and, with `missing`, visibility."""
        return checksum(self._sources(root, subset).files)

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return the frames of an object, path by path; a sequence has the number of its path."""
        require_known("split", split, SPLITS)
        sources = self._sources(root, subset)
        arrays = cache_arrays(_PARSED, checksum(sources.files), lambda: read_sources(sources))
        views = make_views(sources, arrays, self.params.camera)
        visible = np.concatenate([arrays[f"visible-{path}"] for path in views])
        points_2d = np.concatenate([view.points_2d for view in views.values()])
        shown = np.where(visible[..., None], points_2d, np.nan)
        group = np.repeat(list(views), [len(view.mask) for view in views.values()])
        sequence = np.array([PATHS.index(path) + 1 for path in group.tolist()], dtype=np.int64)
        skeleton = Skeleton(tuple(str(i) for i in range(visible.shape[1])))
        return Dataset(
            Observations(shown, visible, sequence, self.params.camera, skeleton),
            _truth(views, group, sequence) if sources.truth else None,
        )

    def note(self, root: Path, subset: str) -> str:
        """Return which paths are missing and in how many frames the truth is known."""
        tracks = self._sources(root, subset).tracks
        missing = [path for path in self._paths if path not in tracks]
        parts = [f"without {', '.join(missing)}"] if missing else []
        truth = self.load(root, subset, "all").truth
        if truth is None or truth.mask is None:
            return "; ".join([*parts, "no truth"])
        known = int(truth.mask.any(axis=1).sum())
        if known < len(truth.mask):
            parts.append(f"truth in {known} of {len(truth.mask)} frames")
        return "; ".join(parts)

    def check(self, root: Path) -> list[Finding]:
        """Read every object with both cameras; return counts, gaps and how well the truth fits."""
        if not any(object_folder(root, name) for name in OBJECTS):
            return [Finding("objects", False, str(_missing_error(root, "any object")))]
        return [_check(root, name, camera) for name in OBJECTS for camera in CAMERAS]

    @property
    def _paths(self) -> tuple[str, ...]:
        return PATHS if self.params.path == "all" else (self.params.path,)

    def _find(self, root: Path, name: str, *, with_visibility: bool) -> Sources | None:
        """Return the files of an object, or None if no requested path is found."""
        folder = object_folder(root, name)
        if folder is None:
            return None
        sources = find_sources(
            folder, self.params.camera, self._paths, with_visibility=with_visibility
        )
        return sources if sources.tracks else None

    def _sources(self, root: Path, name: str) -> Sources:
        require_known(f"subset of dataset '{KEY}'", name, OBJECTS)
        sources = self._find(root, name, with_visibility=self.params.missing)
        if sources is None:
            raise _missing_error(root, name, self.params.camera, self._paths[0])
        return sources


def _missing_error(
    root: Path, name: str, camera: ChallengeCamera = "orthographic", path: str = PATHS[0]
) -> DataMissingError:
    place = root / KEY / (name if name in OBJECTS else OBJECTS[0]) / "sequence" / FOLDERS[camera]
    return DataMissingError(
        f"{KEY}: {name} not found, looked for {place / path}.txt; see 'liftbench data info {KEY}'"
    )


def _truth(
    views: dict[str, View], group: NDArray[np.str_], sequence: NDArray[np.int64]
) -> GroundTruth:
    points_3d = np.concatenate([view.points_3d for view in views.values()])
    mask = np.concatenate([view.mask for view in views.values()])
    return GroundTruth(points_3d, "mm", group, sequence, mask)


def _check(root: Path, name: str, camera: ChallengeCamera) -> Finding:
    item = f"{name} {camera}"
    folder = object_folder(root, name)
    if folder is None:
        return Finding(item, False, str(_missing_error(root, name, camera)))
    try:
        sources = find_sources(folder, camera, PATHS, with_visibility=True)
        if not sources.tracks:
            return Finding(item, False, str(_missing_error(root, name, camera)))
        arrays = read_sources(sources)
        views = make_views(sources, arrays, camera)
    except UserError as error:
        return Finding(item, False, str(error))
    missing = [path for path in PATHS if path not in views]
    problems = [f"without {', '.join(missing)}"] if missing else []
    problems += [] if sources.truth else ["no truth"]
    return Finding(item, not problems, "; ".join([_counts(views, arrays), *problems]))


def _counts(views: dict[str, View], arrays: Arrays) -> str:
    visible = np.concatenate([arrays[f"visible-{path}"] for path in views])
    known = sum(int(view.mask.any(axis=1).sum()) for view in views.values())
    text = (
        f"{len(views)} paths, {len(visible)} frames, {visible.shape[1]} points, "
        f"{visible.mean():.0%} visible, truth in {known} frames"
    )
    misfit = max(view.misfit for view in views.values())
    return f"{text}, which it fits to {misfit:.1e} of the extent" if known else text


NRSFM_CHALLENGE = DatasetSpec(
    key=KEY,
    title="NRSfM Challenge 2017, five objects, six camera paths",
    reference="Jensen, Doest, Aanæs, Del Bue: A Benchmark and Evaluation of Non-Rigid Structure "
    "from Motion, IJCV 2021 (arXiv 1801.08388)",
    make=NrsfmChallenge,
    params=NrsfmChallengeParams,
    splits=SPLITS,
    info=DatasetInfo(
        download="the archives of the five objects from nrsfm2017.compute.dtu.dk",
        licence="not stated where we could look; ask the authors",
        layout="DATA_ROOT/nrsfm_challenge/<object>/sequence/{orthogonal,perspective}/<path>.txt "
        "(two rows a frame), visibility/{orthogonal,perspective}/<path>.txt (one or two rows a "
        "frame, 0 = hidden) and gt_frame_<n>.txt (rows x, y and z), objects articulated, balloon, "
        "paper, stretch and tearing, paths circle, flyby, line, semi_circle, tricky and zigzag; "
        "a folder <object> within <object> is found too; .mat and .npz files may stand for .txt "
        "with the variables W, visibility and S. Read off public code, not off the release",
        size="text files of five objects, two cameras and six paths each",
    ),
    partial={"perspective views only": {"camera": "perspective"}},
)
