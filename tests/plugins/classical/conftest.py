"""Fixtures and functions that the tests of classical methods share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from liftbench import MethodSpec, Observations, Reconstruction, RunContext

Solve = Callable[..., Reconstruction]
"""`solve(spec, observations, seed=0, **params)` returns what the spec's method reconstructs."""


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    return RunContext(0, "cpu", 1, 60.0, tmp_path, lambda *_: None)


@pytest.fixture
def solve(tmp_path: Path) -> Solve:
    def run(
        spec: MethodSpec, observations: Observations, *, seed: int = 0, **params: Any
    ) -> Reconstruction:
        method = spec.make(**params)
        method.fit(observations, RunContext(seed, "cpu", 1, 60.0, tmp_path, lambda *_: None))
        return method.predict(observations)

    return run


def message_of(caught: pytest.ExceptionInfo[ValueError]) -> str:
    """Return the message of an error, which must be one line."""
    message = str(caught.value)
    assert "\n" not in message
    return message
