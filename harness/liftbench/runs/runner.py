"""Runs what a plan asks for and the store lacks, each run in a child process of its own."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
import threading
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from liftbench.corruption import CannotCorruptError
from liftbench.errors import UserError
from liftbench.plugin.registry import Registry
from liftbench.plugin.specs import Capabilities, DatasetAdapter
from liftbench.protocols.protocol import Protocol
from liftbench.runs.environment import environment
from liftbench.runs.exchange import load_reconstructions, save_reconstructions, write_observations
from liftbench.runs.method_params import params_of_task
from liftbench.runs.plan import Plan, make_adapter
from liftbench.runs.process import CancelledRunError, Execution, OnProgress, run_child
from liftbench.runs.progress import Display
from liftbench.runs.scoring import score_record
from liftbench.runs.store import RunRecord, RunSpec, Store
from liftbench.suites.suite import Limits, checked_params
from liftbench.types import Dataset, Observations, Reconstruction

Rerun = Literal["none", "failed", "stale", "all"]
Run = tuple[str, RunSpec]  # with its title
Outcome = tuple[RunRecord, dict[str, Reconstruction]]


@dataclass(frozen=True)
class Bench:
    """What all runs of one command share."""

    registry: Registry
    root: Path
    execution: Execution
    limits: Limits
    cancel: threading.Event

    def adapter(self, spec: RunSpec) -> DatasetAdapter:
        """Return the adapter of the data of a run."""
        return make_adapter(self.registry, spec.dataset["key"], dict(spec.dataset["params"]))

    def load(self, spec: RunSpec, split: str) -> Dataset:
        """Return a split of the data of a run, its observations as they are predicted from."""
        data = self._clean(spec, split)
        return replace(data, observations=self._seen(spec, split, "predict", data.observations))

    def load_fit(self, spec: RunSpec) -> Observations:
        """Return what the method of a run is fitted to."""
        return self._seen(spec, spec.fit, "fit", self._clean(spec, spec.fit).observations)

    def _clean(self, spec: RunSpec, split: str) -> Dataset:
        return self.adapter(spec).load(self.root, spec.dataset["subset"], split)

    def _seen(
        self, spec: RunSpec, split: str, stage: Literal["fit", "predict"], clean: Observations
    ) -> Observations:
        """Return the observations of a split, corrupted as the run asks at a stage."""
        seen = clean
        for key, asked in spec.corruptions(stage).items():
            corruption = self.registry.corruptions[key]
            params = checked_params(f"corruption '{key}'", corruption.params, asked["params"])
            seen = corruption.corrupt(seen, params, spec.dataset, split)
        return seen

    def note(self, spec: RunSpec) -> str:
        """Return how the data of a run differs from the papers' set."""
        return self.adapter(spec).note(self.root, spec.dataset["subset"])


def run_plan(
    plan: Plan, bench: Bench, store: Store, display: Display, *, jobs: int, rerun: Rerun
) -> bool:
    """Run what is missing; return False where the user stopped it before the end.

    Runs that differ only in what they predict from share one fit. A second Ctrl-C is not needed:
    running children are ended at once and the store stays whole.
    """
    protocols = [bench.registry.protocols[name] for name in plan.suite.protocols]
    todo = missing_runs(plan, store, rerun)
    work = _Work(bench, store, display, protocols, rerun)
    with display, _cancel_on_interrupt(bench.cancel):
        display.plan(len(todo))
        Parallel(n_jobs=jobs, backend="threading")(delayed(work.do)(runs) for runs in by_fit(todo))
    return not bench.cancel.is_set()


def missing_runs(plan: Plan, store: Store, rerun: Rerun) -> list[Run]:
    """Return the runs of a plan that the store lacks or that are asked for again."""
    runs = {
        spec.key: (f"{plan.title(cell)} seed {spec.seed}", spec)
        for cell in plan.cells
        for spec in cell.runs
    }
    return [
        run
        for key, run in runs.items()
        if (record := store.read(key)) is None or _asked_again(record, rerun)
    ]


def require_corruptible(plan: Plan, bench: Bench) -> None:
    """Corrupt the data of a plan once by each combination of corruptions.

    Raises:
        CannotCorruptError: the data has not what one needs.
    """
    combinations = {
        (cell.dataset, cell.subset, *spec.corruption): spec
        for cell in plan.cells
        for spec in cell.runs[:1]
        if spec.corruption
    }
    for spec in combinations.values():
        try:
            bench.load(spec, spec.evaluate[0])
        except CannotCorruptError:
            raise
        except Exception:  # noqa: BLE001, S112 what ails the data itself costs its rows alone
            continue


