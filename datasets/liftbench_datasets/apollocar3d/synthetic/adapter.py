"""The stand-in for ApolloCar3D, which needs no file: single views of cars in traffic.

The parameters alone fix every frame. Each frame shows a new car (see `car`) in a new pose (see
`traffic`), and is kept if enough of its points are visible, as the papers' protocol asks.
"""

# ruff: noqa: ARG002  every adapter is handed the data root; this one has no files there

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from liftbench.cameras import project
from liftbench.plugin.param_checks import require_booleans, require_integers
from liftbench.plugin.specs import Conformance, DatasetSpec, Finding
from liftbench.seeds import named_rng
from liftbench.types import Bools, Dataset, Floats
from liftbench_datasets.adapting.frame_arrays import FrameArrays
from liftbench_datasets.adapting.generated import Generated, check_visible, generated_info
from liftbench_datasets.adapting.sequence_splits import SPLITS, split_sequences
from liftbench_datasets.apollocar3d.cameras import CAMERA_5
from liftbench_datasets.apollocar3d.synthetic.car import draw_cars
from liftbench_datasets.apollocar3d.synthetic.traffic import draw_poses
from liftbench_datasets.apollocar3d.views import (
    FARTHEST,
    LEAST_VISIBLE,
    car_dataset,
    distance_groups,
)

KEY = "synthetic_apollo"
DRIVES = 40
BATCH = 128  # cars drawn at once, whatever the number of frames, so that it changes no frame
# Least and greatest length, width and height of the release's models, without their mirrors.
SIZE_RANGE = ((3.4, 1.6, 1.35), (5.4, 2.0, 1.9))


@dataclass(frozen=True)
class SyntheticApolloParams:
    """Parameters of the generator.

    Attributes:
        frames: number over all drives of both splits.
        seed: fixes all random draws.
        occlusion: True hides points behind the body and beyond the edge of the image; False shows
            all points of the same frames.
    """

    frames: int = 4000
    seed: int = 0
    occlusion: bool = True

    def __post_init__(self) -> None:
        require_integers(self, "frames", "seed")
        if self.frames < DRIVES:
            raise ValueError(
                f"frames: expected at least one for each of {DRIVES} drives, got {self.frames}"
            )
        require_booleans(self, "occlusion")


@dataclass(frozen=True)
class Views(FrameArrays):
    """F cars before the camera.

    Attributes:
        points_3d: (F, 58, 3) in the camera's frame, metres.
        visible: (F, 58) points that neither the body nor the edge of the image hides.
        depth: (F,) of the cars' centres, metres.
        size: (F, 3) length, width and height, metres.
    """

    points_3d: Floats
    visible: Bools
    depth: Floats
    size: Floats


class SyntheticApollo(Generated[SyntheticApolloParams]):
    """Cars up to 30 m ahead of Camera_5, in 40 drives of unrelated frames.

    Seed and drive fix an endless list of frames, of which a drive has the first ones. Lengths are
    metres; the group of a frame is the distance of its car.
    """

    key = KEY
    version = 1

    def __init__(self, **params: Any) -> None:  # noqa: ANN401 the dataclass has the types
        self.params = SyntheticApolloParams(**params)

    def load(self, root: Path, subset: str, split: str) -> Dataset:
        """Generate one split."""
        self.require_known(subset)
        drives = split_sequences(range(DRIVES), split)
        views = Views.join([self.drive(i) for i in drives])
        sequence = np.repeat(np.array(drives, dtype=np.int64), [self._frames(i) for i in drives])
        visible = views.visible if self.params.occlusion else np.ones_like(views.visible)
        pixel = np.full(len(sequence), CAMERA_5.pixel)
        return car_dataset(views.points_3d, visible, views.depth, sequence, pixel)

    def check(self, root: Path) -> list[Finding]:
        """Generate all frames and check that they look like cars in traffic."""
        views = Views.join([self.drive(i) for i in range(DRIVES)])
        return [
            _check_frames(views, self.params),
            _check_size(views.size),
            check_visible(views.visible, LEAST_VISIBLE),
            _check_depth(views),
            _check_image(views),
        ]

    def drive(self, drive: int) -> Views:
        """Return the frames of a drive: the first of all cars drawn that show enough points."""
        frames = self._frames(drive)
        kept: list[Views] = []
        for batch in count():
            views = draw_views(named_rng(KEY, self.params.seed, drive, batch), BATCH)
            kept.append(views.take(np.flatnonzero(views.visible.sum(axis=1) >= LEAST_VISIBLE)))
            if sum(len(views.depth) for views in kept) >= frames:
                break
        return Views.join(kept).take(slice(frames))

    def _frames(self, drive: int) -> int:
        each, left = divmod(self.params.frames, DRIVES)
        return each + (drive < left)


def draw_views(rng: np.random.Generator, cars: int) -> Views:
    """Draw views of cars in traffic, also those that show few points."""
    drawn = draw_cars(rng, cars)
    poses = draw_poses(rng, drawn.road)
    points_3d = poses.place(drawn.points)
    visible = CAMERA_5.holds(project(points_3d, "perspective"))
    for part in drawn.parts:
        visible &= ~part.hides(drawn.points, poses.eyes())
    return Views(points_3d, visible, poses.translations[:, 2], drawn.size)


def _check_frames(views: Views, params: SyntheticApolloParams) -> Finding:
    frames = len(views.depth)
    groups = dict(zip(*np.unique(distance_groups(views.depth), return_counts=True), strict=True))
    detail = ", ".join(f"{n} at {name}" for name, n in groups.items())
    return Finding(
        "frames", frames == params.frames, f"{frames} frames in {DRIVES} drives: {detail}"
    )


def _check_size(size: Floats) -> Finding:
    least, most = size.min(axis=0), size.max(axis=0)
    low, high = SIZE_RANGE
    spans = zip(("length", "width", "height"), least, most, strict=True)
    return Finding(
        "sizes",
        bool((least >= low).all() and (most <= high).all()),
        ", ".join(f"{name} {a:.2f} to {b:.2f} m" for name, a, b in spans),
    )


def _check_depth(views: Views) -> Finding:
    nearest = views.points_3d[..., 2].min()
    detail = (
        f"cars at {views.depth.min():.1f} to {views.depth.max():.1f} m, points from {nearest:.1f} m"
    )
    return Finding("depth", bool((views.depth <= FARTHEST).all() and nearest > 0), detail)


def _check_image(views: Views) -> Finding:
    outside = views.visible & ~CAMERA_5.holds(project(views.points_3d, "perspective"))
    detail = f"{int(outside.sum())} visible points lie outside the image"
    return Finding("image", not outside.any(), detail)


SYNTHETIC_APOLLO = DatasetSpec(
    key=KEY,
    title="Synthetic cars in traffic",
    reference="generated by liftbench",
    make=SyntheticApollo,
    params=SyntheticApolloParams,
    splits=SPLITS,
    info=generated_info(
        layout="parameters frames, seed and occlusion",
        size="4000 frames of 58 points by default",
    ),
    synthetic=True,
    conformance=Conformance({"frames": 64}),
)
