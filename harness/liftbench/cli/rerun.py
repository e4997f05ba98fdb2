"""`liftbench rerun`."""

from __future__ import annotations

from pathlib import Path

import click

from liftbench.cli.options import data_root_option, open_bench, open_registry, results_option
from liftbench.environment import environment
from liftbench.errors import UserError
from liftbench.process import Execution
from liftbench.runner import keep, repeat, summary
from liftbench.store import RunRecord, Store
from liftbench.suites import Limits


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

    Without --verify the new record takes the place of the stored one; exit code 1 says that it
    failed. With --verify, exit code 1 says that the repetition differs.
    """
    store, stored = find_record(results, key)
    registry = open_registry(ctx.obj)
    execution = Execution(
        device=stored.execution.get("device", "auto"),
        threads=stored.execution.get("threads", 1),
        plugin_files=ctx.obj,
    )
    bench = open_bench(registry, data_root, execution, Limits(**stored.limits))
    repetition = repeat(bench, stored)
    click.echo(f"stored:   {stored.status} {summary(stored)}")
    click.echo(f"repeated: {repetition.record.status} {summary(repetition.record)}")
    if not verify:
        keep(store, repetition.record, repetition.predictions)
        ctx.exit(0 if repetition.record.status == "ok" else 1)
    if not repetition.differences:
        click.echo("identical bit for bit")
        return
    for difference in repetition.differences:
        click.echo(f"differs: {difference}")
    for name, value in environment().items():
        if stored.environment.get(name) != value:
            click.echo(f"environment: {name}: stored {stored.environment.get(name)}, here {value}")
    ctx.exit(1)


def find_record(results: Path, key: str) -> tuple[Store, RunRecord]:
    """Return the one stored run whose key begins with `key`, and its store."""
    paths = sorted(results.glob(f"*/runs/{key}*.json")) if key.isalnum() else []
    if len(paths) != 1:
        found = "no stored run" if not paths else f"{len(paths)} stored runs"
        raise UserError(
            f"{found} under {results} with a key that begins with '{key}'; "
            "the `key` column of leaderboard.csv has them"
        )
    store = Store(paths[0].parent.parent)
    record = store.read(paths[0].stem)
    if record is None:
        raise UserError(f"{paths[0]}: gone")
    return store, record