def by_fit(runs: Iterable[Run]) -> list[list[Run]]:
    """Return the runs of each fit."""
    fits: dict[str, list[Run]] = {}
    for title, spec in runs:
        fits.setdefault(spec.fit_key, []).append((title, spec))
    return list(fits.values())


def execute(
    bench: Bench,
    specs: Sequence[RunSpec],
    folder: Path,
    protocols: Iterable[Protocol],
    told: OnProgress,
) -> list[Outcome]:
    """Fit once in `folder` and return the scored record and the predictions of each run.

    Args:
        bench: what the runs share.
        specs: runs of one fit, see `RunSpec.fit_key`.
        folder: where the child process works.
        protocols: to score under.
        told: called with (step, steps, loss) of the fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seen = bench.load_fit(specs[0])
    _show(bench, specs[0], seen, folder / "fit.npz")
    parts = [_part(bench, spec, seen, folder, i) for i, spec in enumerate(specs)]
    asked = [list(part.names.values()) for part in parts if part.names]
    if not asked:
        return [(part.record, {}) for part in parts]
    told_by_child = run_child(
        folder, _task(bench, specs[0], asked), bench.limits, bench.cancel, told
    )
    try:
        made = load_reconstructions(folder / "predictions.npz")
    except (OSError, ValueError) as error:
        made = {}
        if told_by_child["status"] == "ok":
            told_by_child |= {"status": "failed", "error": f"predictions: {error}"}
    return [_scored(bench, protocols, *part.ended(told_by_child, made)) for part in parts]


@dataclass(frozen=True)
class _Part:
    """What one run takes part in a child process with.

    Attributes:
        record: as long as it has not run; it says why where it cannot.
        names: split to the name of the observations that are predicted from; none where it cannot.
    """

    record: RunRecord
    names: dict[str, str]

    def ended(self, told: dict[str, Any], made: dict[str, Reconstruction]) -> Outcome:
        """Return how the run ended, and what it predicted, from what the child told and made."""
        if not self.names:
            return self.record, {}
        shared = {name: told[name] for name in _OF_THE_FIT if name in told}
        curve = tuple((step, steps, loss) for step, steps, loss in told.get("curve", ()))
        record = replace(self.record, curve=curve, **shared)
        said = told.get("predicted", {})
        mine = {split: said[name] for split, name in self.names.items() if name in said}
        for failed in (one for one in mine.values() if "error" in one):
            return replace(record, **failed), {}
        if record.status != "ok":
            return record, {}
        record = replace(
            record,
            predict_seconds=sum(one["seconds"] for one in mine.values()) if mine else None,
            digests={split: one["digest"] for split, one in mine.items()},
        )
        return record, {split: made[name] for split, name in self.names.items()}


_OF_THE_FIT = ("status", "error", "fit_seconds", "peak_memory_mib", "execution")


def _part(bench: Bench, spec: RunSpec, fitted: Observations, folder: Path, number: int) -> _Part:
    """Write what a run predicts from to `folder`, unless its method cannot take it."""
    capabilities = bench.registry.methods[spec.method["key"]].capabilities
    record = RunRecord(
        spec=spec,
        status="skipped",
        environment=environment(),
        limits=bench.limits.model_dump(),
        data_note=bench.note(spec),
    )
    names = {split: f"{split}-{number}" for split in spec.evaluate}
    seen = {name: bench.load(spec, split).observations for split, name in names.items()}
    reasons = [incompatibility(capabilities, one) for one in (fitted, *seen.values())]
    if capabilities.transductive and spec.corruptions("fit") != spec.corruptions("predict"):
        reasons.append("the method can only reconstruct what it was fitted to")
    for reason in filter(None, reasons):
        return _Part(replace(record, error=reason), {})
    for name, observations in seen.items():
        _show(bench, spec, observations, folder / f"{name}.npz")
    return _Part(record, names)


def _show(bench: Bench, spec: RunSpec, observations: Observations, file: Path) -> None:
    """Write to `file` what the method of a run may see."""
    if not bench.registry.methods[spec.method["key"]].capabilities.images:
        observations = replace(observations, images=None)
    write_observations(file, observations)


def _scored(
    bench: Bench,
    protocols: Iterable[Protocol],
    record: RunRecord,
    predictions: dict[str, Reconstruction],
) -> Outcome:
    for protocol in protocols if predictions else ():
        load = partial(bench.load, record.spec)
        record = score_record(record, predictions, load, bench.registry, protocol)
    return record, predictions


def incompatibility(capabilities: Capabilities, observations: Observations) -> str:
    """Return why a method cannot take these observations, or an empty string."""
    if observations.camera not in capabilities.cameras:
        return f"the method has no {observations.camera} camera"
    if not capabilities.missing_points and not observations.visible.all():
        return "the method needs every point to be visible"
    if capabilities.images and observations.images is None:
        return "the method needs images, which are not there"
    if capabilities.needs_sequences and (reason := _disorder(observations.sequence)):
        return f"the method needs sequences of frames in the order of time: {reason}"
    most = capabilities.most_frames
    if most is not None and observations.frames > most:
        return f"the method takes at most {most} frames, there are {observations.frames}"
    return ""


def _disorder(sequence: NDArray[np.int64]) -> str:
    """Return why frames are no sequences in the order of time, as far as their ids (F,) tell."""
    ids, lengths = np.unique(sequence, return_counts=True)
    if np.count_nonzero(np.diff(sequence)) + 1 > len(ids):
        return "frames of different sequences are mixed"
    if single := int((lengths == 1).sum()):
        return f"{single} of {len(ids)} have one frame only"
    return ""


def _task(bench: Bench, spec: RunSpec, asked: list[list[str]]) -> dict[str, Any]:
    method = bench.registry.methods[spec.method["key"]]
    return {
        "method": spec.method["key"],
        "params": params_of_task(method, spec.method["params"]),
        "seed": spec.seed,
        "evaluate": asked,  # names of observations, a list for each run
        "device": bench.execution.device,
        "threads": bench.execution.threads,
        "plugin_files": [str(path.resolve()) for path in bench.execution.plugin_files],
        # A method that heeds its budget still has time to predict before the hard limit.
        "budget_s": 0.9 * bench.limits.seconds,
    }


def _asked_again(record: RunRecord, rerun: Rerun) -> bool:
    if rerun == "all":
        return True
    if rerun == "failed":
        return record.status in ("failed", "timeout", "out_of_memory")
    if rerun == "stale":
        return bool(record.environment.get("packages") != environment()["packages"])
    return False


@dataclass(frozen=True)
class _Work:
    """What all runs of a plan are done with."""

    bench: Bench
    store: Store
    display: Display
    protocols: Sequence[Protocol]
    rerun: Rerun

    def do(self, runs: Sequence[Run]) -> None:
        """Take over the runs of one fit from other suites, fit once for the others, and store."""
        if self.bench.cancel.is_set():
            return
        left = [run for run in runs if not self._take_over(*run)]
        if left:
            self._fit(left)

    def _fit(self, runs: Sequence[Run]) -> None:
        """Run and store; the first run shows the progress of the fit."""
        (title, first), *others = runs
        self.display.start(first.key, title)
        scratch = self.store.scratch(first.fit_key)
        try:
            ended = execute(
                self.bench,
                [spec for _, spec in runs],
                scratch,
                self.protocols,
                lambda *point: self.display.update(first.key, *point),
            )
        except CancelledRunError:
            self.display.finish(first.key, "stopped", "")
            return
        except Exception as error:  # noqa: BLE001 a dataset plugin may raise anything
            ended = [(_failed(spec, error), {}) for _, spec in runs]
        for outcome in ended:
            keep(self.store, *outcome)
        shutil.rmtree(scratch, ignore_errors=True)
        for title, spec in others:
            self.display.start(spec.key, title)
        for record, _ in ended:
            self.display.finish(record.spec.key, record.status, summary(record))

    def _take_over(self, title: str, spec: RunSpec) -> bool:
        """Keep the same run of another suite; return False where none has what can be scored.

        Nor is a run taken over that is asked for again.
        """
        if self.store.record_path(spec.key).exists():
            return False
        for other in self.store.others_with(spec.key):
            try:
                record, predictions = self._of_other(other, spec)
            except Exception:  # noqa: BLE001, S112 what ails another suite's run costs no row of this
                continue
            if all(record.scores.get(protocol.identity) for protocol in self.protocols):
                keep(self.store, record, predictions)
                said = f"taken over from suite {other.folder.name}: {summary(record)}"
                self.display.start(spec.key, title)
                self.display.finish(spec.key, record.status, said)
                return True
        return False

    def _of_other(self, other: Store, spec: RunSpec) -> Outcome:
        """Return another suite's record of a run, scored under the protocols of this one."""
        record = other.read(spec.key)
        if record is None or record.status != "ok" or _asked_again(record, self.rerun):
            raise LookupError
        path = other.predictions_path(spec.key)
        predictions = load_reconstructions(path) if path.exists() else {}
        lacking = [p for p in self.protocols if p.identity not in record.scores]
        return _scored(self.bench, lacking, record, predictions)


