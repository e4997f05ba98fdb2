"""The options, the set-up and the exit code that the commands `run` and `sweep` share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from liftbench.cli.options import (
    data_root_option,
    leaderboard,
    open_bench,
    option_bundle,
    results_option,
    whole_plan,
)
from liftbench.plugin.registry import Registry
from liftbench.runs.bench import Bench
from liftbench.runs.missing import Rerun
from liftbench.runs.plan import Plan, Selection, make_plan
from liftbench.runs.process import Execution
from liftbench.runs.progress import make_display
from liftbench.runs.run_plan import run_plan
from liftbench.runs.store import Store
from liftbench.suites.suite import Suite
from liftbench.tables import Leaderboard


@dataclass(frozen=True)
class RunOptions:
    """The options of a command that runs a suite, by their names on the command line."""

    data_root: Path | None
    results: Path
    device: str
    threads: int
    methods: tuple[str, ...] | None
    datasets: tuple[str, ...] | None
    subsets: tuple[str, ...] | None
    seeds: int | None
    jobs: int
    rerun: Rerun

    @property
    def selection(self) -> Selection:
        """The part of the suite that the options choose."""
        return Selection(self.methods, self.datasets, self.subsets, self.seeds)


def comma_list(_ctx: click.Context, _option: click.Parameter, value: str | None) -> Any:  # noqa: ANN401
    """Return the parts of a comma-separated option, or None if it was not given."""
    return None if value is None else tuple(part.strip() for part in value.split(",") if part)


run_options = option_bundle(
    "options",
    RunOptions,
    data_root_option,
    results_option,
    click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="Where methods compute; auto: as the suite says, or on the GPU if PyTorch finds one.",
    ),
    click.option(
        "--threads",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="CPU threads per run.",
    ),
    click.option("--methods", callback=comma_list, help="Only these methods; any registered one."),
    click.option("--datasets", callback=comma_list, help="Only these datasets of the suite."),
    click.option("--subsets", callback=comma_list, help="Only these subsets of the suite."),
    click.option("--seeds", type=click.IntRange(1), help="Number of seeds instead of the suite's."),
    click.option("--jobs", type=click.IntRange(1), default=os.cpu_count, help="Runs at once."),
    click.option(
        "--rerun",
        type=click.Choice(["none", "failed", "stale", "all"]),
        default="none",
        show_default=True,
        help="Which stored runs to run again; stale: those with other package versions.",
    ),
)


@dataclass(frozen=True)
class SuiteRun:
    """A suite that a command runs, on a bench and into a store."""

    suite: Suite
    bench: Bench
    store: Store
    options: RunOptions

    @cached_property
    def plan(self) -> Plan:
        """The runs of the selected part of the suite."""
        return make_plan(self.suite, self.bench.registry, self.bench.root, self.options.selection)

    def do(self) -> bool:
        """Do the missing runs; return False if the user stopped them before the end."""
        jobs, rerun = self.options.jobs, self.options.rerun
        return run_plan(self.plan, self.bench, self.store, make_display(), jobs=jobs, rerun=rerun)

    def results(self) -> tuple[Plan, Leaderboard]:
        """Return the plan of all stored runs of the suite, and its leaderboard."""
        registry, seeds = self.bench.registry, self.options.seeds
        plan = whole_plan(self.suite, registry, self.bench.root, self.store, seeds)
        return plan, leaderboard(plan, registry, self.store)

    def exit_code(self, *, finished: bool) -> int:
        """Return 130 if the user stopped the runs, 1 if a run of the plan failed, else 0."""
        if not finished:
            click.echo("liftbench: stopped; finished runs are kept, run again to go on", err=True)
            return 130
        records = [self.store.read(spec.key) for cell in self.plan.cells for spec in cell.runs]
        return int(any(r is not None and r.status not in ("ok", "skipped") for r in records))


def open_run(
    suite: Suite, registry: Registry, options: RunOptions, plugin_files: tuple[Path, ...]
) -> SuiteRun:
    """Return a suite with the bench and the store that the options ask for."""
    device = suite.device if options.device == "auto" else options.device
    execution = Execution(device, options.threads, plugin_files)
    bench = open_bench(registry, options.data_root, execution, suite.limits)
    return SuiteRun(suite, bench, Store(options.results / suite.name), options)
