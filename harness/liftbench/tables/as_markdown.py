"""Writes pages as Markdown, which is also what a terminal shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tabulate import tabulate

from liftbench.tables.page import Page, TableCell

_RANKS = ("{}", "**{}**", "*{}*")
_SPECIAL = re.compile(r"([\\`*<\[|])")


def to_markdown(page: Page) -> str:
    """Return a page as Markdown."""
    return "\n\n".join([f"# {escape(page.title)}", *_blocks(page)]) + "\n"


def _blocks(page: Page) -> Iterator[str]:
    for part in page.parts:
        yield f"## {escape(part.heading)}"
        yield from (escape(text) for text in (part.caption, part.legend) if text)
        for table in part.tables:
            yield f"### {escape(table.heading)}"
            rows = ([_cell(cell) for cell in row] for row in table.rows)
            yield markdown_table([escape(name) for name in table.header], rows)
    for name, items in page.lists:
        yield f"## {name}"
        yield "\n".join(f"- {escape(item)}" for item in items)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the header and the cells must be Markdown already."""
    return tabulate(list(rows), headers=header, tablefmt="github", disable_numparse=True)


def escape(text: str) -> str:
    """Return plain text as one line of Markdown that shows it unchanged."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _cell(cell: TableCell) -> str:
    text = _RANKS[cell.rank].format(escape(cell.text)) if cell.text else ""
    return " ".join(filter(None, (text, escape(cell.aside))))
