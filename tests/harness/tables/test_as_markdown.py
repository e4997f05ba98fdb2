"""Markdown shows any plain text unchanged."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from liftbench.tables import to_markdown
from liftbench.tables.as_markdown import escape
from liftbench.tables.page import Page, PagePart, Table, TableCell

HOSTILE = "<img src=x onerror=alert(1)>|**b**`c`[l](u)\\\n\nnew"
_ESCAPE = re.compile(r"\\([\\`*<\[|])")


@settings(deadline=None)
@given(st.text())
def test_escaped_text_is_on_one_line_and_reads_back(text: str) -> None:
    shown = escape(text)
    assert len(shown.splitlines()) <= 1
    assert not re.search(r"[`*<\[|]", _ESCAPE.sub("", shown))
    assert _ESCAPE.sub(r"\1", shown) == " ".join(text.split())


def test_hostile_text_makes_no_field_line_or_tag() -> None:
    row = (TableCell(HOSTILE), TableCell("1", HOSTILE, 1))
    part = PagePart(HOSTILE, HOSTILE, "", (Table(HOSTILE, ("method", HOSTILE), (row,)),))
    page = Page("name", HOSTILE, (part,), (("Notes", (HOSTILE,)),))
    text = to_markdown(page)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [3, 3, 3]
    assert not re.search(r"(?<!\\)<", text)
    assert sum(line.startswith("#") for line in text.splitlines()) == 4


def test_ranks_are_marked() -> None:
    ranked = (TableCell("1", "x", 1), TableCell("2", "", 2))
    row = (TableCell("a"), *ranked, TableCell("", "y"), TableCell())
    table = Table("t", ("m", "p", "q", "r", "s"), (row,))
    text = to_markdown(Page("name", "title", (PagePart("h", "c", "l", (table,)),)))
    last = text.splitlines()[-1]
    assert [cell.strip() for cell in last.strip("|").split("|")] == ["a", "**1** x", "*2*", "y", ""]
    assert text.startswith("# title\n\n## h\n\nc\n\nl\n\n### t\n\n|")
