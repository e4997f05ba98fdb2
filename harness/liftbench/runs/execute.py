"""One fit in a child process, from the observations of its runs to their scored records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from liftbench.protocols.protocol import Protocol
from liftbench.runs.bench import Bench
from liftbench.runs.compatibility import incompatibility
from liftbench.runs.environment import environment
from liftbench.runs.exchange import ChildOutcome, Task, load_reconstructions, write_observations
from liftbench.runs.method_params import params_of_task
from liftbench.runs.process import OnProgress, run_child
from liftbench.runs.scoring import score_result
from liftbench.runs.store import RunRecord, RunResult, RunSpec
from liftbench.types import Observations, Reconstruction


def execute(
    bench: Bench,
    specs: Sequence[RunSpec],
    folder: Path,
    protocols: Sequence[Protocol],
    on_progress: OnProgress,
) -> list[RunResult]:
    """Fit once in a child process and return the scored result of each run.

    Args:
        bench: what the runs share.
        specs: runs of one fit, see `RunSpec.fit_key`.
        folder: where the child process works.
        protocols: the protocols to score under.
        on_progress: called with (step, steps, loss) of the fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fitted = bench.load_fit(specs[0])
    _write_input(bench, specs[0], fitted, folder / "fit.npz")
    runs = [_prepare(bench, spec, fitted, folder, i) for i, spec in enumerate(specs)]
    inputs = [list(run.inputs.values()) for run in runs if run.inputs]
    if not inputs:
        return [RunResult(run.record) for run in runs]
    task = _task(bench, specs[0], inputs)
    outcome = run_child(folder, task, bench.limits, bench.cancel, on_progress)
    predictions: dict[str, Reconstruction] = {}
    try:
        predictions = load_reconstructions(folder / "predictions.npz")
    except (OSError, ValueError) as error:
        if outcome["status"] == "ok":
            outcome["status"], outcome["error"] = "failed", f"predictions: {error}"
    results = [run.result(outcome, predictions) for run in runs]
    return [score_result(result, bench, protocols) for result in results]


@dataclass(frozen=True)
class _PreparedRun:
    """A run before its fit.

    Attributes:
        record: its status is `skipped` as yet; its error says why if the run cannot take part.
        inputs: for each split, the name of the observations to predict from; empty where the run
            cannot take part.
    """

    record: RunRecord
    inputs: dict[str, str]

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
        )
        return RunResult(record, {split: predictions[name] for split, name in self.inputs.items()})


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
    if reason := _obstacle(bench, spec, (fitted, *shown.values())):
        return _PreparedRun(replace(record, error=reason), {})
    for name, observations in shown.items():
        _write_input(bench, spec, observations, folder / f"{name}.npz")
    return _PreparedRun(record, inputs)


def _obstacle(bench: Bench, spec: RunSpec, shown: Iterable[Observations]) -> str:
    """Return why the method of a run cannot take its observations, or an empty string."""
    capabilities = bench.registry.methods[spec.method["key"]].capabilities
    for observations in shown:
        if reason := incompatibility(capabilities, observations):
            return reason
    if capabilities.transductive and spec.corruptions("fit") != spec.corruptions("predict"):
        return "the method can only reconstruct what it was fitted to"
    return ""


def _write_input(bench: Bench, spec: RunSpec, observations: Observations, file: Path) -> None:
    """Write what the method of a run may see: images only where it needs them."""
    if not bench.registry.methods[spec.method["key"]].capabilities.images:
        observations = replace(observations, images=None)
    write_observations(file, observations)


def _task(bench: Bench, spec: RunSpec, inputs: list[list[str]]) -> Task:
    """Return the task of a child process; `inputs` has a list of names for each run."""
    method = bench.registry.methods[spec.method["key"]]
    return {
        "method": method.key,
        "params": params_of_task(method, spec.method["params"]),
        "seed": spec.seed,
        "evaluate": inputs,
        "device": bench.execution.device,
        "threads": bench.execution.threads,
        "plugin_files": [str(path.resolve()) for path in bench.execution.plugin_files],
        # A method that heeds its budget still has time to predict before the hard limit.
        "budget_s": 0.9 * bench.limits.seconds,
    }
