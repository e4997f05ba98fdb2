"""A stand-in for Human3.6M that needs no file: people, 15 actions, four cameras, and pictures.

Every frame is a pure function of the parameters: a body of the subject's proportions does the
action (see `people.motion`) between four cameras with the lenses of the release.
"""

# ruff: noqa: ARG002  every adapter takes the data root; this one has no files there

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from liftbench.errors import require_known
from liftbench.plugin.param_checks import require_integers, require_not_negative
from liftbench.plugin.specs import Conformance, DatasetSpec, Finding
from liftbench.seeds import named_rng
from liftbench.types import Dataset, Floats
from liftbench_datasets.adapting.generated import Generated, generated_info
from liftbench_datasets.geometry.kinematics import KinematicTree
from liftbench_datasets.h36m.cameras import CAMERAS, LENSES, Place
from liftbench_datasets.h36m.skeleton import SPLITS, SUBSETS, actions_of
from liftbench_datasets.h36m.synthetic.actions import ACTIONS
from liftbench_datasets.h36m.synthetic.checks import (
    check_bones,
    check_distance,
    check_frames,
    check_image,
)
from liftbench_datasets.h36m.synthetic.performances import (
    KEY,
    PEOPLE,
    Performance,
    perform,
    split_subjects,
    subject_body,
)
from liftbench_datasets.h36m.synthetic.pictures import VERSION as PICTURES
from liftbench_datasets.h36m.synthetic.pictures import attach_pictures
from liftbench_datasets.h36m.synthetic.takes import Take
from liftbench_datasets.h36m.views import (
    CameraModel,
    View,
    image_views,
    join_views,
    require_camera_model,
)

# In mm: from a camera to the axis of the room, height of a camera, height of the point it looks at.
DISTANCES = (4600.0, 5400.0)
HEIGHTS = (1400.0, 1700.0)
LOOK_AT = 850.0
SIZES = (32, 512)  # of pictures, pixels


@dataclass(frozen=True)
class SyntheticH36mParams:
    """Parameters of the generator and of the camera.

    Attributes:
        frames: the number of frames over all sequences of both splits.
        seed: the seed of all random draws.
        camera: the camera model, as in dataset `h36m`.
        people: the number of people, at least the seven of the release; see `split_subjects`.
        pictures: the edge of the pictures in pixels; 0 means no pictures.
        wander: standard deviation, in degrees, by which every angle of arms and legs wanders from
            the action, within the limits of the joints. The points then say less about the depth.
    """

    frames: int = 8400
    seed: int = 0
    camera: CameraModel = "perspective"
    people: int = PEOPLE
    pictures: int = 0
    wander: float = 0.0

    def __post_init__(self) -> None:
        require_camera_model(self.camera)
        require_integers(self, "frames", "seed", "people", "pictures")
        require_not_negative("wander", self.wander)
        if self.people < PEOPLE:
            raise ValueError(f"people: expected at least {PEOPLE}, got {self.people}")
        if self.frames < self.sequences:
            raise ValueError(
                f"frames: expected at least one for each of {self.sequences} sequences, "
                f"got {self.frames}"
            )
        if self.pictures and not SIZES[0] <= self.pictures <= SIZES[1]:
            raise ValueError(
                f"pictures: expected 0 or {SIZES[0]} to {SIZES[1]} pixels, got {self.pictures}"
            )

    @property
    def sequences(self) -> int:
        """The number of sequences: everybody does every action before every camera."""
        return self.people * len(ACTIONS) * len(CAMERAS)


