"""`liftbench data`."""

from __future__ import annotations

from pathlib import Path

import click
from tabulate import tabulate

from liftbench.cli.options import Commands, data_root_option, find_root, open_registry
from liftbench.plugin.registry import Registry
from liftbench.plugin.specs import Finding, Params
from liftbench.runs.plan import make_adapter


@click.group(cls=Commands)
def data() -> None:
    """Show which files each dataset needs, which of them are there, and whether they are whole."""


@data.command("list")
@data_root_option
@click.pass_obj
def list_data(plugin_files: tuple[Path, ...], data_root: Path | None) -> None:
    """List the datasets: found, partial, absent or synthetic."""
    registry = open_registry(plugin_files)
    root = find_root(data_root)
    rows = [
        (key, *_state(registry, key, root), spec.title)
        for key, spec in registry.datasets.items.items()
    ]
    click.echo(f"data root: {root}")
    click.echo(tabulate(rows, headers=["dataset", "state", "subsets", ""], tablefmt="simple"))


def _state(registry: Registry, key: str, root: Path) -> tuple[str, str]:
    """Return the state of a dataset, found, partial or absent, and its subsets."""
    spec = registry.datasets[key]
    whole = "synthetic" if spec.synthetic else "found"
    parts = {f"partial: {part}, set {_words(given)}": given for part, given in spec.partial.items()}
    for state, params in {whole: {}, **parts}.items():
        if subsets := make_adapter(registry, key, dict(params)).subsets(root):
            return state, ", ".join(subsets)
    return "absent", ""


def _words(params: Params) -> str:
    return ", ".join(f"{name}: {value}" for name, value in params.items())


@data.command()
@click.argument("name")
@data_root_option
@click.pass_obj
def info(plugin_files: tuple[Path, ...], name: str, data_root: Path | None) -> None:
    """Describe dataset NAME: its source, licence, file layout and size, and what is found here."""
    registry = open_registry(plugin_files)
    spec = registry.datasets[name]
    state, subsets = _state(registry, name, find_root(data_root))
    rows = [
        ("dataset", f"{spec.key}: {spec.title}"),
        ("reference", spec.reference),
        ("state", f"{state} {subsets}"),
        ("download", spec.info.download),
        ("licence", spec.info.licence),
        ("layout", spec.info.layout),
        ("size", spec.info.size),
        ("splits", ", ".join(spec.splits)),
    ]
    click.echo(tabulate(rows, tablefmt="plain", maxcolwidths=[None, 78]))


@data.command()
@click.argument("name")
@data_root_option
@click.pass_context
def check(ctx: click.Context, name: str, data_root: Path | None) -> None:
    """Read all files of dataset NAME and say what is whole, partial or damaged."""
    registry = open_registry(ctx.obj)
    findings = make_adapter(registry, name, {}).check(find_root(data_root))
    for finding in findings:
        click.echo(_line(finding))
    if not all(finding.ok for finding in findings):
        ctx.exit(1)


def _line(finding: Finding) -> str:
    return f"{'ok  ' if finding.ok else 'FAIL'} {finding.item}: {finding.detail}"
