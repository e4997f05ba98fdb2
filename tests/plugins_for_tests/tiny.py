"""A dataset of 12 frames of 5 points, read from a file, and methods that work."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from liftbench import (
    Capabilities,
    Dataset,
    DatasetInfo,
    DatasetSpec,
    Finding,
    GroundTruth,
    Images,
    MethodSpec,
    Observations,
    Reconstruction,
    RunContext,
    Skeleton,
    hookimpl,
)
from liftbench.cameras import project
from liftbench.errors import DataMissingError, UserError
from liftbench.files import checksum
from liftbench.types import Camera

TRAIN_FRAMES = 8


@dataclass(frozen=True)
class TinyParams:
    camera: Camera = "orthographic"
    hide_one: bool = False
    pictures: bool = False


class Tiny:
    """Frames of ROOT/tiny/<subset>.npy, (12, 5, 3): the first 8 are `train`."""

    def __init__(self, camera: Camera, hide_one: bool, pictures: bool) -> None:
        self.camera = camera
        self.hide_one = hide_one
        self.pictures = pictures

    def subsets(self, root: Path) -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in (root / "tiny").glob("*.npy")))

    def checksum(self, root: Path, subset: str) -> str:
        return checksum([_file(root, subset)])

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        frames = slice(TRAIN_FRAMES) if split == "train" else slice(TRAIN_FRAMES, None)
        try:
            points_3d = np.load(_file(root, subset))[frames]
        except ValueError as error:
            raise UserError(f"{_file(root, subset)}: damaged") from error
        points_2d = project(points_3d, self.camera).copy()
        visible = np.ones(points_2d.shape[:2], dtype=np.bool_)
        visible[0, 0] = not self.hide_one
        points_2d[~visible] = np.nan
        sequence = np.full(len(points_2d), split != "train", dtype=np.int64)
        skeleton = Skeleton(tuple("abcde"), edges=((0, 1), (1, 2)))
        seen = Observations(points_2d, visible, sequence, self.camera, skeleton)
        return Dataset(
            _add_pictures(root, seen) if self.pictures else seen,
            GroundTruth(points_3d, "m", np.full(len(points_3d), subset), sequence),
        )

    def note(self, root: Path, subset: str) -> str:
        return "only a few frames" if subset == "noted" else ""

    def check(self, root: Path) -> list[Finding]:
        findings = []
        for subset in self.subsets(root):
            try:
                frames = self.load(root, subset, "train").observations.frames
                findings.append(Finding(subset, frames == TRAIN_FRAMES, f"{frames} frames"))
            except UserError as error:
                findings.append(Finding(subset, False, str(error)))
        return findings or [Finding("tiny", False, f"no file in {root / 'tiny'}")]


def _file(root: Path, subset: str) -> Path:
    path = root / "tiny" / f"{subset}.npy"
    if not path.is_file():
        raise DataMissingError(f"tiny: looked for {path}")
    return path


def _add_pictures(root: Path, seen: Observations) -> Observations:
    """Add images that are drawn into ROOT/tiny on demand, boxes, and where the points lie."""
    files = tuple(str(root / "tiny" / f"{number}.png") for number in range(seen.frames))
    numbers = np.arange(1.0, seen.frames + 1)
    return replace(
        seen,
        images=Images(files, draw=lambda n: Image.new("RGB", (n + 1, 1)).save(files[n])),
        box=np.tile([0.0, 0, 2, 3], (seen.frames, 1)),
        pixel=0.1 * numbers,
        origin=np.stack([numbers, -numbers], axis=1),
    )


def lifted(observations: Observations, depth: object) -> Reconstruction:
    """Return the 2D points with `depth` as their z."""
    points_3d = np.zeros((*observations.points_2d.shape[:2], 3))
    points_3d[..., :2] = observations.points_2d
    points_3d[..., 2] = depth
    return Reconstruction(points_3d)


@dataclass(frozen=True)
class SeededParams:
    spread: float = 1.0


class Seeded:
    """Depths drawn at random from the seed."""

    def __init__(self, spread: float) -> None:
        self.spread = spread

    def fit(self, observations: Observations, context: RunContext) -> None:
        self.rng = np.random.default_rng(context.seed)
        context.progress(1, 2, 0.5)
        context.progress(2, 2, 0.25)

    def predict(self, observations: Observations) -> Reconstruction:
        shape = observations.points_2d.shape[:2]
        return lifted(observations, self.spread * self.rng.standard_normal(shape))


@dataclass(frozen=True)
class NoParams:
    pass


class Filling:
    """Puts hidden points at the origin."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        pass

    def predict(self, observations: Observations) -> Reconstruction:
        points_2d = np.nan_to_num(observations.points_2d)
        return Reconstruction(np.dstack([points_2d, points_2d[..., :1]]))


