"""How learned methods are trained; without torch, so that listing plugins is quick."""

from __future__ import annotations

from dataclasses import dataclass

from liftbench.plugin.param_checks import require_positive


@dataclass(frozen=True, kw_only=True)
class StartSchedule:
    """Several random starts, of which the best is trained to the end.

    Attributes:
        starts: how many random starts are trained for `start_steps`; the best of them is trained
            further. It is found without the truth.
        start_steps: optimisation steps of each start.
        steps: further optimisation steps of the best start.
        batch_size: frames per step.
        learning_rate: of the first step of each training; it falls to zero along a cosine.
    """

    starts: int = 3
    start_steps: int = 500
    steps: int = 5_000
    batch_size: int = 128
    learning_rate: float = 6e-3

    def __post_init__(self) -> None:
        for name in ("starts", "start_steps", "steps", "batch_size", "learning_rate"):
            require_positive(name, getattr(self, name))
