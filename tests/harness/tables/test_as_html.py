"""The HTML page shows all its texts and takes no tag from them."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from liftbench.tables import to_html
from liftbench.tables.page import Page, PagePart, Table, TableCell

TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h2",
        "h3",
        "p",
        "div",
        "table",
        "thead",
    ),
    *("tbody", "tr", "th", "td", "strong", "em", "small", "ul", "li"),
}
ATTRIBUTES = {"lang", "charset", "name", "content", "scope", "class"}
_VOID = ("meta",)


class Reader(HTMLParser):
    """Collects tags and texts, and checks that tags are closed in the right order."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(document)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert {name for name, _ in attrs} <= ATTRIBUTES
        self.tags.append(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data))


def page(text: str) -> Page:
    table = Table(
        text,
        ("method", text),
        ((TableCell(text), TableCell("1", text, 1)), (TableCell("b"), TableCell("2", "", 2))),
    )
    return Page("name", text, (PagePart(text, text, "legend", (table,)),), (("Notes", (text,)),))


def test_every_text_of_the_page_is_in_its_tag() -> None:
    texts = Reader(to_html(page("<img src=x onerror=alert(1)>"))).texts
    hostile = "<img src=x onerror=alert(1)>"
    assert [text for text in texts if text[0] != "style"] == [
        *(
            ("title", hostile),
            ("h1", hostile),
            ("h2", hostile),
            ("p", hostile),
            ("p", "legend"),
            ("h3", hostile),
        ),
        *(("th", "method"), ("th", hostile)),
        *(("td", hostile), ("strong", "1"), ("small", hostile), ("td", "b"), ("em", "2")),
        *(("h2", "Notes"), ("li", hostile)),
    ]


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"))))
def test_any_text_stays_text(drawn: str) -> None:
    text = f"<{drawn}>"  # a text that the page does not have otherwise
    found = Reader(to_html(page(text))).texts
    assert sum(shown == text for _, shown in found) == 9


def test_nothing_is_fetched() -> None:
    document = to_html(page("text"))
    for word in ("http", "url(", "@import", "<script", "<link"):
        assert word not in document
