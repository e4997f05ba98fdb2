"""Writes pages as LaTeX tables with booktabs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from liftbench.tables.page import Page, PagePart, Table, TableCell

_MOST_ROWS = 35  # of a table on one page of paper
_RANKS = ("{}", r"\textbf{{{}}}", r"\textit{{{}}}")
_NAMES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # LaTeX reads a bare [ or * after a line break as an option of the break
    "]": "{]}",
    "*": "{*}",
    "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "…": r"\ldots{}",
    "°": r"$^\circ$",
    "\N{MINUS SIGN}": "$-$",
    "\N{DAGGER}": r"\dag{}",
    "\N{DOUBLE VERTICAL LINE}": r"$\|$",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
"""Replacements of characters that LaTeX reads as commands or that its fonts lack."""


def to_latex(page: Page) -> str:
    """Return a page as LaTeX: each table is a float, and the lists follow.

    The document needs the packages booktabs and graphicx; any engine compiles it.
    """
    floats = [piece for part in page.parts for piece in _floats(part)]
    blocks = [
        "% \\usepackage{booktabs,graphicx}",
        *(_float(page, *piece, number) for number, piece in enumerate(floats, start=1)),
        *(_list(name, items) for name, items in page.lists),
    ]
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """Return plain text as one line of LaTeX that has only ASCII characters."""
    return "".join(map(_character, " ".join(text.split())))


def _character(character: str) -> str:
    if character in _NAMES:
        return _NAMES[character]
    if character.isascii():
        return character if character.isprintable() else ""
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return escape(plain) if plain else f"{{[}}U+{ord(character):04X}{{]}}"


def _floats(part: PagePart) -> Iterator[tuple[PagePart, Table]]:
    """Yield the pieces of all tables of a part; only the first piece has the legend."""
    for table in part.tables:
        for piece in _pieces(table):
            yield part, piece
            part = replace(part, legend="")


def _pieces(table: Table) -> Iterator[Table]:
    """Yield the pieces of a table, each of which fits on a page."""
    count = max(1, -(-len(table.rows) // _MOST_ROWS))
    for piece in range(count):
        heading = table.heading + (f", part {piece + 1} of {count}" if count > 1 else "")
        yield replace(table, heading=heading, rows=table.rows[piece * _MOST_ROWS :][:_MOST_ROWS])


def _float(page: Page, part: PagePart, table: Table, number: int) -> str:
    label = re.sub(r"[^a-z0-9]+", "-", page.name.lower()).strip("-")
    caption = f"{page.title}: {table.heading}. {part.caption}"
    rows = [f"    {_row(map(_cell, row))}" for row in table.rows]
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{escape(caption)}}}",
            rf"  \label{{tab:{label}-{number}}}",
            # Shrink a table that is wider than the text column.
            r"  \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"  \begin{{tabular}}{{@{{}}{'l' * len(table.header)}@{{}}}}",
            r"    \toprule",
            f"    {_row(map(_name, table.header))}",
            r"    \midrule",
            *rows,
            r"    \bottomrule",
            r"  \end{tabular}}",
            *(
                [rf"  \par\smallskip\footnotesize\raggedright {escape(part.legend)}"]
                if part.legend
                else []
            ),
            r"\end{table}",
        ]
    )


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _name(text: str) -> str:
    """Return the name of a column, broken into lines after commas and semicolons."""
    return _stack("b", [escape(part) for part in re.split(r"(?<=[,;])", text)])


def _cell(cell: TableCell) -> str:
    text = [_RANKS[cell.rank].format(escape(cell.text))] if cell.text else []
    aside = [rf"\footnotesize {escape(line)}" for line in cell.aside.splitlines()]
    return _stack("t", text + aside)


def _stack(anchor: str, lines: Sequence[str]) -> str:
    """Return lines one above the other; `anchor` says which one is level with the row: t or b."""
    if len(lines) < 2:
        return "".join(lines)
    stack = r" \\ ".join(lines)
    return rf"\begin{{tabular}}[{anchor}]{{@{{}}l@{{}}}}{stack}\end{{tabular}}"


def _list(name: str, items: Iterable[str]) -> str:
    lines = [rf"  \item {escape(item)}" for item in items]
    return "\n".join([f"{escape(name)}:", r"\begin{itemize}\raggedright", *lines, r"\end{itemize}"])
