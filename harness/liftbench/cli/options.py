"""Options and set-up that several commands share."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Any

import click

from liftbench.errors import UserError, unknown_name
from liftbench.plugin.registry import Registry, load_registry
from liftbench.runs.bench import Bench
from liftbench.runs.plan import Plan, Selection, make_plan
from liftbench.runs.process import Execution
from liftbench.runs.store import Store
from liftbench.suites.published import read_published
from liftbench.suites.suite import Limits, Suite, read_suite
from liftbench.tables import Leaderboard, make_leaderboard

Command = Callable[..., Any]


class Commands(click.Group):
    """A group of commands: a user error ends it with one line and exit code 2.

    An unknown command is answered with the nearest known one.
    """

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            kind = "command" if ctx.parent is None else f"command of '{ctx.info_name}'"
            raise unknown_name(kind, args[0], self.commands)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 as click has it
        """Run the command."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            click.echo(f"liftbench: {error}", err=True)
            ctx.exit(2)


def data_root_option(command: Command) -> Command:
    """Add --data-root."""
    return click.option(
        "--data-root",
        type=click.Path(path_type=Path),
        help="Folder that holds the datasets; else $LIFTBENCH_DATA, else ~/.cache/liftbench.",
    )(command)


def results_option(command: Command) -> Command:
    """Add --results."""
    return click.option(
        "--results",
        type=click.Path(path_type=Path),
        default=Path("results"),
        show_default=True,
        help="Folder of the run stores and leaderboards.",
    )(command)


def option_bundle(
    name: str, kind: type, *options: Callable[[Command], Command]
) -> Callable[[Command], Command]:
    """Return a decorator that adds options and gives the command all of them as one argument.

    Args:
        name: the name of the argument.
        kind: the dataclass of the argument, with a field for each option.
        options: the decorators of click, in the order of the help text.
    """
    names = [f.name for f in fields(kind)]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def with_bundle(*args: Any, **given: Any) -> Any:  # noqa: ANN401 as the command has them
            bundle = kind(**{option: given.pop(option) for option in names})
            return command(*args, **given, **{name: bundle})

        decorated: Command = with_bundle
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


def open_registry(plugin_files: tuple[Path, ...]) -> Registry:
    """Load the registry, with a warning for each plugin that did not load."""
    registry = load_registry(plugin_files)
    for plugin in registry.broken:
        click.echo(f"liftbench: plugin '{plugin.name}' did not load: {plugin.error}", err=True)
    return registry


def open_suite(registry: Registry, name: str) -> Suite:
    """Read a registered suite, or a YAML file by its path."""
    path = Path(name)
    return read_suite(path if path.suffix in (".yaml", ".yml") else registry.suites[name])


def open_bench(
    registry: Registry, root: Path | None, execution: Execution, limits: Limits
) -> Bench:
    """Return the bench of a command: what all its runs share."""
    return Bench(registry, find_root(root), execution, limits, threading.Event())


def find_root(given: Path | None) -> Path:
    """Return `--data-root`, else `$LIFTBENCH_DATA`, else the default folder.

    Raises:
        UserError: the named folder does not exist.
    """
    for source, value in (
        ("--data-root", given),
        ("$LIFTBENCH_DATA", os.environ.get("LIFTBENCH_DATA")),
    ):
        if value:
            path = Path(value)
            if not path.is_dir():
                raise UserError(
                    f"{source} {path}: no such folder; name the one that holds the data"
                )
            return path.resolve()
    return Path.home() / ".cache" / "liftbench"


def whole_plan(
    suite: Suite, registry: Registry, root: Path, store: Store, seeds: int | None = None
) -> Plan:
    """Return the plan of a suite with all its rows and all further methods in its store."""
    return make_plan(suite, registry, root, Selection(seeds=seeds), tuple(store.records()))


def leaderboard(plan: Plan, registry: Registry, store: Store) -> Leaderboard:
    """Return the leaderboard of a plan from its store."""
    return make_leaderboard(plan, store, registry, read_published(registry.published))
