"""A stand-in for Human3.6M that needs no file: seven people, 15 actions, four cameras.

Every frame is a pure function of the parameters: a body of the subject's proportions does the
action (see `people.motion`) between four cameras with the lenses of the release.
"""

# ruff: noqa: ARG002  every adapter takes the data root; this one has no files there

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftbench.cameras import project
from liftbench.errors import require_known
from liftbench.plugin.param_checks import require_integers
from liftbench.plugin.specs import Conformance, DatasetSpec, Finding
from liftbench.seeds import named_rng
from liftbench.types import Dataset, Floats
from liftbench_datasets.adapting.generated import Generated, generated_info
from liftbench_datasets.geometry.kinematics import KinematicTree
from liftbench_datasets.h36m.cameras import CAMERAS, LENSES, Place
from liftbench_datasets.h36m.skeleton import (
    SKELETON,
    SPLITS,
    SUBJECTS,
    SUBSETS,
    TEST_SUBJECTS,
    TRAIN_SUBJECTS,
    actions_of,
    sequence_id,
)
from liftbench_datasets.h36m.synthetic.actions import ACTIONS
from liftbench_datasets.h36m.views import (
    CameraModel,
    View,
    image_views,
    join_views,
    require_camera_model,
)
from liftbench_datasets.people.body import BODY
from liftbench_datasets.people.motion import make_motion

KEY = "synthetic_h36m"
FRAMES_PER_SECOND = 10.0  # every fifth of the release's
IMAGE = 1000.0  # width and height in pixels
# In mm: from a camera to the axis of the room, height of a camera, height of the point it looks at.
DISTANCES = (4600.0, 5400.0)
HEIGHTS = (1400.0, 1700.0)
LOOK_AT = 850.0
# Weights of a moving average over 12 s, two rounds of a walker; it becomes the middle of the room.
_ROUNDS = np.hanning(123)[1:-1] / np.hanning(123).sum()

# The body's joint at each point of Human3.6M; the first, the hip, is later put between both hips.
_JOINTS = [
    BODY.names.index(name)
    for name in (
        *("root", "rhipjoint", "rfemur", "rtibia", "lhipjoint", "lfemur", "ltibia"),
        *("lowerback", "thorax", "upperneck", "head"),
        *("lclavicle", "lhumerus", "lwrist", "rclavicle", "rhumerus", "rwrist"),
    )
]
_HIPS = [SKELETON.points.index(name) for name in ("LHip", "RHip")]
# Spread of the log of people's lengths: of the whole body, then of groups of bones.
_STATURE = 0.05
_PROPORTIONS = {
    "[lr]hipjoint": 0.06,
    "[lr](femur|tibia)": 0.05,
    "[lr](foot|toes)": 0.05,
    "lowerback|upperback|thorax": 0.04,
    "lowerneck|upperneck|head": 0.05,
    "[lr]clavicle": 0.06,
    "[lr](humerus|radius|wrist|hand|fingers|thumb)": 0.05,
}
_MOTIONS = [
    (subject, action) for subject in (*TRAIN_SUBJECTS, *TEST_SUBJECTS) for action in ACTIONS
]
SEQUENCES = len(_MOTIONS) * len(CAMERAS)


@dataclass(frozen=True)
class SyntheticH36mParams:
    """Parameters of the generator and of the camera.

    Attributes:
        frames: the number of frames over all sequences of both splits.
        seed: the seed of all random draws.
        camera: the camera model, as in dataset `h36m`.
    """

    frames: int = 8400
    seed: int = 0
    camera: CameraModel = "perspective"

    def __post_init__(self) -> None:
        require_camera_model(self.camera)
        require_integers(self, "frames", "seed")
        if self.frames < SEQUENCES:
            raise ValueError(
                f"frames: expected at least one for each of {SEQUENCES} sequences, "
                f"got {self.frames}"
            )


