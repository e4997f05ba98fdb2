"""Live progress of runs: a moving display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

_PLAIN_SECONDS = 15.0


class Display(Protocol):
    """Shows which runs are under way; `run` is a run's key, or names the fit of a teacher."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the display."""

    def plan(self, runs: int) -> None:
        """Say how many runs there will be."""

    def start(self, run: str, title: str, *, is_run: bool = True) -> None:
        """Say that a run begins, or another fit, which does not count."""

    def update(self, run: str, step: int, steps: int, loss: float) -> None:
        """Say how far a run is."""

    def finish(self, run: str, status: str, text: str) -> None:
        """Say how a run ended."""

    def note(self, text: str) -> None:
        """Say one line that belongs to no run."""


def make_display() -> Display:
    """Return the display that suits standard error."""
    return LiveDisplay() if sys.stderr.isatty() else PlainDisplay()


class LiveDisplay:
    """A bar for each run under way, with its step, loss and time left; for terminals."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[detail]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}
        self._titles: dict[str, str] = {}
        self._no_runs: set[str] = set()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def plan(self, runs: int) -> None:
        """Show the bar over all runs."""
        self._tasks[""] = self._progress.add_task("all runs", total=runs, detail=f"0/{runs}")

    def start(self, run: str, title: str, *, is_run: bool = True) -> None:
        """Show a bar for a run or another fit."""
        self._titles[run] = title
        if not is_run:
            self._no_runs.add(run)
        self._tasks[run] = self._progress.add_task(escape(title), total=None, detail="starting")

    def update(self, run: str, step: int, steps: int, loss: float) -> None:
        """Move a run's bar."""
        detail = f"step {step}/{steps} loss {loss:.4g}"
        self._progress.update(self._tasks[run], completed=step, total=steps, detail=detail)

    def finish(self, run: str, status: str, text: str) -> None:
        """Replace a run's bar by a line."""
        self._progress.remove_task(self._tasks.pop(run))
        self.note(f"{self._titles[run]}: {status} {text}")
        if run in self._no_runs:
            return
        total = self._tasks[""]
        self._progress.advance(total)
        task = self._progress.tasks[self._progress.task_ids.index(total)]
        self._progress.update(total, detail=f"{task.completed:.0f}/{task.total:.0f}")

    def note(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(escape(text))


class PlainDisplay:
    """One line when a run starts, when it ends, and every 15 seconds between; for logs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._titles: dict[str, str] = {}
        self._started: dict[str, float] = {}
        self._printed: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def plan(self, runs: int) -> None:
        """Print how many runs there are."""
        self.note(f"{runs} runs to do")

    def start(self, run: str, title: str, *, is_run: bool = True) -> None:  # noqa: ARG002
        """Print that a run or another fit begins."""
        self._titles[run] = title
        self._started[run] = self._printed[run] = time.monotonic()
        self.note(f"{title}: started")

    def update(self, run: str, step: int, steps: int, loss: float) -> None:
        """Print how far a run is, not too often."""
        now = time.monotonic()
        if now - self._printed[run] < _PLAIN_SECONDS:
            return
        self._printed[run] = now
        left = (now - self._started[run]) * (steps - step) / max(step, 1)
        self.note(f"{self._titles[run]}: step {step}/{steps} loss {loss:.4g}, {left:.0f} s left")

    def finish(self, run: str, status: str, text: str) -> None:
        """Print how a run ended."""
        seconds = time.monotonic() - self._started[run]
        self.note(f"{self._titles[run]}: {status} {text} ({seconds:.1f} s)")

    def note(self, text: str) -> None:
        """Print a line."""
        with self._lock:
            print(text, file=sys.stderr, flush=True)
