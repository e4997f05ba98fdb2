"""Small scenes for the checks: a body that turns and bends smoothly in front of a camera."""

# ruff: noqa: ARG002  every adapter gets the data root and a subset

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from liftbench.arrays import cache_folder
from liftbench.cameras import project, subtract_mean
from liftbench.errors import require_known
from liftbench.plugin.specs import Conformance, DatasetInfo, DatasetSpec, Finding
from liftbench.seeds import named_rng
from liftbench.testing.scene_pictures import add_pictures
from liftbench.types import (
    Camera,
    Dataset,
    Floats,
    GroundTruth,
    Mesh,
    Observations,
    Skeleton,
    Template,
)

SUBSETS = ("all",)
SPLITS = ("train", "unseen")
_POINTS = 12
_HIDDEN = 3  # points of each frame
_BOX_PIXELS = 100  # of the height of a box
_MODES = 2
_WAVES = 3


def scene(
    camera: Camera,
    name: str,
    *,
    hidden: bool = False,
    boxes: bool = False,
    pictures: Path | None = None,
    sequences: int = 3,
    frames: int = 20,
    first: int = 0,
) -> Dataset:
    """Return what a camera sees of `moving_body`, with the truth.

    Args:
        camera: the camera model.
        name: name of the motion; another name gives another motion.
        hidden: whether three random points of each frame are hidden.
        boxes: whether frames have boxes and pixel sizes, which differ from frame to frame.
        pictures: folder for the pictures and masks of this scene alone, which has a template then;
            None for neither.
        sequences: number of sequences.
        frames: number of frames in each sequence.
        first: id of the first sequence.
    """
    points_3d = moving_body(name, sequences, frames)
    visible = np.ones(points_3d.shape[:2], dtype=np.bool_)
    if hidden:
        draws = named_rng("conformance", name, "hidden").random(visible.shape)
        visible = draws.argsort(axis=1) >= _HIDDEN
    flat = project(points_3d, camera)
    points_2d = np.where(visible[..., None], flat, np.nan)
    sequence = np.repeat(first + np.arange(sequences), frames)
    skeleton = Skeleton(tuple(f"point{i}" for i in range(_POINTS)), tuple(pairwise(range(_POINTS))))
    seen = Observations(points_2d, visible, sequence, camera, skeleton)
    if pictures is not None:
        seen = replace(add_pictures(seen, flat, pictures), template=body_template())
    elif boxes:
        seen = _add_boxes(seen)
    return Dataset(
        seen,
        GroundTruth(points_3d, "m", np.full(len(sequence), "all"), sequence),
    )


def moving_body(name: str, sequences: int = 3, frames: int = 20) -> Floats:
    """Return (F, 12, 3) points of the body that all scenes show, in the motion of this name.

    It bends in two ways. It stands at least 9 units in front of the camera, off the optical axis;
    its points are about 1.7 units from their mean.
    """
    rng = named_rng("conformance", name)
    rest, *modes = _rest_and_modes()
    weights = 0.3 * _smooth(rng, sequences, frames, _MODES)
    shapes = rest + np.tensordot(weights, np.stack(modes), axes=1)
    turns = Rotation.from_rotvec(_smooth(rng, sequences, frames, 3)).as_matrix()
    place = np.array([1.0, -1.0, 12.0]) + 0.5 * _smooth(rng, sequences, frames, 3)
    points_3d: Floats = shapes @ turns.swapaxes(1, 2) + place[:, None]
    return points_3d


def body_template() -> Template:
    """Return the convex hull of the body at rest, on which all points depend."""
    rest = _rest_and_modes()[0]
    used, faces = np.unique(ConvexHull(rest).simplices, return_inverse=True)
    vertices, faces = rest[used], faces.reshape(-1, 3)
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = (normals * corners.mean(axis=1)).sum(axis=1) < 0
    faces[inward] = faces[inward][:, ::-1]
    # The weights of least norm that have the sum 1 and give the place of each point.
    known = np.concatenate([vertices.T, np.ones((1, len(vertices)))])
    wanted = np.concatenate([rest.T, np.ones((1, _POINTS))])
    return Template(Mesh(vertices, faces), (np.linalg.pinv(known) @ wanted).T)


