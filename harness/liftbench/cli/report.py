"""`liftbench report`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from liftbench.cli.options import (
    data_root_option,
    leaderboard,
    open_bench,
    open_registry,
    open_suite,
    results_option,
    whole_plan,
)
from liftbench.errors import UserError
from liftbench.files import write_atomic
from liftbench.plugin.registry import Registry
from liftbench.runs.bench import Bench
from liftbench.runs.plan import Plan
from liftbench.runs.process import Execution
from liftbench.runs.store import Store
from liftbench.suites.grids import read_grids
from liftbench.suites.suite import Suite
from liftbench.sweeps.sweep import Sweep, make_sweeps
from liftbench.tables import Leaderboard

if TYPE_CHECKING:
    from liftbench.report import SuiteReport


@click.command()
@click.argument("suite_name", metavar="[SUITE]", required=False)
@click.option("--all", "everything", is_flag=True, help="Every suite that has stored runs.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page; else report.html in RESULTS/SUITE, with --all in RESULTS.",
)
@data_root_option
@results_option
@click.pass_obj
def report(
    plugin_files: tuple[Path, ...],
    *,
    suite_name: str | None,
    everything: bool,
    out: Path | None,
    data_root: Path | None,
    results: Path,
) -> None:
    """Write one HTML page of SUITE's stored runs that opens without network.

    Figures for papers go to the folder `figures` beside it, as PNG, and as SVG or PDF.
    """
    from liftbench.report import render_page, write_figures  # matplotlib is slow to load

    if (suite_name is None) != everything:
        raise UserError("report: expected the name of a suite, or --all")
    registry = open_registry(plugin_files)
    suites = (
        list(_suites_with_runs(registry, results))
        if suite_name is None
        else [open_suite(registry, suite_name)]
    )
    reports = [_collect(suite, registry, data_root, results) for suite in suites]
    title = reports[0].board.suite.title if suite_name else "liftbench: all suites"
    page = out or (results / suites[0].name if suite_name else results) / "report.html"
    figures = [file for part in reports for file in write_figures(part, page.parent / "figures")]
    content = render_page(title, reports, [str(file.relative_to(page.parent)) for file in figures])
    write_atomic(page, content.encode())
    size = page.stat().st_size / 2**20
    click.echo(f"wrote {page} ({size:.1f} MiB) and {len(figures)} figures beside it")


def _suites_with_runs(registry: Registry, results: Path) -> Iterator[Suite]:
    """Yield the registered suites that have stored runs.

    Raises:
        UserError: there is none.
    """
    names = sorted({path.parents[1].name for path in results.glob("*/runs/*.json")})
    found = [name for name in names if name in registry.suites.items]
    if not found:
        raise UserError(f"{results}: no stored runs of a registered suite; 'liftbench run SUITE'")
    for name in names:
        if name in found:
            yield open_suite(registry, name)
        else:
            click.echo(f"liftbench: left out {results / name}: no suite of that name", err=True)


def _collect(
    suite: Suite, registry: Registry, data_root: Path | None, results: Path
) -> SuiteReport:
    from liftbench.report import collect_suite

    store = Store(results / suite.name)
    if next(store.records(), None) is None:
        raise UserError(f"{store.folder}: no stored runs; 'liftbench run {suite.name}' makes them")
    bench = open_bench(registry, data_root, Execution(), suite.limits)
    plan = whole_plan(suite, registry, bench.root, store)
    board = leaderboard(plan, registry, store)
    sweeps = _sweeps(suite, plan, board, bench, store)
    runs = sum(len(cell.runs) for cell in plan.cells)
    with click.progressbar(length=runs, label=suite.name, file=sys.stderr) as progress:
        return collect_suite(plan, board, sweeps, bench, store, partial(progress.update, 1))


def _sweeps(
    suite: Suite, plan: Plan, board: Leaderboard, bench: Bench, store: Store
) -> tuple[Sweep, ...]:
    """Return the sweeps of the suite and those of earlier calls of `liftbench sweep`."""
    further = [grid for grid in read_grids(store.folder / "sweep") if grid not in suite.sweep]
    swept = suite.model_copy(update={"sweep": (*suite.sweep, *further)})
    if further:
        plan = whole_plan(swept, bench.registry, bench.root, store)
        board = leaderboard(plan, bench.registry, store)
    return make_sweeps(swept, plan, store, bench.registry, board)
