"""A stand-in for UP-3D that needs no file: 79 points on the skin of people, some of them hidden.

Every frame is a pure function of the parameters: a person with an individual shape (see
`people.surface`) in a pose that mixes the legs of one action with the arms of another, seen by an
orthographic camera from any side. Ray casting decides which points the skin hides.
"""

# ruff: noqa: ARG002  every adapter takes the data root; this one has no files there

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from liftbench.cameras import project, subtract_mean
from liftbench.errors import require_known
from liftbench.plugin.param_checks import require_booleans, require_integers
from liftbench.plugin.specs import Conformance, DatasetSpec, Finding
from liftbench.seeds import named_rng
from liftbench.types import Bools, Dataset, Floats, GroundTruth, Observations
from liftbench_datasets.adapting.generated import Generated, check_visible, generated_info
from liftbench_datasets.adapting.sequence_splits import TRAIN_SHARE
from liftbench_datasets.geometry.line_of_sight import orthographic_occlusion
from liftbench_datasets.people.actions import ACTIONS
from liftbench_datasets.people.body import DOFS
from liftbench_datasets.people.motion import joint_rotations, make_motion, within_limits
from liftbench_datasets.people.surface import FACES, body_surface, draw_shape
from liftbench_datasets.people.surface_points import SKELETON, VERTICES

KEY = "synthetic_up3d"
SPLITS = ("train", "test")
FRAMES_PER_SECOND = 2.0  # so few that consecutive poses of a person differ
SKIN = 0.005  # metres; the skin hides a point only if it is this much nearer to the camera
CAMERA_TILT, CAMERA_ROLL = 12.0, 6.0  # degrees, standard deviations
LOOSE = 6.0  # degrees by which arms and neck differ from their action, standard deviation

_UPPER = ("thorax", "neck", "head", "clavicle", "humerus", "radius", "wrist", "hand", "fingers")
_IS_UPPER = np.array([any(part in dof.joint for part in _UPPER) for dof in DOFS])


@dataclass(frozen=True)
class SyntheticUp3dParams:
    """Parameters of the generator.

    Attributes:
        frames: the number of frames over all people of both splits.
        people: the number n of people; the first floor(0.8 n) are `train`, the rest `test`.
        seed: the seed of all random draws.
        occlusion: if true, the skin hides points; if false, all points of the same frames are
            visible.
    """

    frames: int = 4000
    people: int = 100
    seed: int = 0
    occlusion: bool = True

    def __post_init__(self) -> None:
        require_integers(self, "frames", "people", "seed")
        if self.people < 2:
            raise ValueError(f"people: expected at least 2, one per split, got {self.people}")
        if self.frames < self.people:
            raise ValueError(
                f"frames: expected at least one for each of {self.people} people, got {self.frames}"
            )
        require_booleans(self, "occlusion")


@dataclass(frozen=True)
class Views:
    """F bodies in the camera's frame.

    Attributes:
        surface: (F, V, 3) vertices, metres.
        points: (F, 79, 3) the vertices that are points.
    """

    surface: Floats
    points: Floats

    def visible(self) -> Bools:
        """Return which points (F, 79) the skin does not hide."""
        return ~orthographic_occlusion(self.points, self.surface, FACES, SKIN)


