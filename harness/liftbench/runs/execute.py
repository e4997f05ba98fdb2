"""One fit in a child process, from the observations of its runs to their scored records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from liftbench.protocols.protocol import Protocol
from liftbench.runs.bench import Bench
from liftbench.runs.compatibility import incompatibility
from liftbench.runs.environment import environment
from liftbench.runs.exchange import (
    ChildOutcome,
    Task,
    digest,
    load_reconstructions,
    write_observations,
)
from liftbench.runs.firewall import show_at_predict, shows_points, to_data_unit
from liftbench.runs.fits.error_curve import add_error_curve
from liftbench.runs.fits.kept import KeptFits
from liftbench.runs.fits.task import make_task, obstacle_to_fit, on_any_machine, write_lesson
from liftbench.runs.fits.teachers import TeacherError, fit_teachers
from liftbench.runs.process import OnProgress, run_child
from liftbench.runs.scoring import is_run_time, score_result
from liftbench.runs.store import RunRecord, RunResult, RunSpec
from liftbench.types import Observations, Reconstruction


def execute(
    bench: Bench,
    specs: Sequence[RunSpec],
    folder: Path,
    protocols: Sequence[Protocol],
    on_progress: OnProgress,
    fits: KeptFits,
) -> list[RunResult]:
    """Fit once in a child process and return the scored result of each run.

    Args:
        bench: what the runs share.
        specs: runs of one fit, see `RunSpec.fit_key`.
        folder: where the child process works.
        protocols: the protocols to score under.
        on_progress: called with (step, steps, loss) of the fit.
        fits: where teachers are kept; those of the runs are fitted now unless they are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fitted = bench.load_fit(specs[0])
    runs = [_prepare(bench, spec, fitted, folder, i) for i, spec in enumerate(specs)]
    inputs = [list(run.inputs.values()) for run in runs if run.inputs]
    if not inputs:
        return [RunResult(run.record) for run in runs]
    write_lesson(bench, specs[0], fitted, folder)
    task = make_task(bench, specs[0], inputs)
    task["timed"] = any(is_run_time(protocol, bench.registry) for protocol in protocols)
    try:
        teachers = fit_teachers(bench, specs[0], fits)
    except TeacherError as error:
        return [RunResult(run.without_teacher(error)) for run in runs]
    task["teachers"] = [t.copy_state(folder / f"teacher-{i}.pt") for i, t in enumerate(teachers)]
    outcome = _outcome(bench, specs[0], folder, task, on_progress, fits)
    outcome["teachers"] = [teacher.summary() for teacher in teachers]
    predictions = _predictions(folder, outcome)
    results = [score_result(run.result(outcome, predictions), bench, protocols) for run in runs]
    return [
        replace(result, record=add_error_curve(result.record, run.inputs, folder, bench, protocols))
        for run, result in zip(runs, results, strict=True)
    ]


def _outcome(
    bench: Bench,
    spec: RunSpec,
    folder: Path,
    task: Task,
    on_progress: OnProgress,
    fits: KeptFits,
) -> ChildOutcome:
    """Do a task. The fit of a method that can be a teacher is kept, and not done if it was kept."""
    key = spec.fit_key
    if not bench.registry.methods[spec.method["key"]].exposes:
        return run_child(folder, task, bench.limits, bench.cancel, on_progress)
    if key in fits.failures:
        return fits.failures[key].copy()
    kept = fits.find(key)
    task["keep"] = kept is None
    task["restore"] = None if kept is None else kept.copy_state(folder / "kept.pt")
    outcome = run_child(folder, task, bench.limits, bench.cancel, on_progress)
    if kept is None:
        fits.keep_outcome(spec, outcome, folder, bench.limits)
    elif outcome["status"] == "ok":
        outcome |= kept.report.outcome
    return outcome


def _predictions(folder: Path, outcome: ChildOutcome) -> dict[str, Reconstruction]:
    """Read the predictions of a child process; its outcome becomes a failure if that fails."""
    try:
        return load_reconstructions(folder / "predictions.npz")
    except (OSError, ValueError) as error:
        if outcome["status"] == "ok":
            outcome["status"], outcome["error"] = "failed", f"predictions: {error}"
        return {}


