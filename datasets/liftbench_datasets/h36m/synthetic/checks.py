"""Checks that the generated people move before the cameras as people do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from liftbench.cameras import project
from liftbench.plugin.specs import Finding
from liftbench.types import Dataset, Floats
from liftbench_datasets.h36m.cameras import CAMERAS, LENSES
from liftbench_datasets.h36m.skeleton import SKELETON

IMAGE = 1000.0  # width and height in pixels


def check_frames(splits: Sequence[Dataset], frames: int, sequences: int) -> Finding:
    """Return whether the splits have all frames."""
    made = [split.observations.frames for split in splits]
    detail = f"{made[0]} to train and {made[1]} to test, in {sequences} sequences"
    return Finding("frames", sum(made) == frames, detail)


def check_bones(splits: Sequence[Dataset]) -> Finding:
    """Return whether each subject keeps the lengths of its limbs; the spine and neck may bend."""
    points_3d, sequence = _truth(splits)
    limbs = [(a, b) for a, b in SKELETON.edges if SKELETON.points[b][0] in "LR"]
    ends = points_3d[:, np.array(limbs)]
    lengths = np.linalg.norm(ends[:, :, 1] - ends[:, :, 0], axis=2)
    subject = sequence // 10_000
    spread = max(np.ptp(lengths[subject == s], axis=0).max() for s in np.unique(subject))
    return Finding("bones", bool(spread < 1e-6), f"lengths of limbs vary by {spread:.1e} mm")


def check_image(splits: Sequence[Dataset]) -> Finding:
    """Return whether the cameras see nearly all frames wholly in their images."""
    points_3d, sequence = _truth(splits)
    plane = project(points_3d, "perspective")
    pixels = [
        LENSES[name].pixels(plane[sequence % 10 == camera])
        for camera, name in enumerate(CAMERAS, start=1)
    ]
    inside = [((some >= 0) & (some < IMAGE)).all(axis=(1, 2)) for some in pixels]
    share = float(np.concatenate(inside).mean())
    return Finding("image", share > 0.99, f"{100 * share:.1f} % of frames wholly in the image")


def check_distance(splits: Sequence[Dataset]) -> Finding:
    """Return whether the hips are as far from the cameras as in a room."""
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
