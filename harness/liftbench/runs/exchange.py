"""The files through which the harness and the child process of a fit exchange data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Literal, Required, TypedDict

import numpy as np

from liftbench.arrays import Arrays, load_arrays, save_arrays
from liftbench.images import Images
from liftbench.types import Floats, Mesh, Observations, Reconstruction, Skeleton, Template

ChildStatus = Literal["ok", "failed", "timeout", "out_of_memory"]
STATE_FILE = "state.pt"


class Declared(TypedDict):
    """A method that may be asked for as a teacher, and all its parameters, as in a run."""

    method: str
    params: dict[str, Any]


class KeptState(Declared):
    """The state of a fitted method, for a child process.

    Attributes:
        file: a copy of the state in the folder of the process.
        source: folder of the fit, for messages.
    """

    file: str
    source: str


class Task(TypedDict):
    """What a child process is asked to do, the content of `task.json`.

    Attributes:
        method, params, seed: the method to fit, its parameters and its seed.
        evaluate: for each run of the fit, the names of the observations to predict from.
        device, threads: where the fit computes, see `Execution`.
        images: whether the method reconstructs from images.
        plugin_files: plugins that are not installed.
        budget_s: seconds after which the fit should come to an end.
        teachers: states of the teachers that the method may ask for.
        restore: the state to restore the method from instead of a fit.
        extra: whether there are extra observations to learn from.
        keep: whether to write the state of the fitted method to STATE_FILE.
    """

    method: str
    params: dict[str, Any]
    seed: int
    evaluate: list[list[str]]
    device: str
    threads: int
    images: bool
    plugin_files: list[str]
    budget_s: float
    teachers: list[KeptState]
    restore: KeptState | None
    extra: bool
    keep: bool
    timed: bool


class PredictionReport(TypedDict, total=False):
    """One prediction of a child process: `seconds` and `digest`, or `status` and `error`.

    `timings` has the run times of single frames, if the task asks for them.
    """

    seconds: float
    timings: dict[str, list[float]]
    digest: str
    status: ChildStatus
    error: str


class ChildOutcome(TypedDict, total=False):
    """How a child process ended, the content of `outcome.json`.

    Attributes:
        status: how the fit ended; a prediction may have failed although the fit is `ok`.
        error: one line and the end of the log, absent where the status is `ok`.
        fit_seconds: wall clock of the fit.
        predicted: report of each prediction by the name of its observations.
        execution: the device and the threads that were used.
        peak_memory_mib: largest resident memory.
        curve: (step, steps, loss) of the training, thinned.
        environment, limits: those of an earlier fit, from which the method was restored.
        teachers: see `RunRecord.teachers`.
    """

    status: Required[ChildStatus]
    error: str
    fit_seconds: float
    predicted: dict[str, PredictionReport]
    execution: dict[str, Any]
    peak_memory_mib: float
    curve: list[tuple[int, int, float]]
    environment: dict[str, Any]
    limits: dict[str, Any]
    teachers: list[dict[str, Any]]


def write_observations(path: Path, observations: Observations) -> None:
    """Write observations to an `.npz` file; images that are drawn on demand are drawn."""
    arrays: Arrays = {
        name: value
        for name in ("points_2d", "visible", "sequence", "box", "pixel", "origin")
        if (value := getattr(observations, name)) is not None
    }
    if (template := observations.template) is not None:
        arrays["template_vertices"] = template.mesh.vertices
        arrays["template_faces"] = template.mesh.faces
        arrays["template_points"] = template.points
    images = observations.images and observations.images.draw_all()
    meta = {
        "camera": observations.camera,
        "skeleton": asdict(observations.skeleton),
        "images": images and {"files": images.files, "masks": images.masks},
    }
    save_arrays(path, {**arrays, "meta": np.array(json.dumps(meta))})


def read_observations(path: Path) -> Observations:
    """Read what `write_observations` wrote."""
    arrays = load_arrays(path)
    meta = json.loads(str(arrays.pop("meta")))
    template = None
    if "template_points" in arrays:
        vertices, faces, points = (
            arrays.pop(f"template_{name}") for name in ("vertices", "faces", "points")
        )
        template = Template(Mesh(vertices, faces), points)
    skeleton, images = meta["skeleton"], meta["images"]
    return Observations(
        **arrays,
        template=template,
        camera=meta["camera"],
        skeleton=Skeleton(
            points=tuple(skeleton["points"]),
            edges=tuple(map(tuple, skeleton["edges"])),
            left_right=tuple(map(tuple, skeleton["left_right"])),
            root=skeleton["root"],
        ),
        images=images
        and Images(tuple(images["files"]), images["masks"] and tuple(images["masks"])),
    )


def write_truth(path: Path, points_3d: Floats) -> None:
    """Write the true points (F, P, 3) that a supervised method is shown."""
    save_arrays(path, {"points_3d": points_3d})


def read_truth(path: Path) -> Floats:
    """Read what `write_truth` wrote."""
    return load_arrays(path)["points_3d"]


def reconstruction_arrays(reconstruction: Reconstruction) -> Arrays:
    """Return the arrays of a reconstruction by field name; absent fields are left out."""
    return {
        f.name: value
        for f in fields(Reconstruction)
        if (value := getattr(reconstruction, f.name)) is not None
    }


def digest(reconstruction: Reconstruction) -> str:
    """Return the SHA-256 of all arrays of a reconstruction, bit for bit."""
    total = hashlib.sha256()
    for name, array in sorted(reconstruction_arrays(reconstruction).items()):
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def save_reconstructions(path: Path, splits: Mapping[str, Reconstruction]) -> None:
    """Write the reconstruction of each split to one `.npz` file."""
    save_arrays(
        path,
        {
            f"{split}/{name}": array
            for split, reconstruction in splits.items()
            for name, array in reconstruction_arrays(reconstruction).items()
        },
    )


def load_reconstructions(path: Path) -> dict[str, Reconstruction]:
    """Read what `save_reconstructions` wrote."""
    splits: dict[str, Arrays] = {}
    for name, array in load_arrays(path).items():
        split, _, field = name.rpartition("/")
        splits.setdefault(split, {})[field] = array
    return {split: Reconstruction(**arrays) for split, arrays in splits.items()}
