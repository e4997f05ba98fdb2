"""Predictions and truths on which protocols are tested."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from liftbench.protocols.builtin import BUILTIN_PROTOCOLS
from liftbench.protocols.metrics import BUILTIN_METRICS
from liftbench.protocols.protocol import frame_errors
from liftbench.types import Bools, Floats, GroundTruth, Reconstruction, Skeleton

METRICS = {metric.name: metric for metric in BUILTIN_METRICS}
# Protocols of view metrics compare no points: see test_view_metrics.
PROTOCOLS = {p.name: p for p in BUILTIN_PROTOCOLS if p.metric in METRICS}
ROOT = 2
EDGES = ((0, 1), (1, 2), (2, 3), (4, 5))
SKELETON = Skeleton(tuple("abcdefg"), EDGES, root=ROOT)
FLIP = np.array([1.0, 1.0, -1.0])
every_protocol = pytest.mark.parametrize("name", PROTOCOLS)
seeds = st.integers(0, 2**32 - 1)


def truth_of(
    points: Floats, sequence: NDArray[np.int64] | None = None, mask: Bools | None = None
) -> GroundTruth:
    frames = len(points)
    ids = np.zeros(frames, dtype=np.int64) if sequence is None else sequence
    return GroundTruth(points, "m", np.full(frames, "all"), ids, mask)


def errors_of(
    name: str, predicted: Floats, truth: GroundTruth, skeleton: Skeleton = SKELETON
) -> Floats:
    protocol, prediction = PROTOCOLS[name], Reconstruction(predicted)
    return frame_errors(protocol, METRICS[protocol.metric], prediction, truth, skeleton)


def sample(
    seed: int = 0, frames: int = 30, points: int = 7, masked: bool = True
) -> tuple[Floats, GroundTruth]:
    """Return a noisy prediction and its truth, off the origin, with sequences that interleave."""
    rng = np.random.default_rng(seed)
    true = rng.normal((3.0, -2.0, 8.0), 1.0, (frames, points, 3))
    predicted = 1.7 * true + 0.6 * rng.standard_normal(true.shape) - 4.0
    mask = rng.random((frames, points)) < 0.6
    mask[:, :4] = True
    return predicted, truth_of(true, rng.integers(0, 3, frames), mask if masked else None)


def similar(truth: Floats, rng: np.random.Generator, *, reflect: bool = False) -> Floats:
    """Return the truth after a similarity, which is a different one in every frame."""
    frames = len(truth)
    turn = Rotation.random(frames, rng=rng).as_matrix()
    if reflect:
        turn = turn @ np.diag(FLIP)
    scale = rng.uniform(0.1, 10.0, (frames, 1, 1))
    moved: Floats = scale * (truth @ turn) + rng.uniform(-5, 5, (frames, 1, 3))
    return moved
