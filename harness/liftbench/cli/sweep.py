"""`liftbench sweep`."""

from __future__ import annotations

from pathlib import Path

import click

from liftbench.cli.axes import AxisOptions, axis_options, with_grids
from liftbench.cli.options import open_registry, open_suite
from liftbench.cli.running import RunOptions, open_run, run_options
from liftbench.files import write_atomic
from liftbench.runs.bench import require_corruptible
from liftbench.runs.forecast import forecast
from liftbench.suites.grids import write_grid
from liftbench.sweeps.sweep import Sweep, make_sweeps
from liftbench.sweeps.tables import robustness_to_csv, to_csv, to_markdown
from liftbench.tables import write_leaderboard


@click.command()
@click.argument("suite_name", metavar="SUITE")
@axis_options
@run_options
@click.option("--dry-run", is_flag=True, help="Say what would run and how long it would take.")
@click.pass_context
def sweep(
    ctx: click.Context, *, suite_name: str, axes: AxisOptions, options: RunOptions, dry_run: bool
) -> None:
    """Run SUITE at every combination of severities and show how the errors grow with them.

    The options name the axes; without such options they come from the suite's section `sweep`.
    Tables and figures are written to RESULTS/SUITE/sweep.
    """
    registry = open_registry(ctx.obj)
    own = open_suite(registry, suite_name)
    suite = with_grids(own, registry, axes)
    suite_run = open_run(suite, registry, options, ctx.obj)
    plan, store = suite_run.plan, suite_run.store
    require_corruptible(plan, suite_run.bench)
    click.echo(forecast(plan, registry, store, options.rerun, options.jobs).text(), err=not dry_run)
    if dry_run:
        return
    finished = suite_run.do()
    whole, board = suite_run.results()
    if suite == own:
        write_leaderboard(board, store)
    folder = store.folder / "sweep"
    sweeps = make_sweeps(suite, whole, store, registry, board)
    for made, grid in zip(sweeps, suite.sweep, strict=True):
        click.echo(write_sweep(made, folder))
        write_grid(grid, folder / f"{made.grid.name}.json")  # for `liftbench report`
    ctx.exit(suite_run.exit_code(finished=finished))


def write_sweep(sweep: Sweep, folder: Path) -> str:
    """Write the tables and figures of a sweep to `folder` and return the Markdown text."""
    from liftbench.plotting import figure_files  # matplotlib is slow to load
    from liftbench.sweeps.figures import draw

    figures = {}
    for name, shown, figure in draw(sweep):
        for ending, content in figure_files(figure).items():
            write_atomic(folder / f"{name}.{ending}", content)
        figures[f"{name}.png"] = shown
    text = to_markdown(sweep, figures)
    write_atomic(folder / f"{sweep.grid.name}.md", text.encode())
    write_atomic(folder / f"{sweep.grid.name}.csv", to_csv(sweep).encode())
    write_atomic(folder / f"{sweep.grid.name}-robustness.csv", robustness_to_csv(sweep).encode())
    return text
