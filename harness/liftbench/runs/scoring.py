"""Scores predictions against the truth, right after a run or later from the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from liftbench.plugin.registry import Registry
from liftbench.protocols.metrics import Metric
from liftbench.protocols.protocol import Matched, Protocol, frame_errors, match_frames
from liftbench.protocols.steps import flip_depth
from liftbench.protocols.time_metrics import TimeMetric
from liftbench.protocols.view_metrics import LackingOutputError, ViewMetric
from liftbench.runs.bench import Bench
from liftbench.runs.store import RunRecord, RunResult, Score
from liftbench.types import Bools, Dataset, Floats, GroundTruth, Reconstruction

LoadSplit = Callable[[str], Dataset]


def score_result(result: RunResult, bench: Bench, protocols: Iterable[Protocol]) -> RunResult:
    """Return a result with its predictions scored; without predictions it stays as it is."""
    record = result.record
    load = partial(bench.load, record.spec)
    for protocol in protocols if result.predictions else ():
        record = score_record(record, result.predictions, load, bench.registry, protocol)
    return replace(result, record=record)


def score_record(
    record: RunRecord,
    predictions: Mapping[str, Reconstruction],
    load: LoadSplit,
    registry: Registry,
    protocol: Protocol,
) -> RunRecord:
    """Return the record with the scores of its predictions under a protocol.

    A prediction that cannot be scored (wrong shape, all points in one place) makes the record
    `failed`. A prediction that lacks an optional output which the protocol needs makes the record
    `skipped`, unless it has scores under other protocols.
    """
    try:
        metric = registry.metrics[protocol.metric]
        if isinstance(metric, TimeMetric):
            return _with_scores(record, protocol, _run_times(record, metric, predictions))
        data = {
            split: part
            for split in predictions
            if (part := load(split)).truth is not None or isinstance(metric, ViewMetric)
        }
        mirrored = protocol.mirror_fit and _is_better_mirrored(predictions, data, metric, protocol)
        scores = {}
        for split, part in data.items():
            found = frame_values(predictions[split], part, metric, protocol, mirrored=mirrored)
            scores[split] = replace(_score(*found, part, protocol), mirrored=mirrored)
    except LackingOutputError as error:
        if record.scores:  # under other protocols, which do not need this output
            return record
        return replace(record, status="skipped", error=f"{protocol.identity}: {error}")
    except ValueError as error:
        others = {name: kept for name, kept in record.scores.items() if name != protocol.identity}
        message = f"{protocol.identity}: {error}"
        return replace(record, status="failed", error=message, scores=others)
    return _with_scores(record, protocol, scores)


def _with_scores(record: RunRecord, protocol: Protocol, scores: Mapping[str, Score]) -> RunRecord:
    if record.status == "skipped":  # under a protocol that needs another output
        record = replace(record, status="ok", error="")
    return replace(record, scores={**record.scores, protocol.identity: scores})


def _run_times(record: RunRecord, metric: TimeMetric, splits: Iterable[str]) -> dict[str, Score]:
    """Return the run times of one frame of each split; they are not a matter of predictions."""
    times = {split: metric.mean(record.timings.get(split, {})) for split in splits}
    return {split: Score(time, {"all": time}, frames=1) for split, time in times.items()}


def _is_better_mirrored(
    predictions: Mapping[str, Reconstruction],
    data: Mapping[str, Dataset],
    metric: Metric | ViewMetric,
    protocol: Protocol,
) -> bool:
    """Return whether the frames of all splits together have a lower mean error when mirrored.

    A fit has one sign of depth, so that splits decide together.
    """
    own, mirrored = (
        sum(
            np.nansum(frame_values(predictions[split], part, metric, protocol, mirrored=mirror)[0])
            for split, part in data.items()
        )
        for mirror in (False, True)
    )
    return bool(mirrored < own)


def _score(values: Floats, scored: Bools, data: Dataset, protocol: Protocol) -> Score:
    """Return the score of frames with the values (F,), of which only `scored` ones (F,) count."""
    if not np.isfinite(values[scored]).all():
        count = int((~np.isfinite(values[scored])).sum())
        raise ValueError(f"{count} frames have no finite error")
    group = np.full(len(values), "all") if data.truth is None else data.truth.group
    groups = {str(g): float(values[scored & (group == g)].mean()) for g in np.unique(group[scored])}
    value = values[scored].mean() if protocol.mean == "frames" else np.mean(list(groups.values()))
    absent = tuple(name for name in (data.truth.groups if data.truth else ()) if name not in groups)
    return Score(float(value), groups, int(scored.sum()), int((~scored).sum()), absent)


def frame_values(
    prediction: Reconstruction,
    data: Dataset,
    metric: Metric | ViewMetric | TimeMetric,
    protocol: Protocol,
    *,
    mirrored: bool,
) -> tuple[Floats, Bools]:
    """Return the value (F,) of each frame under a protocol, and which frames (F,) have one.

    Args:
        prediction: the predicted frames.
        data: the same frames with their truth.
        metric: what `protocol.metric` names.
        protocol: the steps.
        mirrored: the prediction is mirrored in depth first, see `Score.mirrored`.

    Raises:
        ValueError: the prediction cannot be scored.
    """
    if isinstance(metric, TimeMetric):
        raise ValueError("run times are not those of frames")  # noqa: TRY004 as of other metrics
    if isinstance(metric, ViewMetric):
        values = metric.scores(prediction, data)
        scored = ~np.isnan(values)
        if not scored.any():
            raise ValueError("no frame has a score")
        return values, scored
    if (truth := data.truth) is None:
        raise ValueError("the data has no truth")
    if mirrored:
        prediction = _mirror_image(prediction)
    kept_prediction, kept_truth, scored = _frames_with_truth(prediction, truth)
    values = np.full(len(truth.group), np.nan)
    values[scored] = frame_errors(
        protocol, metric, kept_prediction, kept_truth, data.observations.skeleton
    )
    return values, scored


def match_points(
    prediction: Reconstruction,
    data: Dataset,
    metric: Metric,
    protocol: Protocol,
    frames: NDArray[np.intp],
    *,
    mirrored: bool,
) -> Matched:
    """Return the chosen frames, aligned as the metric compares them; each must have a value.

    The arguments are those of `frame_values`.
    """
    if data.truth is None:
        raise ValueError("the data has no truth")
    if mirrored:
        prediction = _mirror_image(prediction)
    kept_prediction, kept_truth, scored = _frames_with_truth(prediction, data.truth)
    rows = np.cumsum(scored)[frames] - 1
    return match_frames(
        protocol, metric, kept_prediction, kept_truth, data.observations.skeleton, rows
    )


def unit_of(protocol: Protocol, registry: Registry) -> str:
    """Return the unit of a protocol's numbers: `length` means the unit of the dataset."""
    metric = registry.metrics[protocol.metric]
    if isinstance(metric, ViewMetric):
        return metric.unit
    return "ratio" if protocol.spread_unit and metric.unit == "length" else metric.unit


