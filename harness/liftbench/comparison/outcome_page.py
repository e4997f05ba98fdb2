"""The page of a comparison of two methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from liftbench.comparison.paired import Comparison, SideMean
from liftbench.comparison.pairs import Pair
from liftbench.comparison.significance import FEWEST_CLUSTERS, LEVEL, STATEMENT, PairedTest
from liftbench.plugin.registry import Registry
from liftbench.runs.scoring import more_is_better
from liftbench.tables.page import Page, PagePart, Table, TableCell
from liftbench.tables.wording import CONTROL, SUPERVISED, absent_lines, sentences, signed_text

_DECIMALS = 4
_READING = (
    f"Marks: + A is better, - A is worse, ~ no significant difference at {LEVEL:.0%}, x not "
    "comparable.",
    "Errors are means over n seeds, compared in the same frames. The test covers these trainings "
    "and makes no statement about other seeds.",
    "Frames of a sequence are correlated, so sequences are the units of the test; for the mean of "
    "several subsets, such as subjects, the subsets are the units.",
    f"{STATEMENT}.",
    "Each row is a separate test: of twenty rows without a true difference, one is marked by "
    "chance.",
)
_HEADER = ("subset", "split", "A", "B", "A minus B", "95% interval", "p", "units", "mark")


def comparison_page(
    title: str,
    sides: tuple[str, str],
    comparisons: Mapping[str, Sequence[Comparison]],
    absent: Sequence[Pair],
    registry: Registry,
) -> Page:
    """Return the page of all comparisons, with a part for each protocol.

    Args:
        title: the title of the page.
        sides: descriptions of A and of B; supervised controls are marked.
        comparisons: the comparisons by the name of their protocol.
        absent: the pairs that cannot be compared, with their reasons.
        registry: the registry with the protocols.
    """
    parts = []
    for protocol in (registry.protocols[name] for name in comparisons):
        tables: dict[str, list[tuple[TableCell, ...]]] = {}
        for comparison in comparisons[protocol.name]:
            tables.setdefault(comparison.name, []).append(_row(comparison))
        caption = sentences(
            f"Protocol {protocol.identity}: {protocol.description}",
            f"{'Higher' if more_is_better(protocol, registry) else 'Lower'} is better",
        )
        shown = (Table(name, _HEADER, tuple(rows)) for name, rows in tables.items())
        parts.append(PagePart(protocol.identity, caption, "", tuple(shown)))
    without = tuple(absent_lines((pair.name, pair.subset, pair.reason) for pair in absent))
    named = (*sides, *(table.heading for part in parts for table in part.tables))
    control = (f"{CONTROL}.",) if SUPERVISED in "".join(named) else ()
    lists = (
        *((("Not compared", without),) if without else ()),
        ("How to read it", (f"A: {sides[0]}", f"B: {sides[1]}", *_READING, *control)),
    )
    return Page("comparison", title, tuple(parts), lists)


def _row(comparison: Comparison) -> tuple[TableCell, ...]:
    names = TableCell(comparison.subset), TableCell(comparison.split)
    reason = f"({comparison.reason})" if comparison.reason else ""
    mark = TableCell(comparison.mark, reason)
    if comparison.test is None:
        return *names, *(TableCell() for _ in _HEADER[3:]), mark
    return *names, *map(_number, comparison.sides), *_test_cells(comparison.test), mark


def _number(side: SideMean) -> TableCell:
    return TableCell(f"{side.value:.{_DECIMALS}f}", f"(n={side.seeds})" if side.seeds > 1 else "")


def _test_cells(test: PairedTest) -> tuple[TableCell, ...]:
    """Return the effect, its interval, the p-value and the number of units."""
    effect, units = TableCell(signed_text(test.effect, _DECIMALS)), TableCell(str(test.clusters))
    if test.clusters < FEWEST_CLUSTERS:
        return effect, TableCell(), TableCell(), units
    interval = " to ".join(signed_text(end, _DECIMALS) for end in (test.low, test.high))
    return effect, TableCell(interval), TableCell(f"{test.p:.2g}"), units
