"""The generated default dataset: a person with 31 points who walks, runs, reaches and more.

No files are read: every frame is a pure function of the parameters (see `people.motion`).
"""

# ruff: noqa: ARG002  every adapter takes the data root; this one has no files there

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.cameras import project, random_rotations
from liftbench.plugin.param_checks import require_integers
from liftbench.plugin.specs import Conformance, DatasetSpec, Finding
from liftbench.seeds import named_rng
from liftbench.types import (
    Dataset,
    Floats,
    GroundTruth,
    Observations,
    Skeleton,
)
from liftbench_datasets.adapting.generated import Generated, generated_info
from liftbench_datasets.adapting.left_right import left_right_pairs
from liftbench_datasets.adapting.sequence_splits import SPLITS, split_sequences
from liftbench_datasets.adapting.views import ViewParams, camera_views
from liftbench_datasets.people.actions import ACTIONS
from liftbench_datasets.people.body import BODY, BODY_HEIGHT, DOFS
from liftbench_datasets.people.motion import Motion, make_motion

KEY = "synthetic_body"


@dataclass(frozen=True)
class SyntheticBodyParams(ViewParams):
    """Parameters of the generator and of the camera.

    Attributes:
        frames: the number of frames over all sequences of both splits.
        sequences: the number n of sequences; the first floor(0.8 n) are `train`, the rest
            `unseen`.
        seed: the seed of all random draws.
    """

    frames: int = 4000
    sequences: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_integers(self, "frames", "sequences", "seed")
        if self.sequences < 2:
            raise ValueError(f"sequences: expected at least 2, one per split, got {self.sequences}")
        if self.frames < self.sequences:
            raise ValueError(
                f"frames: expected at least one for each of {self.sequences} sequences, "
                f"got {self.frames}"
            )


class SyntheticBody(Generated[SyntheticBodyParams]):
    """Views of generated motions, with one Haar-random rotation per frame and centred points.

    Sequence i shows action i modulo the number of actions, so that the splits share the actions
    if there are enough sequences. Lengths are metres; the group of a frame is its action.
    """

    key = KEY
    version = 1

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = SyntheticBodyParams(**params)

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Make one split; sequence ids continue from `train` to `unseen`."""
        self.require_known(subset)
        truth = self._truth(split)
        points_2d = project(truth.points_3d, self.params.camera)
        visible = np.ones(points_2d.shape[:2], dtype=np.bool_)
        return Dataset(
            Observations(points_2d, visible, truth.sequence, self.params.camera, SKELETON), truth
        )

    def check(self, root: Path) -> list[Finding]:
        """Make all frames and return whether counts, bones, joint limits and ground are right."""
        motions = [self.motion(i) for i in range(self.params.sequences)]
        splits = [self._truth(split) for split in SPLITS]
        return [
            _check_counts(splits, self.params),
            _check_bones(np.concatenate([split.points_3d for split in splits])),
            _check_limits(np.concatenate([motion.angles for motion in motions])),
            _check_ground(np.concatenate([motion.positions for motion in motions])),
        ]

    def motion(self, sequence: int) -> Motion:
        """Return the motion of a sequence; its draw depends only on the seed and the sequence."""
        rng = named_rng(KEY, "motion", self.params.seed, sequence)
        return make_motion(rng, ACTIONS[action_name(sequence)], self._frames(sequence))

    def _truth(self, split: str) -> GroundTruth:
        ids = split_sequences(range(self.params.sequences), split)
        points_3d = np.concatenate([self._view(i, self.motion(i)) for i in ids])
        lengths = [self._frames(i) for i in ids]
        sequence = np.repeat(np.array(ids, dtype=np.int64), lengths)
        action = np.repeat([action_name(i) for i in ids], lengths)
        return GroundTruth(points_3d, "m", action, sequence)

    def _frames(self, sequence: int) -> int:
        each, left = divmod(self.params.frames, self.params.sequences)
        return each + (sequence < left)

    def _view(self, sequence: int, motion: Motion) -> Floats:
        """Return the (F, 31, 3) positions in the camera's frame."""
        rng = named_rng(KEY, "view", self.params.seed, sequence)
        rotations = random_rotations(rng, len(motion.positions))
        return camera_views(motion.positions, rotations, self.params, BODY_HEIGHT)


def action_name(sequence: int) -> str:
    """Return the action of a sequence."""
    return list(ACTIONS)[sequence % len(ACTIONS)]


SKELETON = Skeleton(BODY.names, BODY.edges, left_right_pairs(BODY.names))


def _check_counts(splits: list[GroundTruth], params: SyntheticBodyParams) -> Finding:
    frames = sum(len(split.sequence) for split in splits)
    train, unseen = (set(split.sequence.tolist()) for split in splits)
    whole = frames == params.frames and len(train | unseen) == params.sequences
    shared = len(set.intersection(*(set(split.group.tolist()) for split in splits)))
    return Finding(
        "frames",
        whole and not train & unseen,
        f"{frames} frames, {len(train)} sequences to train and {len(unseen)} unseen, "
        f"{shared} of {len(ACTIONS)} actions in both",
    )


def _check_bones(points_3d: Floats) -> Finding:
    ends = points_3d[:, np.array(BODY.edges)]
    lengths = np.linalg.norm(ends[:, :, 1] - ends[:, :, 0], axis=2)
    worst = float(np.abs(lengths - np.linalg.norm(BODY.bone[1:], axis=1)).max())
    return Finding("bones", worst < 1e-9, f"lengths differ from the body's by {worst:.1e} m")


def _check_limits(angles: Floats) -> Finding:
    least, most = angles.min(axis=0), angles.max(axis=0)
    names = ", ".join(
        dof.name
        for dof, low, high in zip(DOFS, least, most, strict=True)
        if low < dof.low or high > dof.high
    )
    detail = f"{len(DOFS)} degrees of freedom" + (f", beyond: {names}" if names else ", all kept")
    return Finding("joint limits", not names, detail)


def _check_ground(positions: Floats) -> Finding:
    lowest = positions[..., 1].min(axis=1)
    detail = f"lowest points lie {lowest.min():.2f} to {lowest.max():.2f} m above the ground"
    return Finding("ground", bool((lowest > -0.01).all() and (lowest < 0.2).all()), detail)


SYNTHETIC_BODY = DatasetSpec(
    key=KEY,
    title="Synthetic human body, random motions",
    reference="generated by liftbench",
    make=SyntheticBody,
    params=SyntheticBodyParams,
    splits=SPLITS,
    info=generated_info(
        layout="parameters frames, sequences, seed, camera and distance",
        size="4000 frames of 31 points by default",
    ),
    synthetic=True,
    conformance=Conformance({"frames": 32, "sequences": 2}),
)
