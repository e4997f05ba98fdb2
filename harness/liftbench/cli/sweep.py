"""`liftbench sweep`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click
import yaml

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
from liftbench.errors import UserError
from liftbench.files import write_atomic
from liftbench.plugin.registry import Registry
from liftbench.runs.bench import require_corruptible
from liftbench.runs.forecast import forecast
from liftbench.runs.missing import Rerun
from liftbench.runs.plan import Selection, make_plan
from liftbench.runs.process import Execution
from liftbench.runs.progress import make_display
from liftbench.runs.run_plan import run_plan
from liftbench.runs.store import Store
from liftbench.suites.grids import OF_DATA, write_asked_grid
from liftbench.suites.suite import Suite
from liftbench.sweeps.sweep import Sweep, make_sweeps
from liftbench.sweeps.tables import robustness_to_csv, to_csv, to_markdown
from liftbench.tables import write_leaderboard


@click.command()
@click.argument("suite_name", metavar="SUITE")
@click.option("--noise", help="Pixels, such as 0,3,5,10,15.")
@click.option("--noise-ratio", help="Norm of the noise over that of the points, as 0,0.1,0.2.")
@click.option("--missing", help="Per cent of the points that are hidden at random, as 0,30,60.")
@click.option("--frames", help="Per cent of the frames that are learned from, as 100,50,10.")
@click.option(
    "--axis",
    "others",
    multiple=True,
    metavar="KEY=VALUES",
    help="Any corruption by its key, such as missing_limb=0,30 (per cent), or a parameter of the "
    "data, such as data.occlusion=false,true; may be given several times.",
)
@click.option(
    "--corrupt",
    type=click.Choice(["both", "test"]),
    help="Whether methods learn from corrupted data too, or from clean data alone; else the "
    "suite's choice, or both.",
)
@data_root_option
@results_option
@execution_options
@running_options
@click.option("--dry-run", is_flag=True, help="Say what would run and how long it would take.")
@click.pass_context
def sweep(
    ctx: click.Context,
    *,
    suite_name: str,
    noise: str | None,
    noise_ratio: str | None,
    missing: str | None,
    frames: str | None,
    others: tuple[str, ...],
    corrupt: str | None,
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
    dry_run: bool,
) -> None:
    """Run SUITE at every combination of severities and show what its errors grow with.

    The axes given take the place of the suite's own; without any, its section `sweep` says them.
    Tables and figures are written to RESULTS/SUITE/sweep.
    """
    registry = open_registry(ctx.obj)
    given = {"noise": noise, "noise_ratio": noise_ratio, "missing": missing}
    axes = [*((key, text) for key, text in given.items() if text), *map(_key_and_values, others)]
    axes += [("frames", frames)] if frames else []
    own = open_suite(registry, suite_name)
    suite = _swept(own, registry, axes, corrupt)
    bench = open_bench(registry, data_root, Execution(device, threads, ctx.obj), suite.limits)
    store = Store(results / suite.name)
    plan = make_plan(suite, registry, bench.root, Selection(methods, datasets, subsets, seeds))
    require_corruptible(plan, bench)
    click.echo(forecast(plan, store, rerun, jobs).text(), err=not dry_run)
    if dry_run:
        return
    finished = run_plan(plan, bench, store, make_display(), jobs=jobs, rerun=rerun)
    whole = whole_plan(suite, registry, bench.root, store, seeds)
    board = leaderboard(whole, registry, store)
    if suite == own:
        write_leaderboard(board, store)
    folder = store.folder / "sweep"
    sweeps = make_sweeps(suite, whole, store, registry, board)
    for made, asked in zip(sweeps, suite.sweep, strict=True):
        click.echo(write_sweep(made, folder))
        write_asked_grid(asked, folder / f"{made.grid.name}.json")  # for `liftbench report`
    if not finished:
        click.echo("liftbench: stopped; finished runs are kept, run again to go on", err=True)
        ctx.exit(130)
    records = [store.read(spec.key) for cell in plan.cells for spec in cell.runs]
    if any(r is not None and r.status not in ("ok", "skipped") for r in records):
        ctx.exit(1)


def write_sweep(sweep: Sweep, folder: Path) -> str:
    """Write the tables and figures of a sweep to `folder` and return the text for people."""
    from liftbench.plotting import saved  # matplotlib is slow to load
    from liftbench.sweeps.figures import draw

    figures = {}
    for name, shown, figure in draw(sweep):
        for ending, content in saved(figure).items():
            write_atomic(folder / f"{name}.{ending}", content)
        figures[f"{name}.png"] = shown
    text = to_markdown(sweep, figures)
    write_atomic(folder / f"{sweep.grid.name}.md", text.encode())
    write_atomic(folder / f"{sweep.grid.name}.csv", to_csv(sweep).encode())
    write_atomic(folder / f"{sweep.grid.name}-robustness.csv", robustness_to_csv(sweep).encode())
    return text


def _swept(
    suite: Suite, registry: Registry, axes: Iterable[tuple[str, str]], corrupt: str | None
) -> Suite:
    """Return the suite with the grids that are asked for.

    Raises:
        UserError: neither the call nor the suite names an axis, or a value is no number.
    """
    grid: dict[str, dict[str, Any]] = {}
    for key, text in axes:
        name, values = _parsed(registry, key, text)
        grid.setdefault(OF_DATA if key.startswith(f"{OF_DATA}.") else key, {})[name] = values
    grids = (grid,) if grid else suite.sweep
    if not grids:
        raise UserError(
            f"suite '{suite.name}' has no section 'sweep'; say what to sweep over, such as "
            "--noise-ratio 0,0.1,0.2 --missing 0,30,60"
        )
    if corrupt:
        stage = "predict" if corrupt == "test" else "both"
        grids = tuple(
            {key: _staged(registry, key, asked, stage) for key, asked in grid.items()}
            for grid in grids
        )
    return suite.model_copy(update={"sweep": grids})


def _staged(registry: Registry, key: str, asked: dict[str, Any], stage: str) -> dict[str, Any]:
    """Return the parameters of an axis with their stage, where the corruption leaves a choice."""
    if key == OF_DATA or registry.corruptions[key].params.stage != "both":
        return asked
    return {**asked, "stage": stage}


def _key_and_values(text: str) -> tuple[str, str]:
    key, equals, values = text.partition("=")
    if not (key and equals and values):
        raise UserError(f"--axis {text}: expected a corruption and values, as missing_limb=0,30")
    return key.strip(), values


def _parsed(registry: Registry, key: str, text: str) -> tuple[str, list[Any]]:
    """Return the parameter of an axis and its values; per cent become shares."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if key.startswith(f"{OF_DATA}."):
        return key.partition(".")[2], [yaml.safe_load(word) for word in words]
    spec = registry.corruptions[key]
    if spec.severity is None:
        raise UserError(f"corruption '{key}' has no severity to sweep over")
    return spec.severity, list(_numbers(key, words, 100 if spec.unit == "%" else 1))


def _numbers(key: str, words: Iterable[str], divisor: int) -> Iterator[float]:
    for word in words:
        try:
            yield float(Decimal(word) / divisor)  # 30 is the very 0.3 that a suite writes
        except InvalidOperation as error:
            raise UserError(f"{key}: expected numbers with commas between, got '{word}'") from error
