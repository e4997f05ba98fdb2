"""Does the runs of a plan that the store lacks, several fits at once."""

from __future__ import annotations

import contextlib
import shutil
import signal
import threading
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from joblib import Parallel, delayed

from liftbench.errors import UserError
from liftbench.protocols.protocol import Protocol
from liftbench.runs.bench import Bench
from liftbench.runs.environment import environment
from liftbench.runs.execute import execute
from liftbench.runs.fits.kept import KeptFits
from liftbench.runs.missing import PlannedRun, Rerun, group_by_fit, missing_runs
from liftbench.runs.plan import Plan
from liftbench.runs.process import CancelledRunError, OnProgress
from liftbench.runs.progress import Display
from liftbench.runs.store import RunRecord, RunResult, RunSpec, Store, summary
from liftbench.runs.take_over import take_over


def run_plan(
    plan: Plan, bench: Bench, store: Store, display: Display, *, jobs: int, rerun: Rerun
) -> bool:
    """Do the missing runs of a plan; return False if the user stopped it before the end.

    Runs that differ only in what they predict from share one fit. One Ctrl-C is enough: child
    processes under way are ended at once, and the store stays whole.
    """
    protocols = [bench.registry.protocols[name] for name in plan.suite.protocols]
    missing = missing_runs(plan, store, rerun)
    fits = KeptFits(
        store,
        renew={run.spec.fit_key for run in missing if store.record_path(run.spec.key).exists()},
        current=rerun == "stale",
        watch=partial(_watch, display),
        note=display.note,
    )
    worker = _Worker(bench, store, display, protocols, rerun, fits)
    groups = sorted(group_by_fit(missing), key=lambda runs: bool(runs[0].spec.teachers))
    with display, _cancel_on_interrupt(bench.cancel):
        display.plan(len(missing))
        Parallel(n_jobs=jobs, backend="threading")(delayed(worker.do_fit)(runs) for runs in groups)
    return not bench.cancel.is_set()


@contextlib.contextmanager
def _watch(display: Display, spec: RunSpec) -> Iterator[OnProgress]:
    """Show the fit of a teacher, which is no run."""
    key = f"teacher {spec.fit_key}"
    names = (spec.method["key"], spec.dataset["key"], spec.dataset["subset"])
    display.start(key, f"teacher {' '.join(names)} seed {spec.seed}", is_run=False)
    try:
        yield partial(display.update, key)
    finally:
        display.finish(key, "ended", "")


@dataclass(frozen=True)
class _Worker:
    """Does fits with their runs; several threads share one worker."""

    bench: Bench
    store: Store
    display: Display
    protocols: Sequence[Protocol]
    rerun: Rerun
    fits: KeptFits

    def do_fit(self, runs: Sequence[PlannedRun]) -> None:
        """Take over the runs of one fit from other suites, and fit once for the others."""
        if self.bench.cancel.is_set():
            return
        left = [run for run in runs if not self._is_taken_over(run)]
        if left:
            self._execute(left)

    def _is_taken_over(self, run: PlannedRun) -> bool:
        """Take over a run if another suite has it; return whether that succeeded."""
        taken = take_over(self.bench, self.store, run.spec, self.protocols, self.rerun)
        if taken is None:
            return False
        text = f"taken over from suite {taken.suite}: {summary(taken.record)}"
        self.display.start(run.spec.key, run.title)
        self.display.finish(run.spec.key, taken.record.status, text)
        return True

    def _execute(self, runs: Sequence[PlannedRun]) -> None:
        """Fit, predict and store; the progress of the fit is shown under the first run."""
        first, *others = runs
        key = first.spec.key
        self.display.start(key, first.title)
        try:
            with self.fits.claim_own(self.bench, first.spec):
                results = self._results([run.spec for run in runs])
        except CancelledRunError:
            self.display.finish(key, "stopped", "")
            return
        for run in others:
            self.display.start(run.spec.key, run.title)
        for result in results:
            record = result.record
            self.display.finish(record.spec.key, record.status, summary(record))

    def _results(self, specs: Sequence[RunSpec]) -> list[RunResult]:
        """Return the results of the runs of one fit, which are stored already."""
        scratch = self.store.scratch(specs[0].fit_key)
        show = partial(self.display.update, specs[0].key)
        try:
            results = execute(self.bench, specs, scratch, self.protocols, show, self.fits)
        except CancelledRunError:
            raise
        except Exception as error:  # noqa: BLE001 a dataset plugin may raise anything
            results = [RunResult(_failed_record(spec, error)) for spec in specs]
        for result in results:
            self.store.write_result(result)
        shutil.rmtree(scratch, ignore_errors=True)
        return results


def _failed_record(spec: RunSpec, error: Exception) -> RunRecord:
    message = str(error)
    if not isinstance(error, UserError):
        message = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    return RunRecord(spec=spec, status="failed", error=message, environment=environment())


@contextlib.contextmanager
def _cancel_on_interrupt(cancel: threading.Event) -> Iterator[None]:
    """Set `cancel` at Ctrl-C instead of raising KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: cancel.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
