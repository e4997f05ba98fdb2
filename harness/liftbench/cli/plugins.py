"""`liftbench plugins`."""

from __future__ import annotations

from pathlib import Path

import click
from tabulate import tabulate

from liftbench.cli.options import Commands, data_root_option, find_root
from liftbench.plugin.registry import load_registry
from liftbench.plugin.scaffold import KINDS, Kind, write_package
from liftbench.suites.suite import Limits
from liftbench.testing import Patience, checks_of, tally


@click.group(cls=Commands)
def plugins() -> None:
    """Show what is installed, check it, and start a plugin of your own."""


@plugins.command("list")
@click.pass_obj
def list_plugins(plugin_files: tuple[Path, ...]) -> None:
    """List plugins with their state, and everything that they register."""
    registry = load_registry(plugin_files)
    rows = [(p.name, p.source, p.error or "loaded") for p in registry.plugins]
    click.echo(tabulate(rows, headers=["plugin", "from", "state"], tablefmt="simple"))
    for catalogue in (
        registry.methods,
        registry.datasets,
        registry.corruptions,
        registry.protocols,
        registry.suites,
    ):
        listed = [
            (name, getattr(item, "title", getattr(item, "description", "")), source)
            for (name, item), source in zip(
                catalogue.items.items(), catalogue.sources.values(), strict=True
            )
        ]
        click.echo()
        click.echo(tabulate(listed, headers=[catalogue.kind, "", "from"], tablefmt="simple"))


@plugins.command()
@click.argument("name")
@data_root_option
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=600,
    show_default=True,
    help="Time limit on each process of a method.",
)
@click.pass_context
def check(ctx: click.Context, name: str, data_root: Path | None, seconds: float) -> None:
    """Check that the method or dataset NAME keeps the promises of its kind.

    A method is checked on generated scenes. Checks that need a dataset's files run if DATA_ROOT
    has these files. Exit code 1: a check failed that is not expected to fail.
    """
    root, patience = find_root(data_root), Patience(Limits(seconds=seconds))
    outcomes = []
    for checks in checks_of(name, plugin_files=ctx.obj, data_root=root, patience=patience):
        click.echo(f"{checks.kind} {name}")
        for outcome in checks.run():
            click.echo(outcome)
            outcomes.append(outcome)
    click.echo(tally(outcomes))
    if any(outcome.failed for outcome in outcomes):
        ctx.exit(1)


@plugins.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="method",
    show_default=True,
    help="What the package adds.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder in which the package's folder is made; here if left out.",
)
@click.pass_obj
def new(plugin_files: tuple[Path, ...], name: str, kind: Kind, folder: Path) -> None:
    """Write the package NAME with a working method or dataset of that key, and a test."""
    package = write_package(load_registry(plugin_files), name, kind, folder)
    click.echo(f"wrote {package}:")
    for path in sorted(path for path in package.rglob("*") if path.is_file()):
        click.echo(f"  {path.relative_to(package)}")
    click.echo(f"{package / 'README.md'} says how to install, check and run it")
