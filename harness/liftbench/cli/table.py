"""`liftbench table`."""

from __future__ import annotations

from pathlib import Path

import click

from liftbench.cli.options import (
    data_root_option,
    find_root,
    leaderboard,
    open_registry,
    open_suite,
    results_option,
    whole_plan,
)
from liftbench.store import Store
from liftbench.tables import to_csv, to_markdown


@click.command()
@click.argument("suite_name", metavar="SUITE")
@data_root_option
@results_option
@click.option("--format", "form", type=click.Choice(["md", "csv"]), default="md", show_default=True)
@click.pass_obj
def table(
    plugin_files: tuple[Path, ...],
    *,
    suite_name: str,
    data_root: Path | None,
    results: Path,
    form: str,
) -> None:
    """Print the leaderboard of SUITE from its stored runs, beside the published numbers."""
    registry = open_registry(plugin_files)
    suite = open_suite(registry, suite_name)
    store = Store(results / suite.name)
    board = leaderboard(whole_plan(suite, registry, find_root(data_root), store), registry, store)
    click.echo(to_csv(board) if form == "csv" else to_markdown(board), nl=False)
