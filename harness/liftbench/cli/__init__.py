"""The `liftbench` command."""

from __future__ import annotations

from pathlib import Path

import click

from liftbench.cli.compare import compare
from liftbench.cli.data import data
from liftbench.cli.export import export
from liftbench.cli.options import Commands
from liftbench.cli.plugins import plugins
from liftbench.cli.report import report
from liftbench.cli.rerun import rerun
from liftbench.cli.run import run
from liftbench.cli.score import score
from liftbench.cli.sweep import sweep
from liftbench.cli.table import table


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="liftbench")
@click.option(
    "--plugin",
    "plugin_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A Python file with a plugin that is not installed; may be given several times.",
)
@click.pass_context
def main(ctx: click.Context, plugin_files: tuple[Path, ...]) -> None:
    """Benchmark methods that lift 2D points to 3D without 3D supervision."""
    ctx.obj = plugin_files


for command in (run, sweep, table, compare, report, score, rerun, export, plugins, data):
    main.add_command(command)
