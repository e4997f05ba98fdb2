"""The frame errors against plain loops over counted points."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import dist, sqrt

import numpy as np
import pytest

from liftbench.protocols.metrics import BUILTIN_METRICS, Metric
from liftbench.types import Floats

FrameLoop = Callable[[list[Floats], list[Floats]], float]
METRICS = {metric.name: metric for metric in BUILTIN_METRICS}


def relative_norm(predicted: list[Floats], truth: list[Floats]) -> float:
    left = sum(dist(p, t) ** 2 for p, t in zip(predicted, truth, strict=True))
    return sqrt(left) / sqrt(sum(float(t @ t) for t in truth))


def mean_distance(predicted: list[Floats], truth: list[Floats]) -> float:
    return float(np.mean([dist(p, t) for p, t in zip(predicted, truth, strict=True)]))


def mean_depth_distance(predicted: list[Floats], truth: list[Floats]) -> float:
    return float(np.mean([abs(p[2] - t[2]) for p, t in zip(predicted, truth, strict=True)]))


def mean_image_distance(predicted: list[Floats], truth: list[Floats]) -> float:
    return mean_distance([p[:2] for p in predicted], [t[:2] for t in truth])


def stress(predicted: list[Floats], truth: list[Floats]) -> float:
    pairs = list(combinations(range(len(truth)), 2))
    return sum(
        abs(dist(truth[i], truth[j]) - dist(predicted[i], predicted[j])) for i, j in pairs
    ) / len(pairs)


def closer_mirrored(predicted: list[Floats], truth: list[Floats]) -> float:
    own = mean_distance(predicted, truth)
    return 100.0 if mean_distance([p * (1, 1, -1) for p in predicted], truth) < own else 0.0


LOOPS: dict[str, FrameLoop] = {
    "relative_norm": relative_norm,
    "mean_distance": mean_distance,
    "mean_depth_distance": mean_depth_distance,
    "mean_image_distance": mean_image_distance,
    "stress": stress,
    "closer_mirrored": closer_mirrored,
}


def sample(masked: bool) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(5)
    weights = np.ones((20, 6))
    if masked:
        weights[:, 2:] = rng.random((20, 4)) < 0.5
    predicted, truth = rng.standard_normal((2, 20, 6, 3))
    return predicted, truth, weights


def test_every_metric_has_a_loop() -> None:
    assert METRICS.keys() == LOOPS.keys()
    units = {m.name: m.unit for m in BUILTIN_METRICS if m.unit != "length"}
    assert units == {"relative_norm": "ratio", "closer_mirrored": "percent"}
    assert all(m.description for m in BUILTIN_METRICS)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("metric", BUILTIN_METRICS, ids=lambda m: m.name)
def test_metric_matches_its_loop(metric: Metric, masked: bool) -> None:
    predicted, truth, weights = sample(masked)
    expected = [
        LOOPS[metric.name](list(p[w > 0]), list(t[w > 0]))
        for p, t, w in zip(predicted, truth, weights, strict=True)
    ]
    errors = metric.errors(predicted, truth, weights)
    assert errors.shape == (20,)
    np.testing.assert_allclose(errors, expected, rtol=1e-12)


@pytest.mark.parametrize("metric", BUILTIN_METRICS, ids=lambda m: m.name)
def test_the_truth_has_no_error(metric: Metric) -> None:
    _, truth, weights = sample(masked=True)
    np.testing.assert_array_equal(metric.errors(truth, truth, weights), 0.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relative_norm", 3.0),
        ("mean_distance", 7.5),
        ("mean_depth_distance", 6.0),
        ("mean_image_distance", 4.5),
        ("stress", 15),
    ],
)
def test_values_by_hand(name: str, expected: float) -> None:
    truth = np.array([[[0.0, 0.0, 0.0], [3.0, 0.0, 4.0]]])
    predicted = np.array([[[0.0, 0.0, 0.0], [12.0, 0.0, 16.0]]])
    assert METRICS[name].errors(predicted, truth, np.ones((1, 2))) == pytest.approx([expected])