class SyntheticH36m(Generated[SyntheticH36mParams]):
    """People of different proportions, who each do every action once in front of four cameras.

    S1, S5, S6, S7 and S8 are `train`, S9 and S11 `test`. The group of a frame is its action; a
    sequence is a motion seen by one camera. Its frames are the first ones of an endless motion
    that depends only on the seed, the subject and the action. Lengths are mm; a box encloses the
    points.
    """

    key = KEY
    version = 1
    subset_names = SUBSETS

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = SyntheticH36mParams(**params)

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Make one split of all or of one action; see `sequence_id` for the sequences' numbers."""
        self.require_known(subset)
        require_known("split", split, SPLITS)
        actions = actions_of(subset)
        motions = [
            i
            for i, (subject, action) in enumerate(_MOTIONS)
            if subject in SUBJECTS[split] and action in actions
        ]
        views = [view for i in motions for view in self._views(i)]
        return join_views(views, self.params.camera, actions)

    def check(self, root: Path) -> list[Finding]:
        """Make all frames and return whether they show people in front of the cameras."""
        adapter = SyntheticH36m(frames=self.params.frames, seed=self.params.seed)
        splits = [adapter.load(root, "all", split) for split in SPLITS]
        return [
            _check_frames(splits, self.params.frames),
            _check_bones(splits),
            _check_image(splits),
            _check_distance(splits),
        ]

    def motion(self, subject: str, action: str, frames: int) -> Floats:
        """Return the (frames, 17, 3) world points of a motion in mm; the ground is at y = 0."""
        rng = named_rng(KEY, "motion", self.params.seed, subject, action)
        cycle, body = ACTIONS[action], self.body(subject)
        needed = frames + len(_ROUNDS) - 1 if cycle.stride else frames
        motion = make_motion(rng, cycle, needed, body, FRAMES_PER_SECOND)
        points = 1000 * motion.positions[:, _JOINTS]
        points[:, SKELETON.root] = points[:, _HIPS].mean(axis=1)
        return _in_room(points) if cycle.stride else points

    def body(self, subject: str) -> KinematicTree:
        """Return a subject's body; its draw depends only on the seed and the subject."""
        rng = named_rng(KEY, "body", self.params.seed, subject)
        stature = np.exp(rng.normal(0, _STATURE))
        bone = stature * BODY.bone
        for bones, spread in _PROPORTIONS.items():
            chosen = [re.fullmatch(bones, name) is not None for name in BODY.names]
            bone[chosen] *= np.exp(rng.normal(0, spread))
        return replace(BODY, bone=bone)

    def places(self) -> list[Place]:
        """Return where the cameras stand: in the corners of a room, about as in the release."""
        rng = named_rng(KEY, "cameras", self.params.seed)
        corners = np.arange(len(CAMERAS)) * np.pi / 2 + np.pi / 4
        around = corners + np.radians(rng.uniform(-10, 10, len(corners)))
        distance, height = (rng.uniform(*span, len(corners)) for span in (DISTANCES, HEIGHTS))
        places = np.stack([distance * np.sin(around), height, distance * np.cos(around)], axis=1)
        return [_level_camera(place) for place in places]

    def _views(self, motion: int) -> list[View]:
        """Return the views of a motion by all cameras; some have one frame more than others."""
        subject, action = _MOTIONS[motion]
        each, left = divmod(self.params.frames, SEQUENCES)
        world = self.motion(subject, action, each + 1)
        views = []
        for camera, place in enumerate(self.places()):
            frames = each + (motion * len(CAMERAS) + camera < left)
            points_3d = place.views(world[:frames])
            seen = image_views(points_3d, LENSES[CAMERAS[camera]], self.params.camera)
            views.append(View(sequence_id(subject, action, 0, camera), action, *seen))
        return views


def _in_room(points: Floats) -> Floats:
    """Return a walk (F, 17, 3) without its drift, for the F - 120 frames in its middle."""
    skipped = len(_ROUNDS) // 2
    walk = points[skipped : len(points) - skipped].copy()
    for axis in (0, 2):
        walk[..., axis] -= np.convolve(points[:, SKELETON.root, axis], _ROUNDS, "valid")[:, None]
    return walk


def _level_camera(position: Floats) -> Place:
    """Return a level camera that looks from its position at the middle of the room."""
    ahead = np.array([0.0, LOOK_AT, 0.0]) - position
    right = np.cross(ahead, [0.0, 1.0, 0.0])
    axes = np.array([right, np.cross(ahead, right), ahead])
    return Place(axes / np.linalg.norm(axes, axis=1, keepdims=True), position)


def _check_frames(splits: Sequence[Dataset], frames: int) -> Finding:
    made = [split.observations.frames for split in splits]
    detail = f"{made[0]} to train and {made[1]} to test, in {SEQUENCES} sequences"
    return Finding("frames", sum(made) == frames, detail)


def _check_bones(splits: Sequence[Dataset]) -> Finding:
    """Return whether each subject keeps the lengths of its limbs; the spine and neck may bend."""
    points_3d, sequence = _truth(splits)
    limbs = [(a, b) for a, b in SKELETON.edges if SKELETON.points[b][0] in "LR"]
    ends = points_3d[:, np.array(limbs)]
    lengths = np.linalg.norm(ends[:, :, 1] - ends[:, :, 0], axis=2)
    subject = sequence // 10_000
    spread = max(np.ptp(lengths[subject == s], axis=0).max() for s in np.unique(subject))
    return Finding("bones", bool(spread < 1e-6), f"lengths of limbs vary by {spread:.1e} mm")


def _check_image(splits: Sequence[Dataset]) -> Finding:
    points_3d, sequence = _truth(splits)
    plane = project(points_3d, "perspective")
    pixels = [
        LENSES[name].pixels(plane[sequence % 10 == camera])
        for camera, name in enumerate(CAMERAS, start=1)
    ]
    inside = [((some >= 0) & (some < IMAGE)).all(axis=(1, 2)) for some in pixels]
    share = float(np.concatenate(inside).mean())
    return Finding("image", share > 0.99, f"{100 * share:.1f} % of frames wholly in the image")


def _check_distance(splits: Sequence[Dataset]) -> Finding:
    depth = _truth(splits)[0][:, SKELETON.root, 2] / 1000
    detail = f"hips {depth.min():.1f} to {depth.max():.1f} m before the camera"
    return Finding("distance", bool((depth > 2.5).all() and (depth < 8).all()), detail)


def _truth(splits: Sequence[Dataset]) -> tuple[Floats, NDArray[np.int64]]:
    """Return the 3D points and sequences of all splits."""
    truths = [split.truth for split in splits if split.truth is not None]
    return (
        np.concatenate([truth.points_3d for truth in truths]),
        np.concatenate([truth.sequence for truth in truths]),
    )


SYNTHETIC_H36M = DatasetSpec(
    key=KEY,
    title="Synthetic people before four cameras",
    reference="generated by liftbench",
    make=SyntheticH36m,
    params=SyntheticH36mParams,
    splits=SPLITS,
    info=generated_info(
        layout="parameters frames, seed and camera",
        size="8400 frames of 17 points by default",
    ),
    synthetic=True,
    conformance=Conformance({"frames": 512}),
)
