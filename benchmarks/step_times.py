"""Times training steps of several networks in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

import torch
from torch import Tensor, nn

from liftbench_plugins.learned.optimiser import MuonAndAdam

_ROUNDS, _STEPS = 12, 10


def training_step(network: nn.Module, loss: Callable[[], Tensor]) -> Callable[[], None]:
    """Return a function that makes one step of the optimiser."""
    optimiser = MuonAndAdam(network)

    def step() -> None:
        optimiser.zero_grad()
        torch.autograd.backward(loss())
        optimiser.step(1e-3)

    return step


def median_seconds(steps: Mapping[str, Callable[[], None]]) -> dict[str, float]:
    """Return the median CPU time of each named step; the steps take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(_ROUNDS):
        for name, step in steps.items():
            start = time.process_time()
            for _ in range(_STEPS):
                step()
            seconds[name].append((time.process_time() - start) / _STEPS)
    return {name: median(times[1:]) for name, times in seconds.items()}