class SyntheticH36m(Generated[SyntheticH36mParams]):
    """People of different proportions, who each do every action once in front of four cameras.

    S1, S5, S6, S7 and S8 are `train`, S9 and S11 `test`; see `split_subjects` for more people. The
    group of a frame is its action; a sequence is a motion seen by one camera. Its frames are the
    first ones of an endless motion that depends only on the seed, the subject and the action.
    Lengths are mm; a box encloses the points.

    A picture shows a square about the person in the camera's image, see `pictures`. Without
    pictures, a pixel is one of the camera's image.
    """

    key = KEY
    version = 1
    subset_names = SUBSETS
    added_params: ClassVar[Mapping[str, Any]] = {"people": PEOPLE, "pictures": 0, "wander": 0.0}

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = SyntheticH36mParams(**params)

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Make one split of all or of one action; see `sequence_id` for the sequences' numbers."""
        self.require_known(subset)
        require_known("split", split, SPLITS)
        actions = actions_of(subset)
        takes = list(self._takes(split, actions))
        views = [
            View(
                take.sequence,
                take.action,
                *image_views(take.points_3d, LENSES[CAMERAS[take.camera]], self.params.camera),
            )
            for take in takes
        ]
        data = join_views(views, self.params.camera, actions)
        if not self.params.pictures:
            return data
        seed, size, wander = self.params.seed, self.params.pictures, self.params.wander
        return attach_pictures(data, takes, seed, size, wander)

    def checksum(self, root: Path, subset: str) -> str:
        """Return the SHA-256 over the version of the generator and its parameters."""
        plain = super().checksum(root, subset)
        if not self.params.pictures:
            return plain
        return hashlib.sha256(f"{plain} pictures {PICTURES}".encode()).hexdigest()

    def check(self, root: Path) -> list[Finding]:
        """Make all frames and return whether they show people in front of the cameras."""
        params = replace(self.params, camera="perspective", pictures=0)
        splits = [SyntheticH36m(**vars(params)).load(root, "all", split) for split in SPLITS]
        return [
            check_frames(splits, params.frames, params.sequences),
            check_bones(splits),
            check_image(splits),
            check_distance(splits),
        ]

    def motion(self, subject: str, action: str, frames: int) -> Floats:
        """Return the (frames, 17, 3) world points of a motion in mm; the ground is at y = 0."""
        return self._perform(subject, action, frames).points()

    def body(self, subject: str) -> KinematicTree:
        """Return a subject's body."""
        return subject_body(self.params.seed, subject)

    def places(self) -> list[Place]:
        """Return where the cameras stand: in the corners of a room, about as in the release."""
        rng = named_rng(KEY, "cameras", self.params.seed)
        corners = np.arange(len(CAMERAS)) * np.pi / 2 + np.pi / 4
        around = corners + np.radians(rng.uniform(-10, 10, len(corners)))
        distance, height = (rng.uniform(*span, len(corners)) for span in (DISTANCES, HEIGHTS))
        places = np.stack([distance * np.sin(around), height, distance * np.cos(around)], axis=1)
        return [_level_camera(place) for place in places]

    def _perform(self, subject: str, action: str, frames: int) -> Performance:
        return perform(self.params.seed, subject, action, frames, self.params.wander)

    def _takes(self, split: str, actions: tuple[str, ...]) -> Iterator[Take]:
        """Yield the takes of a split; some have one frame more than others."""
        each, left = divmod(self.params.frames, self.params.sequences)
        places, names = self.places(), split_subjects(self.params.people)
        everybody = [(s, action) for people in names.values() for s in people for action in ACTIONS]
        for motion, (subject, action) in enumerate(everybody):
            if subject not in names[split] or action not in actions:
                continue
            performance = self._perform(subject, action, each + 1)
            for camera, place in enumerate(places):
                frames = each + (motion * len(CAMERAS) + camera < left)
                yield Take(subject, action, camera, place, performance, frames)


def _level_camera(position: Floats) -> Place:
    """Return a level camera that looks from its position at the middle of the room."""
    ahead = np.array([0.0, LOOK_AT, 0.0]) - position
    right = np.cross(ahead, [0.0, 1.0, 0.0])
    axes = np.array([right, np.cross(ahead, right), ahead])
    return Place(axes / np.linalg.norm(axes, axis=1, keepdims=True), position)


SYNTHETIC_H36M = DatasetSpec(
    key=KEY,
    title="Synthetic people before four cameras",
    reference="generated by liftbench",
    make=SyntheticH36m,
    params=SyntheticH36mParams,
    splits=SPLITS,
    info=generated_info(
        layout="parameters frames, seed, camera, people, pictures and wander",
        size="8400 frames of 17 points by default; pictures that methods ask for go to the cache, "
        "about 6 kB a frame at 128 pixels",
    ),
    synthetic=True,
    conformance=Conformance({"frames": 512}),
    added_params=SyntheticH36m.added_params,
)
