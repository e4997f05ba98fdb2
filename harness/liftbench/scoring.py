"""Scores stored predictions: a pass of its own that can be repeated at any time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from liftbench.protocols import Protocol, frame_errors
from liftbench.registry import Registry
from liftbench.store import RunRecord, Score
from liftbench.types import Dataset, Floats, GroundTruth, Observations, Reconstruction

LoadSplit = Callable[[str], Dataset]


def score_record(
    record: RunRecord,
    predictions: Mapping[str, Reconstruction],
    load: LoadSplit,
    registry: Registry,
    protocol: Protocol,
) -> RunRecord:
    """Return the record with the scores of its predictions under a protocol.

    A prediction that cannot be scored (wrong shape, all points in one place) makes the record
    `failed`, never a number.
    """
    try:
        scores = {
            split: _score(prediction, data.observations, data.truth, registry, protocol)
            for split, prediction in predictions.items()
            if (data := load(split)).truth is not None
        }
    except ValueError as error:
        others = {name: kept for name, kept in record.scores.items() if name != protocol.identity}
        message = f"{protocol.identity}: {error}"
        return replace(record, status="failed", error=message, scores=others)
    return replace(record, scores={**record.scores, protocol.identity: scores})


def _score(
    prediction: Reconstruction,
    observations: Observations,
    truth: GroundTruth,
    registry: Registry,
    protocol: Protocol,
) -> Score:
    metric = registry.metrics[protocol.metric]
    frames = len(truth.group)
    prediction, truth = _measured_frames(prediction, truth)
    errors = frame_errors(protocol, metric, prediction, truth, observations.skeleton)
    if not np.isfinite(errors).all():
        raise ValueError(f"{int((~np.isfinite(errors)).sum())} frames have no finite error")
    groups = _group_means(errors, truth)
    value = errors.mean() if protocol.mean == "frames" else np.mean(list(groups.values()))
    absent = tuple(name for name in truth.groups if name not in groups)
    return Score(float(value), groups, len(errors), frames - len(errors), absent)


def _measured_frames(
    prediction: Reconstruction, truth: GroundTruth
) -> tuple[Reconstruction, GroundTruth]:
    """Return both without the frames in which no true point counts, as there is no truth.

    A truth that counts nowhere is left as it is, and so is a prediction of another shape: both
    are errors, which `frame_errors` tells.
    """
    if truth.mask is None or prediction.points_3d.shape != truth.points_3d.shape:
        return prediction, truth
    counts = truth.mask.any(axis=1)
    if counts.all() or not counts.any():
        return prediction, truth
    kept = replace(
        truth,
        points_3d=truth.points_3d[counts],
        group=truth.group[counts],
        sequence=truth.sequence[counts],
        mask=truth.mask[counts],
    )
    return Reconstruction(prediction.points_3d[counts]), kept


def _group_means(errors: Floats, truth: GroundTruth) -> dict[str, float]:
    return {str(g): float(errors[truth.group == g].mean()) for g in np.unique(truth.group)}
