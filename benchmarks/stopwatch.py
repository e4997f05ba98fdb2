"""Measures how long a call takes."""

from __future__ import annotations

import time
from collections.abc import Callable


def wall_seconds(work: Callable[[], object]) -> float:
    """Return the seconds that a call of `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def wall_and_cpu_seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a call of `work` takes, by the clock and in CPU time."""
    start = time.process_time()
    passed = wall_seconds(work)
    return passed, time.process_time() - start
