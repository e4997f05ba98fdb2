"""Methods that misbehave, each in its own way; see `tiny` for the dataset."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from liftbench import (
    Capabilities,
    MethodSpec,
    Observations,
    Reconstruction,
    RunContext,
    hookimpl,
)

Predict = Callable[[Observations], object]


@dataclass(frozen=True)
class NoParams:
    pass


@dataclass(frozen=True)
class FileParams:
    file: str


class Bad:
    """Misbehaves in `predict`."""

    def __init__(self, predict: Predict) -> None:
        self._predict = predict

    def fit(self, observations: Observations, context: RunContext) -> None:
        pass

    def predict(self, observations: Observations) -> Any:
        return self._predict(observations)


class RaisesInFit(Bad):
    def __init__(self) -> None:
        super().__init__(lambda _: None)

    def fit(self, observations: Observations, context: RunContext) -> None:
        raise RuntimeError("cannot fit this")


class LeavesGrandchild(RaisesInFit):
    """Writes the process id of a process that would outlive it, and ends well."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = Path(file)

    def fit(self, observations: Observations, context: RunContext) -> None:
        sleeper = subprocess.Popen([sys.executable, "-ISc", "import time; time.sleep(600)"])
        self.file.write_text(str(sleeper.pid), encoding="utf-8")

    def predict(self, observations: Observations) -> Reconstruction:
        return Reconstruction(np.pad(observations.points_2d, ((0, 0), (0, 0), (0, 1))))


def wrong_shape(observations: Observations) -> Reconstruction:
    return Reconstruction(np.ones((observations.frames, 4, 3)))


def not_finite(observations: Observations) -> Reconstruction:
    points_3d = np.ones((*observations.points_2d.shape[:2], 3))
    points_3d[1, 0, 0] = np.nan
    return Reconstruction(points_3d)


def wrong_type(observations: Observations) -> object:
    return np.ones((*observations.points_2d.shape[:2], 3))


def exits_at_once(observations: Observations) -> object:
    print("last words", flush=True)
    os._exit(3)


def kills_itself(observations: Observations) -> object:
    os.kill(os.getpid(), signal.SIGKILL)
    return None


def calls_exit(observations: Observations) -> object:
    sys.exit(0)


def takes_memory(observations: Observations) -> object:
    """Take memory until the limit ends it; without a limit, fail after 3 GiB."""
    held = []
    for _ in range(48):
        held.append(np.ones(2**23))  # 64 MiB
        time.sleep(0.05)
    raise RuntimeError(f"took {len(held)} blocks and lives")


def memory_error(observations: Observations) -> object:
    raise MemoryError("refused")


def collapsed(observations: Observations) -> Reconstruction:
    return Reconstruction(np.full((*observations.points_2d.shape[:2], 3), 7.0))


def hangs(observations: Observations) -> object:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)


@hookimpl
def liftbench_methods() -> Sequence[MethodSpec]:
    once = Capabilities(seeded=False)
    bad = (
        wrong_shape,
        not_finite,
        wrong_type,
        exits_at_once,
        kills_itself,
        calls_exit,
        takes_memory,
        memory_error,
        collapsed,
        hangs,
    )
    return [
        *(
            MethodSpec(f.__name__, "Bad", "tests", partial(Bad, f), NoParams, capabilities=once)
            for f in bad
        ),
        MethodSpec("raises", "Bad", "tests", RaisesInFit, NoParams, capabilities=once),
        MethodSpec("orphan", "Bad", "tests", LeavesGrandchild, FileParams, capabilities=once),
    ]