def more_is_better(protocol: Protocol, registry: Registry) -> bool:
    """Return whether a higher number is a better one."""
    metric = registry.metrics[protocol.metric]
    return isinstance(metric, ViewMetric) and metric.more_is_better


def is_run_time(protocol: Protocol, registry: Registry) -> bool:
    """Return whether a protocol's numbers are run times, which predictions do not tell."""
    return isinstance(registry.metrics[protocol.metric], TimeMetric)


def _mirror_image(prediction: Reconstruction) -> Reconstruction:
    """Return the mirror image in depth, which is seen under no rotation of the shape."""
    return Reconstruction(flip_depth(prediction.points_3d))


def _frames_with_truth(
    prediction: Reconstruction, truth: GroundTruth
) -> tuple[Reconstruction, GroundTruth, Bools]:
    """Return both for the frames in which a true point counts, and which frames (F,) these are.

    If no frame is left or the shapes differ, both are returned unchanged: `frame_errors` reports
    these errors.
    """
    every = np.ones(len(truth.group), dtype=np.bool_)
    if truth.mask is None or prediction.points_3d.shape != truth.points_3d.shape:
        return prediction, truth, every
    counts: Bools = np.asarray(truth.mask.any(axis=1))
    if counts.all() or not counts.any():
        return prediction, truth, every
    turned = None if prediction.rotation is None else prediction.rotation[counts]
    kept = truth.take(np.flatnonzero(counts))
    return Reconstruction(prediction.points_3d[counts], rotation=turned), kept, counts
