"""Scores of stored predictions where only some of the frames have truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from liftbench.cameras import random_rotations
from liftbench.plugin.registry import Registry
from liftbench.protocols.metrics import Metric
from liftbench.runs.scoring import (
    frame_values,
    match_points,
    more_is_better,
    score_record,
    unit_of,
)
from liftbench.runs.store import RunRecord, RunSpec
from liftbench.types import Dataset, Floats, GroundTruth, Observations, Reconstruction, Skeleton

FRAMES, POINTS = 6, 5
MEASURED = [1, 4, 5]


def points(seed: int) -> Floats:
    return np.random.default_rng(seed).uniform(1, 3, (FRAMES, POINTS, 3))


def dataset(frames: list[int], mask: bool = True) -> Dataset:
    """Return the given frames; with `mask`, only those in `MEASURED` count and the others are 0."""
    sequence = np.arange(FRAMES)[frames]
    counts = np.isin(sequence, MEASURED) if mask else np.ones(len(frames), dtype=bool)
    truth = np.where(counts[:, None, None], points(0)[frames], 0)
    seen = Observations(
        points(0)[frames, :, :2],
        np.ones((len(frames), POINTS), dtype=bool),
        sequence,
        "orthographic",
        Skeleton(tuple("abcde")),
    )
    group = np.where(sequence < 2, "first", "last")
    shown = np.repeat(counts[:, None], POINTS, axis=1)
    return Dataset(seen, GroundTruth(truth, "m", group, sequence, shown))


def scored(data: Dataset, prediction: Floats, registry: Registry, protocol: str) -> RunRecord:
    record = RunRecord(RunSpec({}, "all", ("all",), {}, 0), "ok")
    predictions = {"all": Reconstruction(prediction)}
    return score_record(record, predictions, lambda _: data, registry, registry.protocols[protocol])


@pytest.mark.parametrize("protocol", ["e3d", "e3d_akhter", "mpjpe", "stress", "depth_error"])
def test_frames_without_truth_do_not_count(registry: Registry, protocol: str) -> None:
    everything = dataset(list(range(FRAMES)))
    found = scored(everything, points(1), registry, protocol)
    alone = scored(dataset(MEASURED, mask=False), points(1)[MEASURED], registry, protocol)
    assert found.status == "ok"
    score, expected = (next(iter(r.scores.values()))["all"] for r in (found, alone))
    assert (score.frames, score.unscored) == (3, 3)
    assert score == replace(expected, unscored=3)
    assert set(score.groups) == {"first", "last"}


def test_frames_that_count_keep_their_cameras(registry: Registry) -> None:
    everything = dataset(list(range(FRAMES)))
    alone = dataset(MEASURED, mask=False)
    camera = random_rotations(np.random.default_rng(4), FRAMES)
    scores = []
    for data, frames in ((everything, slice(None)), (alone, MEASURED)):
        assert data.truth is not None
        turned = replace(data, truth=replace(data.truth, rotation=camera[frames]))
        predicted = Reconstruction(points(1)[frames], rotation=camera[frames].swapaxes(1, 2))
        record = RunRecord(RunSpec({}, "all", ("all",), {}, 0), "ok")
        protocol = registry.protocols["e3d_akhter"]
        found = score_record(
            record, {"all": predicted}, {"all": turned}.__getitem__, registry, protocol
        )
        scores.append(found.scores[protocol.identity]["all"].value)
    assert scores[0] == scores[1]


def test_a_mean_over_groups_is_that_of_their_means(registry: Registry) -> None:
    """Frame 1 is alone in its group and counts as much as frames 2 to 5 together."""
    data, prediction = dataset([1, 2, 3, 4, 5], mask=False), points(1)[1:]
    frames, groups = (
        next(iter(scored(data, prediction, registry, name).scores.values()))["all"]
        for name in ("stress", "stress_groups")
    )
    assert frames.groups == groups.groups
    first, last = groups.groups["first"], groups.groups["last"]
    assert groups.value == pytest.approx((first + last) / 2)
    assert frames.value == pytest.approx((first + 4 * last) / 5)
    assert abs(groups.value - frames.value) > 1e-3


def test_groups_without_a_frame_are_reported_and_not_averaged(registry: Registry) -> None:
    data = dataset([1, 4, 5], mask=False)
    assert data.truth is not None
    named = replace(data, truth=replace(data.truth, groups=("first", "last", "never")))
    given, named_groups = (
        next(iter(scored(d, points(1)[[1, 4, 5]], registry, "stress_groups").scores.values()))[
            "all"
        ]
        for d in (data, named)
    )
    assert named_groups == replace(given, absent=("never",))
    with pytest.raises(ValueError, match="'last' is not one of `groups`"):
        replace(data.truth, groups=("first",))


def test_a_truth_that_counts_nowhere_fails(registry: Registry) -> None:
    record = scored(dataset([0, 2, 3]), points(1)[[0, 2, 3]], registry, "e3d")
    assert record.status == "failed"
    assert "no point that counts" in record.error


def test_a_prediction_of_another_shape_fails(registry: Registry) -> None:
    record = scored(dataset(list(range(FRAMES))), points(1)[:4], registry, "e3d")
    assert record.status == "failed"
    assert "expected predicted points (6, 5, 3), got (4, 5, 3)" in record.error


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("name", ["e3d", "e3d_akhter", "depth_error"])
def test_match_points_are_those_of_the_frames_with_a_value(
    registry: Registry, name: str, mirrored: bool
) -> None:
    data, prediction = dataset(list(range(FRAMES))), Reconstruction(points(1))
    protocol = registry.protocols[name]
    metric = registry.metrics[protocol.metric]
    assert isinstance(metric, Metric)
    values, has_value = frame_values(prediction, data, metric, protocol, mirrored=mirrored)
    assert np.flatnonzero(has_value).tolist() == MEASURED
    chosen = np.array([5, 1])
    matched = match_points(prediction, data, metric, protocol, chosen, mirrored=mirrored)
    assert np.array_equal(matched.errors, values[chosen])
    assert matched.predicted.shape == (2, POINTS, 3)


def test_a_group_whose_frames_do_not_count_has_no_mean(registry: Registry) -> None:
    record = scored(dataset([0, 4, 5]), points(1)[[0, 4, 5]], registry, "e3d")
    score = record.scores["e3d@1"]["all"]
    assert set(score.groups) == {"last"}
    assert (score.frames, score.unscored) == (2, 1)


def test_a_frame_counts_where_some_of_its_points_do(registry: Registry) -> None:
    data = dataset(list(range(FRAMES)), mask=False)
    assert data.truth is not None
    assert data.truth.mask is not None
    mask = data.truth.mask.copy()
    mask[2, :2] = False
    partly = replace(data, truth=replace(data.truth, mask=mask))
    assert scored(partly, points(1), registry, "mpjpe").scores["mpjpe@1"]["all"].frames == FRAMES


MIRROR = np.array([1.0, 1.0, -1.0])


def scores_of_splits(predictions: dict[str, Floats], registry: Registry, name: str) -> RunRecord:
    """Return the scores of splits that all have the same six frames of truth."""
    data = dataset(list(range(FRAMES)), mask=False)
    edges = replace(data.observations.skeleton, edges=((0, 1), (1, 2)))
    data = replace(data, observations=replace(data.observations, skeleton=edges))
    record = RunRecord(RunSpec({}, "all", tuple(predictions), {}, 0), "ok")
    parts = {split: Reconstruction(part) for split, part in predictions.items()}
    return score_record(record, parts, lambda _: data, registry, registry.protocols[name])


@pytest.mark.parametrize("name", ["kd_mpjpe", "kd_pa_mpjpe", "kd_depth_error", "mirrored_frames"])
def test_a_fit_is_mirrored_as_a_whole(registry: Registry, name: str) -> None:
    protocol = registry.protocols[name]
    as_given, mirrored = (
        scores_of_splits({"all": points(0) * sign}, registry, name).scores[protocol.identity]
        for sign in (1, MIRROR)
    )
    assert not as_given["all"].mirrored
    assert mirrored["all"].mirrored
    assert mirrored["all"].value == pytest.approx(0, abs=1e-6)
    assert replace(mirrored["all"], mirrored=False, value=0, groups={}) == replace(
        as_given["all"], value=0, groups={}
    )


@pytest.mark.parametrize("name", ["kd_mpjpe", "kd_pa_mpjpe", "kd_depth_error", "mirrored_frames"])
def test_the_splits_of_a_fit_have_one_sign(registry: Registry, name: str) -> None:
    """Two mirrored frames of six are a minority, but not with six of another split."""
    two = points(0)
    two[:2] *= MIRROR
    identity = registry.protocols[name].identity
    alone = scores_of_splits({"two": two}, registry, name).scores[identity]
    both = scores_of_splits({"two": two, "all": points(0) * MIRROR}, registry, name)
    together = both.scores[identity]
    assert not alone["two"].mirrored
    assert together["two"].mirrored
    assert together["all"].mirrored
    assert together["two"].value > alone["two"].value
    assert together["all"].value == pytest.approx(0, abs=1e-6)


def test_other_protocols_mirror_nothing(registry: Registry) -> None:
    found = scores_of_splits({"all": points(0) * MIRROR}, registry, "mpjpe").scores["mpjpe@1"]
    assert not found["all"].mirrored
    assert found["all"].value > 0.1


def test_a_run_is_skipped_only_where_every_protocol_lacks_an_output(registry: Registry) -> None:
    data, predicted = dataset(MEASURED, mask=False), points(1)[MEASURED]
    skipped = scored(data, predicted, registry, "pck")
    assert (skipped.status, skipped.error) == ("skipped", "pck@1: PCK needs boxes")
    predictions = {"all": Reconstruction(predicted)}
    e3d, pck = (registry.protocols[name] for name in ("e3d", "pck"))
    found = score_record(skipped, predictions, lambda _: data, registry, e3d)
    assert (found.status, found.error, set(found.scores)) == ("ok", "", {"e3d@1"})
    assert score_record(found, predictions, lambda _: data, registry, pck) == found


def test_a_failure_removes_only_the_score_of_its_protocol(registry: Registry) -> None:
    data, predicted = dataset(MEASURED, mask=False), points(1)[MEASURED]
    e3d, mpjpe = (registry.protocols[name] for name in ("e3d", "mpjpe"))
    record = scored(data, predicted, registry, "e3d")
    good, bad = ({"all": Reconstruction(part)} for part in (predicted, predicted[:2]))
    both = score_record(record, good, lambda _: data, registry, mpjpe)
    assert set(both.scores) == {"e3d@1", "mpjpe@1"}
    failed = score_record(both, bad, lambda _: data, registry, e3d)
    assert (failed.status, set(failed.scores)) == ("failed", {"mpjpe@1"})


def test_an_error_that_is_not_finite_fails(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = np.array([1.0, np.inf, 2.0])
    monkeypatch.setattr("liftbench.runs.scoring.frame_errors", lambda *_: errors)
    record = scored(dataset(MEASURED, mask=False), points(1)[MEASURED], registry, "e3d")
    assert (record.status, record.error) == ("failed", "e3d@1: 1 frames have no finite error")


def test_data_without_truth_has_only_scores_of_view_metrics(registry: Registry) -> None:
    data = dataset(list(range(FRAMES)))
    box = np.tile([0.0, 0.0, 100.0, 100.0], (FRAMES, 1))
    visible = np.ones((FRAMES, POINTS), dtype=bool)
    visible[0] = False
    seen = replace(
        data.observations,
        box=box,
        visible=visible,
        points_2d=np.where(visible[..., None], data.observations.points_2d, np.nan),
    )
    without = Dataset(seen, None)
    assert scored(without, points(1), registry, "e3d").scores == {"e3d@1": {}}
    score = scored(without, points(1), registry, "pck").scores["pck@1"]["all"]
    assert (score.value, score.groups) == (100.0, {"all": 100.0})
    assert (score.frames, score.unscored, score.absent) == (FRAMES - 1, 1, ())


@pytest.mark.parametrize(
    ("name", "unit", "more"),
    [
        ("e3d", "ratio", False),
        ("e3d_akhter", "ratio", False),
        ("mpjpe", "length", False),
        ("pck", "percent", True),
        ("miou", "ratio", True),
    ],
)
def test_units_and_directions(registry: Registry, name: str, unit: str, more: bool) -> None:
    protocol = registry.protocols[name]
    assert (unit_of(protocol, registry), more_is_better(protocol, registry)) == (unit, more)
