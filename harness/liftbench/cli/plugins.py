"""`liftbench plugins`."""

from __future__ import annotations

from pathlib import Path

import click
from tabulate import tabulate

from liftbench.cli.options import Commands
from liftbench.registry import load_registry


@click.group(cls=Commands)
def plugins() -> None:
    """Show what is installed and what failed to load."""


@plugins.command("list")
@click.pass_obj
def list_plugins(plugin_files: tuple[Path, ...]) -> None:
    """List plugins with their state, and all that they register."""
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
