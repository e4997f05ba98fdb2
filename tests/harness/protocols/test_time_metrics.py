"""Means of run times."""

from __future__ import annotations

import pytest

from liftbench.protocols.time_metrics import BUILTIN_TIME_METRICS, TimeMetric
from liftbench.protocols.view_metrics import LackingOutputError

BOTH = TimeMetric("both", ("a", "b"), "of both")


def test_parts_are_added_and_runs_averaged() -> None:
    timings = {"a": [1.0, 2.0, 3.0], "b": [10.0, 20.0, 60.0], "whole": [99.0, 99.0, 99.0]}
    assert BOTH.mean(timings) == pytest.approx(2 + 30)


def test_an_absent_part_is_named_with_those_that_there_are() -> None:
    with pytest.raises(LackingOutputError, match="the part 'b', but it marks a, whole"):
        BOTH.mean({"a": [1.0], "whole": [2.0]})
    with pytest.raises(LackingOutputError, match="the part 'a', but none were measured"):
        BOTH.mean({})


def test_the_total_has_the_parts_of_the_others() -> None:
    *single, total = BUILTIN_TIME_METRICS
    assert total.parts == tuple(part for metric in single for part in metric.parts)
