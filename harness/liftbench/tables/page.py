"""The contents of a page of tables in plain text, before they are written in any format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rank = Literal[0, 1, 2]


@dataclass(frozen=True)
class TableCell:
    """The contents of one place in a table.

    Attributes:
        text: the main text, which is marked by the rank.
        aside: a remark after the text; it may have several lines.
        rank: 1 marks the best number of a column, 2 the second best, 0 any other.
    """

    text: str = ""
    aside: str = ""
    rank: Rank = 0

    @property
    def plain(self) -> str:
        """The text and the aside on one line."""
        return " ".join([*self.text.split(), *self.aside.split()])


@dataclass(frozen=True)
class Table:
    """A table under a heading; each row has one cell for each name in the header."""

    heading: str
    header: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]


@dataclass(frozen=True)
class PagePart:
    """The tables under one protocol.

    Attributes:
        heading: the protocol's identity.
        caption: what the numbers measure.
        legend: how to read the marks in the tables.
        tables: all tables under the protocol.
    """

    heading: str
    caption: str
    legend: str
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Page:
    """A page of tables.

    Attributes:
        name: names the page's labels and files.
        title: the heading of the page.
        parts: one for each protocol.
        lists: (heading, lines) of each list below the tables.
    """

    name: str
    title: str
    parts: tuple[PagePart, ...]
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()
