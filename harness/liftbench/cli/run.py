"""`liftbench run`."""

from __future__ import annotations

import click

from liftbench.cli.options import open_registry, open_suite
from liftbench.cli.running import RunOptions, open_run, run_options
from liftbench.tables import leaderboard_page, to_markdown, write_leaderboard


@click.command()
@click.argument("suite_name", metavar="SUITE")
@run_options
@click.pass_context
def run(ctx: click.Context, *, suite_name: str, options: RunOptions) -> None:
    """Do the missing runs of SUITE, print its leaderboard and write it to RESULTS/SUITE."""
    registry = open_registry(ctx.obj)
    suite_run = open_run(open_suite(registry, suite_name), registry, options, ctx.obj)
    if any(cell.reason for cell in suite_run.plan.cells):
        root = suite_run.bench.root
        click.echo(f"liftbench: some data is absent; DATA_ROOT is {root}", err=True)
    finished = suite_run.do()
    _, board = suite_run.results()
    write_leaderboard(board, suite_run.store)
    click.echo(to_markdown(leaderboard_page(board)))
    ctx.exit(suite_run.exit_code(finished=finished))