def _failed(spec: RunSpec, error: Exception) -> RunRecord:
    told = str(error)
    if not isinstance(error, UserError):
        told = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    return RunRecord(spec=spec, status="failed", error=told, environment=environment())


def keep(store: Store, record: RunRecord, predictions: dict[str, Reconstruction]) -> None:
    """Write a record, after its predictions, so that a record never lacks them.

    Predictions of an earlier run go, lest `score` takes them for those of this one.
    """
    path = store.predictions_path(record.spec.key)
    if predictions:
        save_reconstructions(path, predictions)
    else:
        path.unlink(missing_ok=True)
    store.write(record)


def score_again(
    bench: Bench, store: Store, protocols: Sequence[Protocol]
) -> Iterator[tuple[RunRecord, RunRecord | None]]:
    """Score every stored prediction again and yield the old and the new record.

    The new one is None where the predictions are not kept; such a record stays as it is.
    """
    for record in store.records():
        path = store.predictions_path(record.spec.key)
        if not path.exists():
            yield record, None
            continue
        _require_same_data(bench, record.spec)
        try:
            predictions = load_reconstructions(path)
        except (OSError, ValueError) as error:
            raise UserError(
                f"{path}: no whole predictions ({error}); delete it or do its run again"
            ) from error
        load = partial(bench.load, record.spec)
        note = bench.note(record.spec)
        fresh = replace(record, status="ok", error="", data_note=note)
        scored = fresh
        for protocol in protocols:
            scored = score_record(scored, predictions, load, bench.registry, protocol)
        if scored.status == "ok" or not set(record.scores) - {p.identity for p in protocols}:
            store.write(scored)
        yield record, scored


