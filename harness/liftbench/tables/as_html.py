"""Writes pages as HTML: one plain file that loads nothing else."""

from __future__ import annotations

import html
from collections.abc import Iterator

from liftbench.tables.page import Page, Table, TableCell

_RANKS = ("{}", "<strong>{}</strong>", "<em>{}</em>")
_STYLE = """\
:root { color-scheme: light dark; }
body { font-family: system-ui, sans-serif; line-height: 1.4; margin: 1.5rem; }
p, li { max-width: 50rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin-bottom: 1.5rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.7rem; text-align: left; vertical-align: baseline; }
td { white-space: nowrap; }
th { min-width: 6rem; vertical-align: bottom; }
thead { border-bottom: 1px solid; }
small { display: block; opacity: 0.75; white-space: pre; }
"""


def to_html(page: Page) -> str:
    """Return a page as a whole HTML document."""
    body = "\n".join(_blocks(page))
    title = html.escape(page.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>\n{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )


def _blocks(page: Page) -> Iterator[str]:
    for part in page.parts:
        yield f"<h2>{html.escape(part.heading)}</h2>"
        for text in filter(None, (part.caption, part.legend)):
            yield f"<p>{html.escape(text)}</p>"
        for table in part.tables:
            yield f"<h3>{html.escape(table.heading)}</h3>"
            yield _table(table)
    for name, items in page.lists:
        yield f"<h2>{html.escape(name)}</h2>"
        yield "\n".join(["<ul>", *(f"<li>{html.escape(item)}</li>" for item in items), "</ul>"])


def _table(table: Table) -> str:
    header = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in table.header)
    rows = "\n".join(
        f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in table.rows
    )
    return (
        f'<div class="wide"><table>\n<thead><tr>{header}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _cell(cell: TableCell) -> str:
    text = _RANKS[cell.rank].format(html.escape(cell.text)) if cell.text else ""
    aside = f"<small>{html.escape(cell.aside)}</small>" if cell.aside else ""
    return " ".join(filter(None, (text, aside)))
