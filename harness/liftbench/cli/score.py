"""`liftbench score`."""

from __future__ import annotations

from pathlib import Path

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
from liftbench.runs.process import Execution
from liftbench.runs.rescore import score_again
from liftbench.runs.store import Store, summary
from liftbench.tables import write_leaderboard


@click.command()
@click.argument("suite_name", metavar="SUITE")
@data_root_option
@results_option
@click.option("--protocol", "protocol_name", help="Another protocol than those of the suite.")
@click.pass_obj
def score(
    plugin_files: tuple[Path, ...],
    *,
    suite_name: str,
    data_root: Path | None,
    results: Path,
    protocol_name: str | None,
) -> None:
    """Score the stored predictions of SUITE again; nothing is run."""
    registry = open_registry(plugin_files)
    suite = open_suite(registry, suite_name)
    bench = open_bench(registry, data_root, Execution(), suite.limits)
    names = (protocol_name,) if protocol_name else suite.protocols
    protocols = [registry.protocols[name] for name in names]
    store = Store(results / suite.name)
    for record, scored in score_again(bench, store, protocols):
        name = f"{record.spec.key[:12]} {record.spec.method['key']} {record.spec.dataset['subset']}"
        click.echo(
            f"{name}: {summary(scored) if scored else 'no stored predictions, kept as it is'}"
        )
    write_leaderboard(
        leaderboard(whole_plan(suite, registry, bench.root, store), registry, store), store
    )
