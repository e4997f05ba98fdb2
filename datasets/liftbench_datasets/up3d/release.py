"""The files of the UP-3D release: fits of SMPL to photographs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from liftbench.errors import UserError
from liftbench.types import Bools, Floats
from liftbench_datasets.geometry.line_of_sight import orthographic_occlusion
from liftbench_datasets.reading.array_fields import finite_field, integer_field
from liftbench_datasets.reading.array_pickle import read_pickle
from liftbench_datasets.reading.one_line_errors import one_line_errors
from liftbench_datasets.up3d.smpl import Smpl, pose_vertices

SKIN = 0.005  # metres; the surface hides a point only if it is this much nearer to the camera
_BATCH = 64  # bodies at once; they take 100 MB
_LINE = re.compile(r"/?(\d{5})_image\.png(\s.*)?")


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Named vertices of the model.

    Attributes:
        names: P names.
        vertices: (P,) indices.
    """

    names: tuple[str, ...]
    vertices: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Fits:
    """Bodies fitted to F photographs.

    Attributes:
        pose: (F, 3 J) rotation vectors.
        shape: (F, 10).
        rotation: (F, 3) rotation vectors of the cameras; zero in the release.
        place: (F, 3) of the model's origin in the cameras' frames, metres; NaN if unknown.
        focal: (F,) focal lengths, pixels; NaN if unknown.
    """

    pose: Floats
    shape: Floats
    rotation: Floats
    place: Floats
    focal: Floats


def read_split(path: Path) -> list[str]:
    """Return the numbers of a split's photographs, such as `00007`, in the order of the file.

    Raises:
        DataMissingError: the file is not there.
        UserError: a line does not look like `/00007_image.png`.
    """
    with one_line_errors(path, "the photographs of a split"):
        lines = path.read_text(encoding="utf-8").splitlines()
    numbers = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise UserError(f"{path} line {number}: expected a name such as /00007_image.png")
        numbers.append(found[1])
    if not numbers:
        raise UserError(f"{path}: it names no photograph")
    return numbers


def read_landmarks(path: Path) -> Landmarks:
    """Return the named vertices of `landmarks.pkl`, a dict of names and indices.

    Raises:
        DataMissingError: the file is not there.
        UserError: the file holds anything else.
    """
    with one_line_errors(path, "named vertices of SMPL"):
        found = read_pickle(path, "named vertices of SMPL", _STAND_INS)
        if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
            raise TypeError("it is not a dict of names and indices")
        names = tuple(found)
        return Landmarks(names, integer_field(list(found.values()), "vertices", (len(names),)))


def read_fits(folder: Path, numbers: list[str], joints: int) -> Fits:
    """Return the fits of photographs, each from a file `NNNNN_body.pkl`.

    Raises:
        DataMissingError: a file is not there.
        UserError: a file is damaged.
    """
    fits = [_read_fit(folder / f"{number}_body.pkl", joints) for number in numbers]
    return Fits(*(np.array(column) for column in zip(*fits, strict=True)))


def view_fits(model: Smpl, landmarks: Landmarks, fits: Fits) -> tuple[Floats, Bools]:
    """Return the landmarks as the cameras see them, and which of them the body does not hide.

    Returns:
        points: (F, P, 3) in the cameras' frames, metres from the model's origin.
        visible: (F, P) to an orthographic camera.
    """
    batches = [slice(i, i + _BATCH) for i in range(0, len(fits.pose), _BATCH)]
    points, visible = zip(*(_view(model, landmarks, fits, batch) for batch in batches), strict=True)
    return np.concatenate(points), np.concatenate(visible)


def _view(model: Smpl, landmarks: Landmarks, fits: Fits, batch: slice) -> tuple[Floats, Bools]:
    known = fits.shape[batch, : model.shape_directions.shape[2]]
    shape = np.zeros((len(known), model.shape_directions.shape[2]))
    shape[:, : known.shape[1]] = known
    camera = Rotation.from_rotvec(fits.rotation[batch]).as_matrix()
    surface = pose_vertices(model, fits.pose[batch], shape) @ camera.swapaxes(1, 2)
    points = surface[:, landmarks.vertices]
    return points, ~orthographic_occlusion(points, surface, model.faces, SKIN)


def _read_fit(path: Path, joints: int) -> tuple[Floats, ...]:
    with one_line_errors(path, "a fit of SMPL"):
        fit = read_pickle(path, "a fit of SMPL")
        if not isinstance(fit, dict):
            raise TypeError("it is not a dict of pose, betas and rt")
        return (
            finite_field(np.ravel(fit["pose"]), "pose", (3 * joints,)),
            finite_field(np.ravel(fit["betas"]), "betas", (10,)),
            *_read_camera(fit),
        )


def _read_camera(fit: dict[str, Any]) -> tuple[Floats, Floats, Floats]:
    """Return rotation (3,), place of the model's origin (3,) and focal length () of a camera."""
    rotation = finite_field(np.ravel(fit.get("rt", np.zeros(3))), "rt", (3,))
    if "t" not in fit or "f" not in fit:
        return rotation, np.full(3, np.nan), np.array(np.nan)
    moved = finite_field(np.ravel(fit.get("trans", np.zeros(3))), "trans", (3,))
    place = Rotation.from_rotvec(rotation).apply(moved)
    place += finite_field(np.ravel(fit["t"]), "t", (3,))
    return rotation, place, finite_field(np.ravel(fit["f"]), "f", (1,))[0]


_STAND_INS = {("collections", "OrderedDict"): dict}  # the type of the release's list of vertices