class SyntheticUp3d(Generated[SyntheticUp3dParams]):
    """Single views of people; a person has frames in only one split.

    The frames of a person are the first ones of an endless series that depends only on the seed
    and the person. Lengths are metres, points are centred in each frame, y points down.
    """

    key = KEY
    version = 1

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = SyntheticUp3dParams(**params)

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Make one split; the sequence id of a frame is the number of its person."""
        self.require_known(subset)
        people = split_people(self.params.people, split)
        views = [self.views(person) for person in people]
        points_3d = np.concatenate([subtract_mean(view.points) for view in views])
        visible = np.ones(points_3d.shape[:2], dtype=np.bool_)
        if self.params.occlusion:
            visible = np.concatenate([view.visible() for view in views])
        sequence = np.repeat(np.array(people), [len(view.points) for view in views])
        points_2d = np.where(visible[..., None], project(points_3d, "orthographic"), np.nan)
        return Dataset(
            Observations(points_2d, visible, sequence, "orthographic", SKELETON),
            GroundTruth(points_3d, "m", np.full(len(sequence), "all"), sequence),
        )

    def check(self, root: Path) -> list[Finding]:
        """Make all frames and return whether their counts, sizes and visible points are right."""
        splits = [self.load(root, "all", split) for split in SPLITS]
        visible = np.concatenate([data.observations.visible for data in splits])
        return [
            _check_counts(splits, self.params),
            _check_height(splits),
            check_visible(visible, least=1, each_seen=True),
        ]

    def views(self, person: int) -> Views:
        """Return the frames of a person."""
        frames = self._frames(person)
        names = (KEY, self.params.seed, person)
        shape = draw_shape(named_rng(*names, "shape"), frames)
        angles = _draw_angles(names, frames)
        surface = body_surface(shape, joint_rotations(angles, np.zeros(frames)))
        camera = _draw_cameras(named_rng(*names, "camera"), frames)
        surface = surface @ camera.swapaxes(1, 2)
        return Views(surface, surface[:, VERTICES])

    def _frames(self, person: int) -> int:
        each, left = divmod(self.params.frames, self.params.people)
        return each + (person < left)


def split_people(people: int, split: str) -> Sequence[int]:
    """Return the people of a split."""
    require_known("split", split, SPLITS)
    count = math.floor(TRAIN_SHARE * people)
    return range(count) if split == "train" else range(count, people)


def _draw_angles(names: tuple[str | int, ...], frames: int) -> Floats:
    """Return (F, D) angles: the legs of one action, and the arms of another with some noise."""
    lower, upper = (
        make_motion(
            rng, ACTIONS[rng.choice(list(ACTIONS))], frames, frames_per_second=FRAMES_PER_SECOND
        ).angles
        for rng in (named_rng(*names, "lower"), named_rng(*names, "upper"))
    )
    loose = LOOSE * named_rng(*names, "loose").standard_normal((frames, len(DOFS)))
    return within_limits(np.where(_IS_UPPER, upper + loose, lower))


def _draw_cameras(rng: np.random.Generator, frames: int) -> Floats:
    """Return (F, 3, 3) rotations from the body's frame to the camera's, in which y points down."""
    drawn = rng.standard_normal((frames, 4))
    angles = drawn[:, 1:] * [0, CAMERA_TILT, CAMERA_ROLL]
    angles[:, 0] = np.degrees(np.arctan2(drawn[:, 0], drawn[:, 1]))  # uniform
    turn = Rotation.from_euler("YXZ", angles, degrees=True).inv().as_matrix()
    rotations: Floats = np.diag([1.0, -1.0, -1.0]) @ turn
    return rotations


def _check_counts(splits: Sequence[Dataset], params: SyntheticUp3dParams) -> Finding:
    train, test = (set(data.observations.sequence.tolist()) for data in splits)
    frames = sum(data.observations.frames for data in splits)
    whole = frames == params.frames and len(train | test) == params.people
    detail = f"{frames} frames, {len(train)} people to train and {len(test)} to test"
    return Finding("frames", whole and not train & test, detail)


def _check_height(splits: Sequence[Dataset]) -> Finding:
    points = np.concatenate([data.truth.points_3d for data in splits if data.truth])
    size = np.linalg.norm(np.ptp(points, axis=1), axis=1)
    detail = f"bodies span {size.min():.2f} to {size.max():.2f} m"
    return Finding("size", bool(size.min() > 1 and size.max() < 3), detail)


SYNTHETIC_UP3D = DatasetSpec(
    key=KEY,
    title="Synthetic people, 79 points on the skin",
    reference="generated by liftbench",
    make=SyntheticUp3d,
    params=SyntheticUp3dParams,
    splits=SPLITS,
    info=generated_info(
        layout="parameters frames, people, seed and occlusion",
        size="4000 frames of 79 points by default",
    ),
    synthetic=True,
    conformance=Conformance({"frames": 128, "people": 2}),
)