@dataclass(frozen=True)
class TallyParams:
    file: str
    spread: float = 1.0
    fails_below: int = 0


class Tallying:
    """Writes a line to `file` at each fit; draws depths from its own and from NumPy's generator.

    It fails if a frame has fewer visible points than `fails_below`.
    """

    def __init__(self, file: str, spread: float, fails_below: int) -> None:
        self.file = Path(file)
        self.spread = spread
        self.fails_below = fails_below

    def fit(self, observations: Observations, context: RunContext) -> None:
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(f"{self.spread} {context.seed} {observations.frames}\n")
        self.rng = np.random.default_rng(context.seed)

    def predict(self, observations: Observations) -> Reconstruction:
        if observations.visible.sum(axis=1).min() < self.fails_below:
            raise RuntimeError("too few points")
        shape = observations.visible.shape
        depth = self.rng.standard_normal(shape) + np.random.standard_normal(shape)  # noqa: NPY002
        flat = np.nan_to_num(observations.points_2d)
        return Reconstruction(np.dstack([flat, self.spread * depth]))


class Urandom:
    """Random depths that do not depend on the seed."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        pass

    def predict(self, observations: Observations) -> Reconstruction:
        points = observations.points_2d.shape[1]
        return lifted(observations, np.frombuffer(os.urandom(points), dtype=np.uint8))


@dataclass(frozen=True)
class FlagParams:
    flag: str
    pid_file: str = ""


class Flagged:
    """Works if the file `flag` exists, else raises."""

    def __init__(self, flag: str, pid_file: str) -> None:
        self.flag = Path(flag)
        self.pid_file = pid_file

    def fit(self, observations: Observations, context: RunContext) -> None:
        if not self.flag.exists():
            raise RuntimeError("no flag yet")

    def predict(self, observations: Observations) -> Reconstruction:
        return lifted(observations, observations.points_2d[..., 0])


class Waiting(Flagged):
    """Writes its process id to a file and waits for the file `flag`."""

    def fit(self, observations: Observations, context: RunContext) -> None:
        Path(self.pid_file).write_text(str(os.getpid()), encoding="utf-8")
        while not self.flag.exists():
            context.progress(0, 1, 1.0)
            time.sleep(0.05)


@hookimpl
def liftbench_datasets() -> Sequence[DatasetSpec]:
    info = DatasetInfo("from nowhere", "none", "DATA_ROOT/tiny/<subset>.npy", "1 KB")
    return [DatasetSpec("tiny", "Tiny", "tests", Tiny, TinyParams, ("train", "unseen"), info)]


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    once = Capabilities(seeded=False)
    return [
        MethodSpec("seeded", "Seeded", "tests", Seeded, SeededParams),
        MethodSpec(
            "lost_option",
            "Seeded, which had one more option",
            "tests",
            Seeded,
            SeededParams,
            retired_params={"order": 2},
        ),
        MethodSpec("urandom", "Urandom", "tests", Urandom, NoParams, capabilities=once),
        MethodSpec(
            "filling",
            "Filling",
            "tests",
            Filling,
            NoParams,
            capabilities=Capabilities(missing_points=True, seeded=False),
        ),
        MethodSpec(
            "looking",
            "Looking",
            "tests",
            Filling,
            NoParams,
            capabilities=Capabilities(images=True, seeded=False),
        ),
        MethodSpec(
            "tallying",
            "Tallying",
            "tests",
            Tallying,
            TallyParams,
            capabilities=Capabilities(missing_points=True),
        ),
        MethodSpec("flagged", "Flagged", "tests", Flagged, FlagParams, capabilities=once),
        MethodSpec("waiting", "Waiting", "tests", Waiting, FlagParams, capabilities=once),
        MethodSpec(
            "transductive",
            "Transductive",
            "tests",
            Urandom,
            NoParams,
            capabilities=Capabilities(seeded=False, transductive=True),
        ),
    ]