@dataclass(frozen=True)
class _PreparedRun:
    """A run before its fit.

    Attributes:
        record: its status is `skipped` as yet; its error says why if the run cannot take part.
        inputs: for each split, the name of the observations to predict from; empty where the run
            cannot take part.
        pictured: the observations of each split, if the method reconstructs in their images.
    """

    record: RunRecord
    inputs: dict[str, str]
    pictured: Mapping[str, Observations] = field(default_factory=dict)

    def without_teacher(self, error: TeacherError) -> RunRecord:
        """Return the record of the run if it cannot have a teacher."""
        return (
            replace(self.record, status=error.status, error=str(error))
            if self.inputs
            else self.record
        )

    def result(self, outcome: ChildOutcome, predictions: Mapping[str, Reconstruction]) -> RunResult:
        """Return the result of the run from the outcome of its child process."""
        if not self.inputs:
            return RunResult(self.record)
        record = _record_of_fit(self.record, outcome)
        reports = outcome.get("predicted", {})
        own = {split: reports[name] for split, name in self.inputs.items() if name in reports}
        for report in own.values():
            if "error" in report:
                return RunResult(replace(record, status=report["status"], error=report["error"]))
        if record.status != "ok":
            return RunResult(record)
        record = replace(
            record,
            predict_seconds=sum(report["seconds"] for report in own.values()) if own else None,
            digests={split: report["digest"] for split, report in own.items()},
            timings={split: r["timings"] for split, r in own.items() if "timings" in r},
        )
        found = {split: predictions[name] for split, name in self.inputs.items()}
        if self.pictured:
            found = {name: to_data_unit(found[name], seen) for name, seen in self.pictured.items()}
            record = replace(record, digests={name: digest(own) for name, own in found.items()})
        return RunResult(record, found)


def _record_of_fit(record: RunRecord, outcome: ChildOutcome) -> RunRecord:
    """Return the record with the status, time and curve of its fit, which other runs may share."""
    return replace(
        record,
        status=outcome["status"],
        error=outcome.get("error", ""),
        fit_seconds=outcome.get("fit_seconds"),
        peak_memory_mib=outcome.get("peak_memory_mib"),
        execution=outcome.get("execution", {}),
        curve=tuple((step, steps, loss) for step, steps, loss in outcome.get("curve", ())),
        environment=outcome.get("environment", record.environment),
        limits=outcome.get("limits", record.limits),
        teachers=tuple(outcome.get("teachers", ())),
    )


def _prepare(
    bench: Bench, spec: RunSpec, fitted: Observations, folder: Path, number: int
) -> _PreparedRun:
    """Write the observations that a run predicts from, unless its method cannot take them."""
    record = RunRecord(
        spec=spec,
        status="skipped",
        environment=environment(),
        limits=bench.limits.model_dump(),
        data_note=bench.note(spec),
    )
    inputs = {split: f"{split}-{number}" for split in spec.evaluate}
    shown = {name: bench.load(spec, split).observations for split, name in inputs.items()}
    if reason := _obstacle(bench, spec, fitted, shown.values()):
        return _PreparedRun(replace(record, error=reason), {})
    capabilities = bench.registry.methods[spec.method["key"]].capabilities
    for name, observations in shown.items():
        write_observations(folder / f"{name}.npz", show_at_predict(capabilities, observations))
    pictured = {split: shown[name] for split, name in inputs.items() if capabilities.images}
    return _PreparedRun(record, inputs, pictured)


def _obstacle(
    bench: Bench, spec: RunSpec, fitted: Observations, shown: Iterable[Observations]
) -> str:
    """Return why the method of a run cannot take its observations, or an empty string."""
    capabilities = bench.registry.methods[spec.method["key"]].capabilities
    if reason := obstacle_to_fit(bench, spec, fitted):
        return reason
    for observations in shown:
        if reason := incompatibility(capabilities, observations, "predict"):
            return on_any_machine(bench, reason)
    other = spec.corruptions("fit") != spec.corruptions("predict") or spec.fit_dataset
    if capabilities.transductive and other:
        return "the method can only reconstruct what it was fitted to"
    if not shows_points(capabilities, "predict") and (unmet := spec.corruptions("predict")):
        return (
            f"{', '.join(unmet)}: the method predicts from images, which stay clean; "
            "'stage: fit' corrupts what it learns from alone"
        )
    return ""
