"""Supervises the child process of a run: time, memory, progress, and how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from liftbench import crops
from liftbench.files import write_atomic
from liftbench.runs.exchange import ChildOutcome, Task
from liftbench.suites.suite import Limits

OnProgress = Callable[[int, int, float], None]
_POLL_SECONDS = 0.1
_GRACE_SECONDS = 3.0
_LOG_LINES = 20

# A training step takes and frees arrays of megabytes. Unless it is set to keep the memory, glibc
# returns it each time and pays for fresh pages, which is a fifth of the step.
_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(4 * 2**30),
}


class CancelledRunError(Exception):
    """The user stopped the harness while the run was under way."""


@dataclass(frozen=True)
class Execution:
    """How runs are executed on this machine; it does not enter a run's key.

    Attributes:
        device: `auto`, `cpu` or `cuda`.
        threads: CPU threads of a run.
        plugin_files: plugins that are not installed.
    """

    device: str = "auto"
    threads: int = 1
    plugin_files: tuple[Path, ...] = ()


def run_child(
    folder: Path, task: Task, limits: Limits, cancel: threading.Event, on_progress: OnProgress
) -> ChildOutcome:
    """Run `task` in a child process and return its outcome.

    Args:
        folder: holds the observations; the child writes its predictions there.
        task: what `liftbench.runs.child` reads.
        limits: wall clock and memory; beyond them the child and its own children are ended.
        cancel: when set, the child is ended and `CancelledRunError` is raised.
        on_progress: called with (step, steps, loss) as the child reports them.
    """
    write_atomic(folder / "task.json", json.dumps(task).encode())
    for stale in ("outcome.json", "progress.json", "predictions.npz"):
        (folder / stale).unlink(missing_ok=True)
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 our own interpreter and module
            [sys.executable, "-m", "liftbench.runs.child", str(folder.resolve())],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_environment(task["threads"], images=task["images"]),
            start_new_session=True,
        )
    try:
        ending, peak = _watch(child, folder, limits, cancel, on_progress)
    finally:
        _end(child)
        if child.stdin:
            child.stdin.close()
    outcome = _read_outcome(folder, child.returncode) if ending is None else ending
    outcome["peak_memory_mib"] = max(peak, outcome.get("peak_memory_mib", 0.0))
    if outcome["status"] != "ok":
        outcome["error"] = "\n".join([outcome["error"], *_log_tail(folder)])
    return outcome


def _environment(threads: int, *, images: bool) -> dict[str, str]:
    """Return the child's environment: ours without the path of the data, plus fixed settings.

    A method that needs images finds the folder of the crops, which all processes share.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LIFTBENCH_")}
    counts = dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads)
    )
    # cuBLAS is deterministic only with a fixed workspace.
    fixed = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", "PYTHONUNBUFFERED": "1"}
    shared = {crops.FOLDER: str(crops.crops_folder().absolute())} if images else {}
    return {**kept, **counts, **_KEEP_MEMORY, **fixed, **shared}


def _watch(
    child: subprocess.Popen[bytes],
    folder: Path,
    limits: Limits,
    cancel: threading.Event,
    on_progress: OnProgress,
) -> tuple[ChildOutcome | None, float]:
    """Wait for the child; return its outcome if it passed a limit, and its peak memory in MiB."""
    start, peak = time.monotonic(), 0.0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_POLL_SECONDS)
            return None, peak
        peak = max(peak, _resident_mib(child.pid))
        with contextlib.suppress(OSError, ValueError):
            on_progress(*json.loads((folder / "progress.json").read_text(encoding="utf-8")))
        if cancel.is_set():
            raise CancelledRunError
        if time.monotonic() - start > limits.seconds:
            error = f"took longer than {limits.seconds:g} s"
            return {"status": "timeout", "error": error}, peak
        if peak > limits.memory_gib * 1024:
            error = f"took more than {limits.memory_gib:g} GiB of memory"
            return {"status": "out_of_memory", "error": error}, peak


def _resident_mib(pid: int) -> float:
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += member.memory_info().rss
    return total / 2**20


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child's whole process group: by SIGTERM, then by SIGKILL."""
    if child.poll() is None:
        _signal_group(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_SECONDS)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _read_outcome(folder: Path, code: int) -> ChildOutcome:
    try:
        outcome: ChildOutcome = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        how = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
        return {"status": "failed", "error": f"the process {how} before it had finished"}
    return outcome


def _log_tail(folder: Path) -> list[str]:
    with (folder / "log.txt").open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - 20_000))
        return log.read().decode(errors="replace").splitlines()[-_LOG_LINES:]
