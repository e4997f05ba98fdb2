"""The training loop that learned methods share."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from liftbench import RunContext
from liftbench_plugins.learned.optimiser import MuonAndAdam, Optimiser

_CHECKPOINT_SECONDS = 60.0
# The loss is read only every so many steps: on a GPU every reading waits for the device.
_REPORT_EVERY = 10


@dataclass(frozen=True)
class Schedule:
    """A learning rate that falls from its start to its end along half a cosine.

    Attributes:
        steps: optimisation steps.
        batch_size: frames per step; all frames where there are fewer.
        learning_rate: of the first step.
        final_rate: to which the rate falls.
    """

    steps: int
    batch_size: int
    learning_rate: float
    final_rate: float = 0.0

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        share = 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return self.final_rate + (self.learning_rate - self.final_rate) * share


@dataclass(frozen=True)
class SteppedSchedule(Schedule):
    """A learning rate that falls to a tenth at some steps.

    Attributes:
        drops: the numbers of the first steps with the smaller rates.
    """

    drops: tuple[int, ...] = ()

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        return self.learning_rate * 0.1 ** sum(step >= drop for drop in self.drops)


def steps_per_epoch(frames: int, batch_size: int) -> int:
    """Return how many steps of whole batches visit the frames once."""
    return frames // min(batch_size, frames)


BatchLoss = Callable[[Tensor, torch.Generator], Tensor]


def train(
    network: nn.Module,
    batch_loss: BatchLoss,
    frames: int,
    schedule: Schedule,
    context: RunContext,
    optimiser: Optimiser | None = None,
) -> None:
    """Minimise `batch_loss` over the parameters of `network`.

    Every epoch visits the frames in a new order that depends on the seed alone. The state is saved
    to the scratch folder about once a minute; a run that was killed continues from there to the
    same result. A checkpoint of another configuration is ignored. The training stops when its
    budget is used up. The log says so of both.

    Args:
        network: is trained in place, on its device.
        batch_loss: returns the loss of frame indices (B,) on that device; its second argument is a
            generator on the CPU that is new in every step.
        frames: number of frames F.
        schedule: steps, batch size and learning rate.
        context: seed, device, budget, scratch folder and progress.
        optimiser: of the network's parameters; None: `MuonAndAdam`.

    Raises:
        FloatingPointError: the loss is not finite.
    """
    optimiser = optimiser or MuonAndAdam(network)
    configuration = f"{schedule}, {frames} frames, seed {context.seed}"
    checkpoint = _Checkpoint(context.scratch / "checkpoint.pt", network, optimiser, configuration)
    deadline = time.monotonic() + context.budget_s
    batches = _Batches(frames, schedule.batch_size, context)
    for step in range(checkpoint.load(), schedule.steps):
        optimiser.zero_grad()
        loss = batch_loss(batches[step], batches.generator(step))
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step(schedule.rate(step))
        if step % _REPORT_EVERY and step + 1 < schedule.steps:
            continue
        context.progress(step + 1, schedule.steps, _finite(loss, step + 1, schedule))
        if time.monotonic() > deadline:
            print(f"stopped at step {step + 1} of {schedule.steps}: the time budget is used up")
            return
        checkpoint.save_now_and_then(step + 1)


def _finite(loss: Tensor, step: int, schedule: Schedule) -> float:
    value = float(loss.detach())
    if not math.isfinite(value):
        raise FloatingPointError(
            f"the loss became {value} by step {step}; lower learning_rate "
            f"({schedule.learning_rate:g})"
        )
    return value


class Stages:
    """The contexts of successive trainings, which share one time budget and one count of steps.

    Args:
        context: the context of the run.
        steps: the total of all trainings that are certain to happen.
    """

    def __init__(self, context: RunContext, steps: int) -> None:
        self.context, self.steps = context, steps
        self.deadline = time.monotonic() + context.budget_s
        self.number, self.done = 0, 0

    def begin(self, steps: int) -> RunContext:
        """Return the context of the next training, with its own scratch folder."""
        scratch = self.context.scratch / f"stage{self.number}"
        scratch.mkdir(exist_ok=True)
        context = replace(
            self.context,
            budget_s=self.deadline - time.monotonic(),
            scratch=scratch,
            progress=partial(self._report, self.done),
        )
        self.number += 1
        self.done += steps
        return context

    def _report(self, done: int, step: int, _steps: int, loss: float) -> None:
        self.context.progress(done + step, self.steps, loss)


class _Batches:
    """Frame indices and random draws of each step, a pure function of seed and step."""

    def __init__(self, frames: int, batch_size: int, context: RunContext) -> None:
        self.frames, self.context = frames, context
        self.size, self.per_epoch = min(batch_size, frames), steps_per_epoch(frames, batch_size)
        self.epoch, self.order = -1, torch.empty(0)

    def __getitem__(self, step: int) -> Tensor:
        epoch, batch = divmod(step, self.per_epoch)
        if epoch != self.epoch:
            generator = torch.Generator().manual_seed(self.context.seed * 1_000_003 + epoch)
            order = torch.randperm(self.frames, generator=generator)
            self.epoch, self.order = epoch, order.to(self.context.device)
        return self.order[batch * self.size : (batch + 1) * self.size]

    def generator(self, step: int) -> torch.Generator:
        """Return the generator for the other random draws of a step."""
        return torch.Generator().manual_seed((self.context.seed + 1) * 1_000_000_007 + step)


class _Checkpoint:
    """Network, optimiser and step in one file that is whole or absent."""

    def __init__(
        self, path: Path, network: nn.Module, optimiser: Optimiser, configuration: str
    ) -> None:
        self.path, self.network, self.optimiser = path, network, optimiser
        shapes = {name: list(part.shape) for name, part in network.state_dict().items()}
        self.configuration = f"{configuration}, {type(optimiser).__name__}, {shapes}"
        self.saved = time.monotonic()

    def load(self) -> int:
        """Restore the state, if there is one, and return the step to continue from."""
        if not self.path.exists():
            return 0
        try:
            state = torch.load(self.path, weights_only=True)
        except Exception:  # noqa: BLE001 torch raises many kinds of errors for a damaged file
            state = None
        # Before anything is restored: a network must not keep half of another one.
        if not isinstance(state, dict) or state.get("configuration") != self.configuration:
            what = "is damaged" if state is None else "is of another configuration"
            print(f"{self.path.name} {what}: the training begins anew")
            return 0
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        return int(state["step"])

    def save_now_and_then(self, step: int) -> None:
        """Write the state if it was last written a while ago."""
        if time.monotonic() - self.saved < _CHECKPOINT_SECONDS:
            return
        part = self.path.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "step": step,
                "configuration": self.configuration,
            },
            part,
        )
        part.replace(self.path)
        self.saved = time.monotonic()
