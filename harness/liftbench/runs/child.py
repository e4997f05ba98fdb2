"""The child process of a fit: it holds 2D points and a method, never the ground truth.

`liftbench.runs.process` starts it as `python -m liftbench.runs.child FOLDER`. The folder holds
`task.json` and the observations; the child writes `outcome.json` and `predictions.npz`. One fit
may serve several runs, which differ in the observations that they predict from.
"""

from __future__ import annotations

import copy
import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from liftbench.files import write_atomic
from liftbench.plugin.registry import Registry, load_registry
from liftbench.plugin.specs import Method, RunContext
from liftbench.runs.exchange import (
    STATE_FILE,
    ChildOutcome,
    PredictionReport,
    Task,
    digest,
    read_observations,
    read_truth,
    save_reconstructions,
)
from liftbench.runs.fits.generators import remember_generators, seed_generators
from liftbench.runs.fits.predict import Snapshots, predict_and_check
from liftbench.runs.fits.run_time import measure_run_times
from liftbench.runs.fits.states import make_method, restore_state, restored_teachers, save_state
from liftbench.types import Reconstruction

_CURVE_POINTS = 200
_WRITE_SECONDS = 0.25
_TRACE_LINES = 20


@dataclass
class _Progress:
    """Reports the progress of the training to the parent process and keeps a thinned curve."""

    path: Path
    curve: list[tuple[int, int, float]] = field(default_factory=list)
    written: float = 0.0

    def __call__(self, step: int, steps: int, loss: float) -> None:
        point = (int(step), int(steps), float(loss))
        if not self.curve or step - self.curve[-1][0] >= steps / _CURVE_POINTS or step == steps:
            self.curve.append(point)
        if time.monotonic() - self.written >= _WRITE_SECONDS:
            self.path.write_text(json.dumps(point), encoding="utf-8")
            self.written = time.monotonic()


def main(folder: Path) -> None:
    """Run the task of `folder` and write its outcome."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    outcome = do_task(folder)
    write_atomic(folder / "outcome.json", json.dumps(outcome).encode())


def do_task(folder: Path) -> ChildOutcome:
    """Run the task of `folder` and return its outcome, whatever the method does."""
    task: Task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    progress = _Progress(folder / "progress.json")
    try:
        outcome = _fit_and_predict(folder, task, progress)
    except BaseException as error:  # noqa: BLE001 a method may raise anything, SystemExit too
        traceback.print_exc()
        outcome = {"status": _status_of(error), "error": _message(error)}
    outcome["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    outcome["curve"] = [point for point in progress.curve if np.isfinite(point[2])]
    return outcome


def _die_with_parent() -> None:
    """End this process when the parent's end of standard input closes: the parent has died."""
    os.read(0, 1)  # not sys.stdin, whose lock a waiting thread would hold at exit
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # with all that the method has started
    os._exit(1)


def _fit_and_predict(folder: Path, task: Task, progress: _Progress) -> ChildOutcome:
    device = _prepare_torch(task["device"], task["threads"])
    seed_generators(task["seed"])
    registry = load_registry(map(Path, task["plugin_files"]))
    spec = registry.methods[task["method"]]
    method = make_method(spec, task["params"])
    snapshots = Snapshots(folder, [name for names in task["evaluate"] for name in names])
    context = replace(
        _context(folder, task, registry, device, progress),
        truth=read_truth(folder / "truth.npz") if spec.capabilities.supervised else None,
        extra=read_observations(folder / "extra.npz") if task["extra"] else None,
        snapshot=snapshots,
    )
    start = time.perf_counter()
    if task["restore"]:
        restore_state(method, task["restore"], context)
    else:
        method.fit(read_observations(folder / "fit.npz"), context)
    fitted = time.perf_counter()
    if task["keep"]:
        save_state(method, folder / STATE_FILE)
    reports: dict[str, PredictionReport] = {}
    predictions: dict[str, Reconstruction] = {}
    copies = _copies_of(method, len(task["evaluate"]))
    for names, fitted_method in zip(task["evaluate"], copies, strict=True):
        for name in names:
            reports[name] = _predict(fitted_method, folder, name, predictions)
        # Last, since a call may change what a method predicts next.
        for name in names if task["timed"] else ():
            if name in predictions:
                reports[name] |= _time(fitted_method, folder, name)
    save_reconstructions(folder / "predictions.npz", predictions)
    return {
        "status": "ok",
        "fit_seconds": fitted - start - snapshots.seconds,
        "predicted": reports,
        "execution": {"device": device, "threads": task["threads"]},
    }


def _context(
    folder: Path, task: Task, registry: Registry, device: str, progress: _Progress
) -> RunContext:
    """Return the context of a method, and of its teachers, which see nothing that it alone sees."""
    scratch = folder / "method"
    scratch.mkdir(exist_ok=True)
    context = RunContext(
        seed=task["seed"],
        device=device,
        threads=task["threads"],
        budget_s=task["budget_s"],
        scratch=scratch,
        progress=progress,
    )
    return replace(context, fitted=restored_teachers(task["teachers"], registry, context))


def _copies_of(method: Method, runs: int) -> Iterator[Method]:
    """Yield the fitted method for each run, as if the run were the only one.

    Every run but the last gets a copy. Before each run the global random generators are set back
    to their state after the fit, so a run that shares its fit predicts the same as it would alone.
    A method that cannot be copied serves all runs itself.
    """
    set_back = remember_generators()
    for left in reversed(range(runs)):
        set_back()
        yield _copy_of(method) if left else method


def _copy_of(method: Method) -> Method:
    try:
        return copy.deepcopy(method)
    except Exception:  # noqa: BLE001 a method may hold anything
        return method


def _predict(
    method: Method, folder: Path, name: str, predictions: dict[str, Reconstruction]
) -> PredictionReport:
    """Add one prediction to `predictions`; report its seconds and digest, or why there is none."""
    start = time.perf_counter()
    try:
        prediction = predict_and_check(method, read_observations(folder / f"{name}.npz"))
    except BaseException as error:  # noqa: BLE001 a method may raise anything, SystemExit too
        return _failure(error)
    predictions[name] = prediction
    return {"seconds": time.perf_counter() - start, "digest": digest(prediction)}


def _time(method: Method, folder: Path, name: str) -> PredictionReport:
    """Report the run times of one of the observations, or why there are none."""
    try:
        return {"timings": measure_run_times(method, read_observations(folder / f"{name}.npz"))}
    except BaseException as error:  # noqa: BLE001 a method may raise anything, SystemExit too
        return _failure(error)


def _failure(error: BaseException) -> PredictionReport:
    """Report an error with the end of its trace."""
    trace = traceback.format_exc().splitlines()[-_TRACE_LINES:]
    return {"status": _status_of(error), "error": "\n".join([_message(error), *trace])}


def _message(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _prepare_torch(device: str, threads: int) -> str:
    """Set threads and determinism, and return the device that `auto` means here."""
    import torch

    torch.set_num_threads(threads)
    # Like use_deterministic_algorithms, which takes a second to set up the compiler.
    torch.set_deterministic_debug_mode("warn")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def _status_of(error: BaseException) -> Literal["failed", "out_of_memory"]:
    """Return the status of a run that an error ended; torch has its own types of memory errors."""
    memory = (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "can't allocate memory" in str(error)
    )
    return "out_of_memory" if memory else "failed"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)  # a thread that the method left behind must not keep a finished run waiting
