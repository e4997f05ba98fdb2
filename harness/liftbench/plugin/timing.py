"""How long the parts of a prediction take."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

WHOLE = "whole"
"""The name under which `measure_parts` returns the time of the whole call."""
_PARTS: ContextVar[dict[str, float] | None] = ContextVar("parts", default=None)


@contextmanager
def time_part(name: str) -> Iterator[None]:
    """Mark what is done inside as a part of a prediction, whose run time is reported by its name.

    It does nothing unless run times are measured; then it waits for the GPU before each look at
    the clock.
    """
    if (parts := _PARTS.get()) is None:
        yield
        return
    start = _now()
    yield
    parts[name] = parts.get(name, 0.0) + _now() - start


def measure_parts(call: Callable[[], object]) -> Mapping[str, float]:
    """Return the milliseconds of every part that a call marks, and those of the whole call."""
    parts: dict[str, float] = {}
    token = _PARTS.set(parts)
    try:
        start = _now()
        call()
        parts[WHOLE] = _now() - start
    finally:
        _PARTS.reset(token)
    return parts


def _now() -> float:
    """Return the clock in milliseconds, after all work that was given to a GPU."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return 1000 * time.perf_counter()
