"""Finds the printed numbers that belong to the cells of a suite."""

from __future__ import annotations

from collections.abc import Sequence

from liftbench.errors import UserError
from liftbench.plugin.registry import Registry
from liftbench.protocols.protocol import Protocol
from liftbench.runs.scoring import unit_of
from liftbench.suites.published import PublishedNumber
from liftbench.suites.suite import Suite
from liftbench.tables.board import Position

_NO_LENGTHS = ("ratio", "percent")


def printed_numbers(
    suite: Suite, protocol: Protocol, registry: Registry, published: Sequence[PublishedNumber]
) -> dict[Position, list[PublishedNumber]]:
    """Return the printed numbers of the suite's tables under one protocol by their position.

    Raises:
        UserError: a number is printed in a unit that the protocol's numbers cannot have.
    """
    unit = unit_of(protocol, registry)
    found: dict[Position, list[PublishedNumber]] = {}
    for table in suite.published:
        for number in published:
            metric = table.metrics.get(number.metric, number.metric)
            if (number.paper, number.table) != (table.paper, table.table):
                continue
            if metric != protocol.name:
                continue
            if not _same_kind(unit, number.unit):
                raise UserError(
                    f"suite '{suite.name}': {number.source} prints {number.metric} in "
                    f"{number.unit}, but '{protocol.name}' is in {unit}; name another protocol "
                    "under 'metrics'"
                )
            position = Position(
                table.methods.get(number.method, number.method),
                number.dataset,
                number.subset,
                table.splits.get(number.split, number.split),
                table.settings.get(number.setting, number.setting),
            )
            found.setdefault(position, []).append(number)
    return found


def _same_kind(ours: str, printed: str) -> bool:
    return printed not in _NO_LENGTHS if ours == "length" else printed == ours


def sources(numbers: Sequence[PublishedNumber]) -> str:
    """Return the tables that print the numbers, with the value where it differs from the first."""
    if not numbers:
        return ""
    first, *others = numbers
    also = [f"{n.source}: {n.value:g}" if n.value != first.value else n.source for n in others]
    return "; also ".join([first.source, *also])
