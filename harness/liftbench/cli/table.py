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
from liftbench.errors import UserError
from liftbench.files import write_atomic
from liftbench.plugin.registry import Registry
from liftbench.runs.store import Store
from liftbench.suites.published import read_published
from liftbench.suites.suite import Suite
from liftbench.tables import (
    Leaderboard,
    leaderboard_page,
    overview,
    printed_page,
    to_csv,
    to_html,
    to_latex,
    to_markdown,
    verdicts_to_csv,
    write_leaderboard,
)

_WRITERS = {"md": to_markdown, "latex": to_latex, "html": to_html}
_FORMAT = "Markdown if left out; LaTeX needs booktabs and graphicx."


@click.command()
@click.argument("suite_name", metavar="[SUITE]", required=False)
@data_root_option
@results_option
@click.option("--format", "form", type=click.Choice(["md", "csv", "latex", "html"]), help=_FORMAT)
@click.option("--published", is_flag=True, help="One line per printed number, with ours beside it.")
@click.option("--all", "every", is_flag=True, help="Write RESULTS/README.md and all leaderboards.")
@click.pass_obj
def table(
    plugin_files: tuple[Path, ...],
    *,
    suite_name: str | None,
    data_root: Path | None,
    results: Path,
    form: str | None,
    published: bool,
    every: bool,
) -> None:
    """Print the leaderboard of SUITE from its stored runs, beside the published numbers.

    With --all instead of SUITE, write the leaderboards of all suites with runs, and a page that
    lists every table of the papers with its status.
    """
    if every == (suite_name is not None) or (every and (form or published)):
        raise UserError("table: expected a suite, or --all without --format and --published")
    registry = open_registry(plugin_files)
    root = find_root(data_root)
    if suite_name is None:
        click.echo(_write_all(registry, root, results))
        return
    suite = open_suite(registry, suite_name)
    if published and not suite.published:
        raise UserError(f"suite '{suite.name}' reproduces no printed table; leave out --published")
    board = _board(suite, registry, root, Store(results / suite.name))
    click.echo(_text_of(board, form or "md", published=published), nl=False)


def _board(suite: Suite, registry: Registry, root: Path, store: Store) -> Leaderboard:
    return leaderboard(whole_plan(suite, registry, root, store), registry, store)


def _text_of(board: Leaderboard, form: str, *, published: bool) -> str:
    if form == "csv":
        return verdicts_to_csv(board) if published else to_csv(board)
    return _WRITERS[form](printed_page(board) if published else leaderboard_page(board))


def _write_all(registry: Registry, root: Path, results: Path) -> str:
    """Write the leaderboards of all suites with runs and the overview; return a message."""
    suites = [open_suite(registry, name) for name in registry.suites.items]
    stores = {suite.name: Store(results / suite.name) for suite in suites}
    boards = [_board(suite, registry, root, stores[suite.name]) for suite in suites]
    written = [board for board in boards if any(stores[board.suite.name].records())]
    page = overview(
        boards,
        read_published(registry.published),
        registry,
        [board.suite.name for board in written],
    )
    for board in written:
        write_leaderboard(board, stores[board.suite.name])
    write_atomic(results / "README.md", page.encode())
    return f"{results / 'README.md'}: {len(boards)} suites, {len(written)} of them with runs"
