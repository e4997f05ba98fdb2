"""Comparisons as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from liftbench.comparison.paired import Comparison, SideMean
from liftbench.comparison.pairs import Pair
from liftbench.comparison.significance import FEWEST_CLUSTERS, LEVEL, STATEMENT, PairedTest
from liftbench.plugin.registry import Registry
from liftbench.runs.scoring import more_is_better
from liftbench.tables.page import Page, PagePart, Table, TableCell
from liftbench.tables.wording import absent_lines, sentences, signed_text

_DECIMALS = 4
_READING = (
    f"Marks: + A is better, - A is worse, ~ no difference to be seen at {LEVEL:.0%}, x cannot be "
    "compared.",
    "Errors of the same frames are compared, means over n seeds. The seeds are taken as given: "
    "nothing is said of other trainings.",
    "Frames of a sequence are alike, so that sequences are the units of the test; of several "
    "subsets together, such as subjects, the subsets are.",
    f"{STATEMENT}.",
    "Every line is a test of its own: of twenty without a difference, one shows one by chance.",
)
_HEADER = ("subset", "split", "A", "B", "A minus B", "95% interval", "p", "units", "mark")


def comparison_page(
    title: str,
    sides: tuple[str, str],
    done: Mapping[str, Sequence[Comparison]],
    absent: Sequence[Pair],
    registry: Registry,
) -> Page:
    """Return the comparisons of two `sides`, a part for each protocol.

    Args:
        title: of the page.
        sides: what A and B are.
        done: comparisons by the name of their protocol.
        absent: pairs that have a reason not to be compared at all.
        registry: has the protocols.
    """
    parts = []
    for protocol in (registry.protocols[name] for name in done):
        tables: dict[str, list[tuple[TableCell, ...]]] = {}
        for one in done[protocol.name]:
            tables.setdefault(one.name, []).append(_line(one))
        caption = sentences(
            f"Protocol {protocol.identity}: {protocol.description}",
            f"{'Higher' if more_is_better(protocol, registry) else 'Lower'} is better",
        )
        shown = (Table(name, _HEADER, tuple(lines)) for name, lines in tables.items())
        parts.append(PagePart(protocol.identity, caption, "", tuple(shown)))
    without = tuple(absent_lines((pair.name, pair.subset, pair.reason) for pair in absent))
    lists = (
        *((("Not compared", without),) if without else ()),
        ("How to read it", (f"A: {sides[0]}", f"B: {sides[1]}", *_READING)),
    )
    return Page("comparison", title, tuple(parts), lists)


def _line(one: Comparison) -> tuple[TableCell, ...]:
    place = TableCell(one.subset), TableCell(one.split)
    mark = TableCell(one.mark, f"({one.reason})" if one.reason else "")
    if one.test is None:
        return *place, *(TableCell() for _ in _HEADER[3:]), mark
    return *place, *map(_number, one.sides), *_test_fields(one.test), mark


def _number(side: SideMean) -> TableCell:
    return TableCell(f"{side.value:.{_DECIMALS}f}", f"(n={side.seeds})" if side.seeds > 1 else "")


def _test_fields(test: PairedTest) -> tuple[TableCell, ...]:
    """Return the effect, its interval, the p-value and the number of units."""
    effect, units = TableCell(signed_text(test.effect, _DECIMALS)), TableCell(str(test.clusters))
    if test.clusters < FEWEST_CLUSTERS:
        return effect, TableCell(), TableCell(), units
    interval = " to ".join(signed_text(end, _DECIMALS) for end in (test.low, test.high))
    return effect, TableCell(interval), TableCell(f"{test.p:.2g}"), units
