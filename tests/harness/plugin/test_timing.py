"""Times of the parts of a call, by a clock that the tests move."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from liftbench import time_part
from liftbench.plugin import timing
from liftbench.plugin.timing import WHOLE, measure_parts

Pause = Callable[[float], None]


@pytest.fixture
def pause(monkeypatch: pytest.MonkeyPatch) -> Pause:
    """Return what moves the clock on by milliseconds."""
    now = [1000.0]

    def move(milliseconds: float) -> None:
        now[0] += milliseconds

    monkeypatch.setattr(timing, "_now", lambda: now[0])
    return move


def test_parts_are_added_up_and_lie_within_the_whole(pause: Pause) -> None:
    def call() -> None:
        for _ in range(3):
            with time_part("network"):
                pause(4)
        with time_part("optimisation"):
            pause(8)
        pause(16)

    assert measure_parts(call) == {"network": 12, "optimisation": 8, WHOLE: 36}


def test_the_clock_counts_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([5.0, 5.25])
    monkeypatch.setattr("time.perf_counter", lambda: next(seconds))
    assert measure_parts(lambda: None) == {WHOLE: 250}


def test_marks_do_nothing_unless_times_are_measured(pause: Pause) -> None:
    with time_part("network"):
        pause(4)
    assert measure_parts(lambda: pause(2)) == {WHOLE: 2}


def test_a_call_that_fails_ends_the_measurement(pause: Pause) -> None:
    def fail() -> None:
        with time_part("network"):
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        measure_parts(fail)
    with time_part("network"):
        pause(4)
    assert measure_parts(lambda: pause(2)) == {WHOLE: 2}
