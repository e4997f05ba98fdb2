"""What the child process of a fit is asked to do, and what it may see."""

from __future__ import annotations

from pathlib import Path

from liftbench.runs.bench import Bench
from liftbench.runs.compatibility import incompatibility
from liftbench.runs.exchange import Task, write_observations, write_truth
from liftbench.runs.firewall import show_at_fit, shown_truth
from liftbench.runs.method_params import params_of_task
from liftbench.runs.store import RunSpec
from liftbench.types import Observations


def make_task(bench: Bench, spec: RunSpec, inputs: list[list[str]]) -> Task:
    """Return the task of a child process; `inputs` has a list of names for each run."""
    method = bench.registry.methods[spec.method["key"]]
    return {
        "method": method.key,
        "params": params_of_task(method, spec.method["params"]),
        "seed": spec.seed,
        "evaluate": inputs,
        "device": bench.execution.device,
        "threads": bench.execution.threads,
        "images": method.capabilities.images,
        "plugin_files": [str(path.resolve()) for path in bench.execution.plugin_files],
        # A method that heeds its budget still has time to predict before the hard limit.
        "budget_s": 0.9 * bench.limits.seconds,
        "teachers": [],
        "restore": None,
        "extra": bool(spec.extra),
        "keep": False,
        "timed": False,
    }


def write_lesson(bench: Bench, spec: RunSpec, fitted: Observations, folder: Path) -> None:
    """Write what the method of a run may learn from."""
    capabilities = bench.registry.methods[spec.method["key"]].capabilities
    write_observations(folder / "fit.npz", show_at_fit(capabilities, fitted))
    if capabilities.supervised and (truth := bench.load_truth(spec)):
        write_truth(folder / "truth.npz", shown_truth(truth))
    if spec.extra:
        write_observations(folder / "extra.npz", show_at_fit(capabilities, bench.load_extra(spec)))


def obstacle_to_fit(bench: Bench, spec: RunSpec, fitted: Observations) -> str:
    """Return why the method of a run cannot learn from its observations, or an empty string."""
    capabilities = bench.registry.methods[spec.method["key"]].capabilities
    if reason := incompatibility(capabilities, fitted):
        return on_any_machine(bench, reason)
    if spec.extra and (reason := _obstacle_to_extra(bench, spec, fitted)):
        return f"extra data: {on_any_machine(bench, reason)}"
    truth = bench.load_truth(spec) if capabilities.supervised else None
    if capabilities.supervised and truth is None:
        return "the method learns from true points, which are not there"
    if truth and len(truth.points_3d) != fitted.frames:
        return "the method learns from the true points of all frames, a corruption drops some"
    return ""


def _obstacle_to_extra(bench: Bench, spec: RunSpec, fitted: Observations) -> str:
    extra = bench.load_extra(spec)
    if extra.skeleton.points != fitted.skeleton.points:
        return f"expected the points {', '.join(fitted.skeleton.points)}"
    return incompatibility(bench.registry.methods[spec.method["key"]].capabilities, extra)


def on_any_machine(bench: Bench, reason: str) -> str:
    """Return a reason as a table for all machines shows it, without the path of the data."""
    return reason.replace(str(bench.root), "DATA_ROOT")