def summary(record: RunRecord) -> str:
    """Return the scores of a record, or its error's first line."""
    if record.error:
        return record.error.splitlines()[0]
    return ", ".join(
        f"{split} {protocol.split('@')[0]} {score.value:.4f}"
        for protocol, splits in record.scores.items()
        for split, score in splits.items()
    )


@contextlib.contextmanager
def _cancel_on_interrupt(cancel: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: cancel.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class Repetition:
    """A stored run done again; `differences` is empty where both agree bit for bit."""

    record: RunRecord
    predictions: dict[str, Reconstruction]
    differences: tuple[str, ...]


def repeat(bench: Bench, stored: RunRecord) -> Repetition:
    """Run a stored record's spec again, apart from the store, and compare the predictions.

    Raises:
        UserError: the data is not that of the stored run, or the run has no score.
    """
    _require_same_data(bench, stored.spec)
    if not stored.scores:
        raise UserError(
            f"run {stored.spec.key[:12]} is {stored.status}; 'run --rerun failed' does it again"
        )
    protocols = [bench.registry.protocols[identity.split("@")[0]] for identity in stored.scores]
    with tempfile.TemporaryDirectory(prefix="liftbench-") as folder:
        ((record, predictions),) = execute(
            bench, [stored.spec], Path(folder), protocols, lambda *_: None
        )
    return Repetition(record, predictions, tuple(_differences(stored, record)))


def _require_same_data(bench: Bench, spec: RunSpec) -> None:
    dataset = spec.dataset
    if bench.adapter(spec).checksum(bench.root, dataset["subset"]) != dataset["checksum"]:
        raise UserError(
            f"{dataset['key']} {dataset['subset']}: the files under {bench.root} are not those of "
            "the stored run; run the suite again for rows of these files"
        )


def _differences(stored: RunRecord, repeated: RunRecord) -> Iterator[str]:
    if stored.status != repeated.status:
        yield f"status: stored {stored.status}, repeated {repeated.status}"
    for split in sorted({*stored.digests, *repeated.digests}):
        if stored.digests.get(split) != repeated.digests.get(split):
            yield f"{split}: predictions differ in their bits"
    for identity in sorted({*stored.scores} & {*repeated.scores}):
        for split, score in stored.scores[identity].items():
            again = repeated.scores[identity].get(split)
            if again is None or again.value != score.value:
                other = "none" if again is None else repr(again.value)
                yield f"{split} {identity}: stored {score.value!r}, repeated {other}"
