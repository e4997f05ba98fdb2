"""What the child process of a fit is asked to do, and what it may see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from liftbench.runs.bench import Bench
from liftbench.runs.exchange import Task, write_observations
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
        "plugin_files": [str(path.resolve()) for path in bench.execution.plugin_files],
        # A method that heeds its budget still has time to predict before the hard limit.
        "budget_s": 0.9 * bench.limits.seconds,
        "teachers": [],
        "restore": None,
        "keep": False,
    }


def write_input(bench: Bench, spec: RunSpec, observations: Observations, file: Path) -> None:
    """Write what the method of a run may see: images only where it needs them."""
    if not bench.registry.methods[spec.method["key"]].capabilities.images:
        observations = replace(observations, images=None)
    write_observations(file, observations)
