"""The `liftbench` command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from liftbench.cli.data import data
from liftbench.cli.plugins import plugins
from liftbench.cli.rerun import rerun
from liftbench.cli.run import run
from liftbench.cli.score import score
from liftbench.cli.table import table
from liftbench.errors import UserError, unknown_name


class _Commands(click.Group):
    """Tells user errors in one line with exit code 2 and suggests the nearest command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise UserError(str(unknown_name("command", args[0], self.commands)))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 as click has it
        try:
            return super().invoke(ctx)
        except UserError as error:
            click.echo(f"liftbench: {error}", err=True)
            ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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


for command in (run, table, score, rerun, plugins, data):
    main.add_command(command)
