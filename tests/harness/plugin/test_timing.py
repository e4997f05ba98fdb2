"""Times of the parts of a call."""

from __future__ import annotations

import time

import pytest

from liftbench import time_part
from liftbench.plugin.timing import WHOLE, measure_parts

MS = 0.001


def pause(milliseconds: float) -> None:
    time.sleep(milliseconds * MS)


def test_parts_are_added_up_and_lie_within_the_whole() -> None:
    def call() -> None:
        for _ in range(3):
            with time_part("network"):
                pause(4)
        with time_part("optimisation"):
            pause(8)
        pause(16)

    parts = measure_parts(call)
    assert set(parts) == {"network", "optimisation", WHOLE}
    # A pause is never shorter than asked for, but may be longer.
    assert parts["network"] >= 12
    assert parts["optimisation"] >= 8
    assert parts[WHOLE] >= parts["network"] + parts["optimisation"] + 16


def test_marks_do_nothing_unless_times_are_measured() -> None:
    with time_part("network"):
        pass
    assert set(measure_parts(lambda: None)) == {WHOLE}


def test_a_call_that_fails_ends_the_measurement() -> None:
    def fail() -> None:
        with time_part("network"):
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        measure_parts(fail)
    assert set(measure_parts(lambda: None)) == {WHOLE}
