"""How learned methods are trained; without torch, so that listing plugins is quick."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StartSchedule:
    """Several random starts, of which the best is trained to the end.

    Attributes:
        starts: how many random starts are trained for `start_steps`; the best of them goes on,
            which needs no truth to be told.
        start_steps: optimisation steps of each start.
        steps: optimisation steps of the one that goes on.
        batch_size: frames a step.
        learning_rate: at the first step of each training; it falls to zero along a cosine.
    """

    starts: int = 3
    start_steps: int = 500
    steps: int = 5_000
    batch_size: int = 128
    learning_rate: float = 6e-3

    def __post_init__(self) -> None:
        for name in ("starts", "start_steps", "steps", "batch_size", "learning_rate"):
            require_positive(name, getattr(self, name))


def require_positive(name: str, value: float) -> None:
    """Raise ValueError unless a parameter is positive."""
    if not value > 0:
        raise ValueError(f"{name}: expected a positive number, got {value}")


def require_not_negative(name: str, value: float) -> None:
    """Raise ValueError where a parameter is negative."""
    if not value >= 0:
        raise ValueError(f"{name}: expected 0 or more, got {value}")


def require_one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise ValueError unless a parameter is one of the choices."""
    if value not in choices:
        expected = " or ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name}: expected {expected}, got {value!r}")
