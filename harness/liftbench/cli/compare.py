"""`liftbench compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from liftbench.cli.options import (
    data_root_option,
    open_bench,
    open_registry,
    open_suite,
    results_option,
    whole_plan,
)
from liftbench.comparison import (
    Pair,
    compare_pairs,
    comparison_page,
    folder_pairs,
    method_pairs,
)
from liftbench.runs.process import Execution
from liftbench.runs.store import Store
from liftbench.suites.suite import Limits
from liftbench.tables import to_markdown
from liftbench.tables.gathering import is_control
from liftbench.tables.wording import name_text


@click.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--suite", "suite_name", help="A and B are methods of this suite.")
@data_root_option
@results_option
@click.pass_obj
def compare(
    plugin_files: tuple[Path, ...],
    *,
    a: str,
    b: str,
    suite_name: str | None,
    data_root: Path | None,
    results: Path,
) -> None:
    """Say where A is better than B: two methods of a suite, or two folders of results.

    Two folders are compared run by run: the same method with the same parameters on the same data.
    The errors come from stored predictions and the data's truth. The units of the test are
    sequences, because the frames of a sequence are correlated.
    """
    registry = open_registry(plugin_files)
    bench = open_bench(registry, data_root, Execution(), Limits())
    if suite_name is None:
        pairs, title = folder_pairs(registry, Path(a), Path(b)), f"{a} and {b}"
        names: Sequence[str] = _protocols_of(pairs)
    else:
        suite = open_suite(registry, suite_name)
        store = Store(results / suite.name)
        pairs = method_pairs(whole_plan(suite, registry, bench.root, store), store, a, b)
        a, b = (name_text(x, supervised=is_control(suite, registry, x)) for x in (a, b))
        title, names = f"{a} and {b}: {suite.title}", suite.protocols
    protocols = [registry.protocols[name] for name in names]
    comparisons = compare_pairs(bench, [pair for pair in pairs if not pair.reason], protocols)
    absent = [pair for pair in pairs if pair.reason]
    page = comparison_page(title, (a, b), comparisons, absent, registry)
    click.echo(to_markdown(page), nl=False)


def _protocols_of(pairs: Sequence[Pair]) -> list[str]:
    """Return the names of the protocols that stored runs have scores under."""
    runs = [run for pair in pairs for run in (*pair.a, *pair.b)]
    return sorted({identity.split("@")[0] for run in runs for identity in run.record.scores})