def _rest_and_modes() -> Floats:
    """Return the points (3, 12, 3) of the body at rest and of its two ways to bend."""
    body = named_rng("conformance", "body")
    return subtract_mean(body.standard_normal((1 + _MODES, _POINTS, 3)))


def _add_boxes(observations: Observations) -> Observations:
    """Add the box of each frame's visible points, and the pixel size that makes it 100 high."""
    low = np.nanmin(observations.points_2d, axis=1)
    size = np.nanmax(observations.points_2d, axis=1) - low
    return replace(
        observations,
        box=np.concatenate([low, size], axis=1),
        pixel=size[:, 1] / _BOX_PIXELS,
    )


def permute_points(observations: Observations, order: NDArray[np.int64]) -> Observations:
    """Return the observations with their points in another order."""
    skeleton, place, template = observations.skeleton, np.argsort(order), observations.template
    return replace(
        observations,
        template=template and replace(template, points=template.points[order]),
        points_2d=observations.points_2d[:, order],
        visible=observations.visible[:, order],
        skeleton=Skeleton(
            tuple(skeleton.points[i] for i in order),
            tuple((int(place[i]), int(place[j])) for i, j in skeleton.edges),
            tuple((int(place[i]), int(place[j])) for i, j in skeleton.left_right),
            int(place[skeleton.root]),
        ),
    )


def turn_about_the_axis(angle: float) -> Floats:
    """Return the (3, 3) rotation about the optical axis; its upper (2, 2) turns images."""
    turn: Floats = Rotation.from_rotvec([0, 0, angle]).as_matrix()
    return turn


def _smooth(rng: np.random.Generator, sequences: int, frames: int, count: int) -> Floats:
    """Return (F, count) values around zero that change slowly within a sequence."""
    phase, speed, height = rng.uniform(
        [[[[0.0]]], [[[0.2]]], [[[0.5]]]],
        [[[[2 * np.pi]]], [[[1.0]]], [[[1.0]]]],
        (3, sequences, _WAVES, count),
    )[:, :, None]
    time = np.linspace(0, 2 * np.pi, frames)[:, None, None]
    waves = height * np.sin(speed * time + phase)
    values: Floats = waves.sum(axis=2).reshape(-1, count)
    return values


@dataclass(frozen=True)
class SceneParams:
    """Parameters of the scenes."""

    camera: Camera = "orthographic"
    hidden: bool = False
    pictures: bool = False


class Scenes:
    """The scenes as a dataset, so that the harness can run methods on them."""

    def __init__(self, camera: Camera, hidden: bool, pictures: bool) -> None:
        self.camera = camera
        self.hidden = hidden
        self.pictures = pictures

    def subsets(self, root: Path) -> tuple[str, ...]:
        """Return `all`."""
        return SUBSETS

    def checksum(self, root: Path, subset: str) -> str:
        """Return the parameters: the scenes have no files."""
        require_known("subset of the scenes", subset, SUBSETS)
        return f"{self.camera} {self.hidden} {self.pictures}"

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Return one split."""
        require_known("subset of the scenes", subset, SUBSETS)
        require_known("split of the scenes", split, SPLITS)
        first = 3 * SPLITS.index(split)
        folder = cache_folder() / "pictures" / f"scenes-1-{self.camera}-{split}"
        pictures = folder if self.pictures else None
        return scene(self.camera, split, hidden=self.hidden, pictures=pictures, first=first)

    def note(self, root: Path, subset: str) -> str:
        """Return an empty text: no paper uses the scenes."""
        return ""

    def check(self, root: Path) -> list[Finding]:
        """Return one finding: there are no files to check."""
        return [Finding("scenes", ok=True, detail="generated")]


SCENES = DatasetSpec(
    key="synthetic_scenes",
    title="Scenes of the conformance kit",
    reference="generated by liftbench",
    make=Scenes,
    params=SceneParams,
    splits=SPLITS,
    info=DatasetInfo("none: it is generated", "that of liftbench", "parameters", "60 frames"),
    synthetic=True,
    conformance=Conformance(expected_to_fail={"seed_makes_other_data": "its motions have names"}),
)
