"""Errors of each frame between predicted and true points, after the steps of a protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from liftbench.protocols.alignment import norms
from liftbench.protocols.steps import flip_depth
from liftbench.types import Floats

FrameError = Callable[[Floats, Floats, Floats], Floats]


@dataclass(frozen=True)
class Metric:
    """A named error of each frame.

    Attributes:
        name: name by which protocols refer to it.
        errors: function from predicted points (F, P, 3), true points (F, P, 3) and weights (F, P)
            to errors (F,).
        unit: of the errors; `length` is the unit of the truth.
        description: one sentence.
    """

    name: str
    errors: FrameError
    unit: Literal["length", "ratio", "percent"]
    description: str


def relative_norm(predicted: Floats, truth: Floats, weights: Floats) -> Floats:
    """Return ‖S_gt - S‖_F / ‖S_gt‖_F of each frame (PR-RRN, eq. 19)."""
    ratio: Floats = norms(predicted - truth, weights) / norms(truth, weights)
    return ratio


def mean_distance(predicted: Floats, truth: Floats, weights: Floats) -> Floats:
    """Return the mean distance of corresponding points of each frame."""
    return _weighted_mean(np.linalg.norm(predicted - truth, axis=2), weights)


def mean_depth_distance(predicted: Floats, truth: Floats, weights: Floats) -> Floats:
    """Return the mean distance along z of each frame (KD, section 5.2)."""
    return _weighted_mean(np.abs(predicted[..., 2] - truth[..., 2]), weights)


def mean_image_distance(predicted: Floats, truth: Floats, weights: Floats) -> Floats:
    """Return the mean distance of corresponding points of each frame along x and y."""
    return mean_distance(predicted[..., :2], truth[..., :2], weights)


def stress(predicted: Floats, truth: Floats, weights: Floats) -> Floats:
    """Return the mean over pairs i < j of | ‖G_i - G_j‖ - ‖P_i - P_j‖ | (C3DPO)."""
    first, second = np.triu_indices(truth.shape[1], k=1)
    lengths = [
        np.linalg.norm(points[:, first] - points[:, second], axis=2)
        for points in (predicted, truth)
    ]
    pair_weights = weights[:, first] * weights[:, second]
    return _weighted_mean(np.abs(lengths[0] - lengths[1]), pair_weights)


def is_closer_mirrored(predicted: Floats, truth: Floats, weights: Floats) -> Floats:
    """Return 100 for each frame whose mirror image in depth has the lower mean distance, else 0."""
    mirrored = mean_distance(flip_depth(predicted), truth, weights)
    return np.where(mirrored < mean_distance(predicted, truth, weights), 100.0, 0.0)


def _weighted_mean(values: Floats, weights: Floats) -> Floats:
    mean: Floats = (values * weights).sum(axis=1) / weights.sum(axis=1)
    return mean


BUILTIN_METRICS = (
    Metric("relative_norm", relative_norm, "ratio", "‖S_gt - S‖_F / ‖S_gt‖_F"),
    Metric("mean_distance", mean_distance, "length", "mean distance of corresponding points"),
    Metric("mean_depth_distance", mean_depth_distance, "length", "mean distance along z"),
    Metric("mean_image_distance", mean_image_distance, "length", "mean distance along x and y"),
    Metric("stress", stress, "length", "mean difference of pairwise distances"),
    Metric(
        "closer_mirrored",
        is_closer_mirrored,
        "percent",
        "100 if its mirror image in depth has the lower mean distance, else 0",
    ),
)
