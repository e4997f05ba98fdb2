"""`liftbench rerun`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from liftbench.cli.options import data_root_option, open_bench, open_registry, results_option
from liftbench.errors import UserError
from liftbench.runs.environment import environment
from liftbench.runs.process import Execution
from liftbench.runs.repeat import repeat
from liftbench.runs.store import RunRecord, Store, summary
from liftbench.suites.suite import Limits


@click.command()
@click.argument("key")
@data_root_option
@results_option
@click.option("--verify", is_flag=True, help="Compare with the stored run and store nothing.")
@click.pass_context
def rerun(
    ctx: click.Context, *, key: str, data_root: Path | None, results: Path, verify: bool
) -> None:
    """Repeat the stored run whose key begins with KEY, on its device with its threads.

    Without --verify the new record replaces the stored one in every suite that has it, and exit
    code 1 means that the run failed. With --verify, exit code 1 means that the repetition differs.
    """
    stores, stored = find_run(results, key)
    registry = open_registry(ctx.obj)
    execution = Execution(
        device=stored.execution.get("device", "auto"),
        threads=stored.execution.get("threads", 1),
        plugin_files=ctx.obj,
    )
    bench = open_bench(registry, data_root, execution, Limits(**stored.limits))
    repetition = repeat(bench, stored, stores[0], keep=not verify)
    repeated = repetition.result.record
    click.echo(f"stored:   {stored.status} {summary(stored)}")
    click.echo(f"repeated: {repeated.status} {summary(repeated)}")
    if not verify:
        for store in stores:
            store.write_result(repetition.result)
        ctx.exit(0 if repeated.status == "ok" else 1)
    if not repetition.differences:
        click.echo("identical bit for bit")
        return
    for difference in repetition.differences:
        click.echo(f"differs: {difference}")
    for name, value in environment().items():
        if stored.environment.get(name) != value:
            click.echo(f"environment: {name}: stored {stored.environment.get(name)}, here {value}")
    ctx.exit(1)


def find_run(results: Path, key: str) -> tuple[list[Store], RunRecord]:
    """Return the stores that hold the one run whose key begins with `key`, and its record.

    The record has the scores of all these stores, because suites may differ in their protocols.
    """
    paths = sorted(results.glob(f"*/runs/{key}*.json")) if key.isalnum() else []
    keys = {path.stem for path in paths}
    if len(keys) != 1:
        found = "no stored run" if not keys else f"{len(keys)} stored runs"
        raise UserError(
            f"{found} under {results} with a key that begins with '{key}'; "
            "the `key` column of leaderboard.csv has them"
        )
    stores = [Store(path.parents[1]) for path in paths]
    records = [record for store in stores if (record := store.read(*keys))]
    if not records:
        raise UserError(f"{paths[0]}: gone")
    scores = {name: score for record in records for name, score in record.scores.items()}
    return stores, replace(records[0], scores=scores)
