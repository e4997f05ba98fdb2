"""Finds the printed numbers that belong to the cells of a suite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from liftbench.errors import UserError
from liftbench.plugin.registry import Registry
from liftbench.protocols.protocol import Protocol
from liftbench.runs.scoring import unit_of
from liftbench.suites.published import PublishedNumber
from liftbench.suites.suite import Suite, SuitePublished
from liftbench.tables.board import Position

_NO_LENGTHS = ("ratio", "percent")


def printed_numbers(
    suite: Suite, protocol: Protocol, registry: Registry, published: Sequence[PublishedNumber]
) -> dict[Position, list[PublishedNumber]]:
    """Return the printed numbers of the suite's tables under one protocol by their position.

    Raises:
        UserError: a number is printed in a unit that the protocol's numbers cannot have, or a
            row of the suite should have numbers that its table does not print.
    """
    unit = unit_of(protocol, registry)
    found: dict[Position, list[PublishedNumber]] = {}
    for table in suite.published:
        of_table = [number for number in published if _belongs_to(number, table)]
        _require_printed_rows(suite, table, of_table)
        for number in of_table:
            if table.metrics.get(number.metric, number.metric) != protocol.name:
                continue
            if not _same_kind(unit, number.unit):
                raise UserError(
                    f"suite '{suite.name}': {number.source} prints {number.metric} in "
                    f"{number.unit}, but '{protocol.name}' is in {unit}; name another protocol "
                    "under 'metrics'"
                )
            found.setdefault(_position(suite, table, number), []).append(number)
    return found


def _belongs_to(number: PublishedNumber, table: SuitePublished) -> bool:
    """Return whether a number is one of those of a printed table that a suite names."""
    same = (number.paper, number.table) == (table.paper, table.table)
    return same and (not table.only or table.only in number.setting.split(";"))


def _position(suite: Suite, table: SuitePublished, number: PublishedNumber) -> Position:
    """Return where a number of a printed table stands among the suite's tables."""
    rows = {key: row for row, printed in table.rows.items() for key in printed.keys}
    row = rows.get((number.method, number.setting))
    return Position(
        row or table.methods.get(number.method, number.method),
        table.datasets.get(number.dataset, number.dataset),
        number.subset,
        table.splits.get(number.split, number.split),
        table.settings.get(number.setting, number.setting if row is None else suite.setting),
    )


def _require_printed_rows(
    suite: Suite, table: SuitePublished, numbers: Iterable[PublishedNumber]
) -> None:
    """Raise UserError if a row should have numbers that its table does not print."""
    there = {(number.method, number.setting) for number in numbers}
    keys = [(row, key) for row, printed in table.rows.items() for key in printed.keys]
    for row, (method, setting) in keys:
        if (method, setting) in there:
            continue
        settings = sorted(known for other, known in there if other == method)
        raise UserError(
            f"suite '{suite.name}': published {table.paper} {table.table}: rows: {row}: "
            f"no number of '{method}' under '{setting}' is printed, expected "
            f"one of its settings: {', '.join(map(repr, settings)) or 'it has none'}"
        )


def _same_kind(ours: str, printed: str) -> bool:
    return printed not in _NO_LENGTHS if ours == "length" else printed == ours


def sources(numbers: Sequence[PublishedNumber]) -> str:
    """Return the tables that print the numbers, with the value where it differs from the first."""
    if not numbers:
        return ""
    first, *others = numbers
    also = [f"{n.source}: {n.value:g}" if n.value != first.value else n.source for n in others]
    return "; also ".join([first.source, *also])
