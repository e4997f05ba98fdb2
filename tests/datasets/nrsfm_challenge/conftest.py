"""Small objects of the NRSfM Challenge that the tests write in the form of the release."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tests.datasets.conftest import mask_of

from liftbench.types import Bools, Dataset, Floats
from liftbench_datasets.nrsfm_challenge.adapter import (
    PATHS,
    ChallengeCamera,
    NrsfmChallenge,
)

FRAMES, POINTS = 9, 12


TRUE_FRAME = 4


K = np.array([[950.0, 30, 300], [0, 940, 250], [0, 0, 1]])


FOLDERS = {"orthographic": "orthogonal", "perspective": "perspective"}


def shapes() -> Floats:
    """Return (F, P, 3) points of an object that bends, in mm."""
    rng = np.random.default_rng(1)
    base, bend = rng.uniform(-80, 80, (2, POINTS, 3))
    bent: Floats = base + 0.5 * bend * np.sin(np.arange(FRAMES))[:, None, None]
    return bent


def camera_points(path: str) -> Floats:
    """Return the points in the frame of a camera that moves."""
    rng = np.random.default_rng(PATHS.index(path))
    turns = Rotation.from_rotvec(rng.uniform(-1, 1, (FRAMES, 3))).as_matrix()
    points: Floats = shapes() @ turns.swapaxes(1, 2) + (20, -30, 900)
    return points


def image(path: str, camera: str) -> Floats:
    points = camera_points(path)
    if camera == "orthographic":
        return points[..., :2]
    pixels: Floats = (points @ K.T)[..., :2] / points[..., 2:]
    return pixels


def visibility(path: str) -> Bools:
    return np.random.default_rng(99 + PATHS.index(path)).random((FRAMES, POINTS)) > 0.3


def rows(points: Floats) -> Floats:
    return points.swapaxes(1, 2).reshape(-1, points.shape[1])


def write_object(folder: Path, *, first: int = 1, paths: tuple[str, ...] = PATHS) -> Path:
    """Write an object; the first frame has the number `first`."""
    for camera, name in FOLDERS.items():
        for kind in ("sequence", "visibility"):
            (folder / kind / name).mkdir(parents=True)
        for path in paths:
            np.savetxt(folder / "sequence" / name / f"{path}.txt", rows(image(path, camera)))
            shown = np.repeat(visibility(path), 2, axis=0)
            np.savetxt(folder / "visibility" / name / f"{path}.txt", shown, fmt="%d")
    np.savetxt(folder / f"gt_frame_{TRUE_FRAME + first}.txt", shapes()[TRUE_FRAME].T)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_object(tmp_path / "nrsfm_challenge" / "balloon" / "balloon")
    return tmp_path


def load(root: Path, camera: ChallengeCamera = "orthographic", **params: object) -> Dataset:
    return NrsfmChallenge(camera=camera, **params).load(root, "balloon", "all")


def true_rows(data: Dataset) -> list[int]:
    return np.flatnonzero(mask_of(data).any(axis=1)).tolist()
