"""`liftbench run`."""

from __future__ import annotations

from pathlib import Path

import click

from liftbench.cli.options import (
    data_root_option,
    execution_options,
    leaderboard,
    open_bench,
    open_registry,
    open_suite,
    results_option,
    running_options,
    whole_plan,
)
from liftbench.runs.missing import Rerun
from liftbench.runs.plan import Selection, make_plan
from liftbench.runs.process import Execution
from liftbench.runs.progress import make_display
from liftbench.runs.run_plan import run_plan
from liftbench.runs.store import Store
from liftbench.tables import leaderboard_page, to_markdown, write_leaderboard


@click.command()
@click.argument("suite_name", metavar="SUITE")
@data_root_option
@results_option
@execution_options
@running_options
@click.pass_context
def run(
    ctx: click.Context,
    *,
    suite_name: str,
    data_root: Path | None,
    results: Path,
    device: str,
    threads: int,
    methods: tuple[str, ...] | None,
    datasets: tuple[str, ...] | None,
    subsets: tuple[str, ...] | None,
    seeds: int | None,
    jobs: int,
    rerun: Rerun,
) -> None:
    """Run what SUITE lacks, print its leaderboard and write it to RESULTS/SUITE."""
    registry = open_registry(ctx.obj)
    suite = open_suite(registry, suite_name)
    bench = open_bench(registry, data_root, Execution(device, threads, ctx.obj), suite.limits)
    store = Store(results / suite.name)
    plan = make_plan(suite, registry, bench.root, Selection(methods, datasets, subsets, seeds))
    if any(cell.reason for cell in plan.cells):
        click.echo(f"liftbench: some data is absent; DATA_ROOT is {bench.root}", err=True)
    finished = run_plan(plan, bench, store, make_display(), jobs=jobs, rerun=rerun)
    board = leaderboard(whole_plan(suite, registry, bench.root, store, seeds), registry, store)
    write_leaderboard(board, store)
    click.echo(to_markdown(leaderboard_page(board)))
    if not finished:
        click.echo("liftbench: stopped; finished runs are kept, run again to go on", err=True)
        ctx.exit(130)
    records = [store.read(spec.key) for cell in plan.cells for spec in cell.runs]
    if any(r is not None and r.status not in ("ok", "skipped") for r in records):
        ctx.exit(1)
