"""The page in a real browser: what a reader sees and does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from liftbench.report import SuiteReport, render_page

if TYPE_CHECKING:
    from tests.harness.report.conftest import Browser

MARKUP = "<img src=x onerror="


@pytest.fixture
def page(report: SuiteReport, tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(render_page("A report", [report]), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    browser.open(page)
    return browser


def column(browser: Browser, index: int) -> Any:
    """Return the texts of a column of the first leaderboard."""
    return browser.run(
        "return [...document.querySelector('table.board').tBodies[0].rows]"
        f".map(row => row.cells[{index}].innerText.trim())"
    )


def press_header(browser: Browser, index: int) -> Any:
    """Press a column's header and return its `aria-sort`."""
    return browser.run(
        f"const header = document.querySelector('table.board').tHead.rows[0].cells[{index}];"
        "header.querySelector('button').click(); return header.getAttribute('aria-sort')"
    )


def picture(browser: Browser, index: int = 0) -> Any:
    browser.settle()
    return browser.run(f"return document.querySelectorAll('canvas')[{index}].toDataURL()")


def choose(browser: Browser, label: str, index: int, part: str = "columns") -> None:
    """Choose an option of a select of a part of the page."""
    browser.run(
        f"const select = [...document.querySelectorAll('[data-draw={part}] .choice')]"
        f".find(choice => choice.firstChild.textContent === {label!r}).querySelector('select');"
        f"select.selectedIndex = {index}; select.dispatchEvent(new Event('change'))"
    )
    browser.settle()


def everything(browser: Browser) -> None:
    """Open all folded parts and choose every option of every select."""
    browser.run(
        "for (let i = 0; i < 2; i += 1) for (const select of document.querySelectorAll('select')) "
        "for (const option of select.options) { select.value = option.value; "
        "select.dispatchEvent(new Event('change')); }"
        "for (const details of document.querySelectorAll('details')) details.open = true;"
    )
    browser.settle()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_it_opens_from_a_file_without_a_request_or_a_complaint(
    browser: Browser, page: Path, width: int, dark: bool
) -> None:
    browser.open(page, width=width, dark=dark)
    everything(browser)
    sent = [request for request in browser.requests if not request.startswith("data:")]
    assert sent == [page.resolve().as_uri()]
    assert browser.complaints == []
    charts = (
        "return [...document.querySelectorAll('.chart')].filter(c => c.querySelector('path, rect'))"
    )
    assert browser.run(f"{charts}.length") == browser.run(
        "return document.querySelectorAll('.chart').length"
    )


def test_the_browser_reports_violations(browser: Browser, page: Path, tmp_path: Path) -> None:
    """The checks above can fail: another script and a request are reported, and blocked."""
    worse = tmp_path / "worse.html"
    extra = "<script>document.title = 'owned'</script><img src='https://example.org/x.png'>"
    worse.write_text(page.read_text(encoding="utf-8").replace("<main>", f"<main>{extra}"), "utf-8")
    browser.open(worse)
    assert len(browser.complaints) >= 2
    assert browser.run("return document.title") == "A report"


def test_markup_in_names_shows_as_text(opened: Browser) -> None:
    everything(opened)
    choose(opened, "Data", 1, "planes")
    assert opened.run("return document.querySelectorAll('img').length") == 0
    assert opened.run("return document.title") == "A report"
    for place in (
        "table.board th",
        ".legend li",
        "figcaption",
        "option",
        ".heat caption",
        ".numbers td",
    ):
        shown = opened.run(
            f"return [...document.querySelectorAll({place!r})].filter(e => "
            f"e.textContent.includes({MARKUP!r})).length"
        )
        assert shown > 0, place


def test_tables_sort_by_our_number_and_empty_cells_stay_last(opened: Browser) -> None:
    names = column(opened, 0)
    assert press_header(opened, 1) == "ascending"
    assert column(opened, 0)[:4] == ["d", "a", "b", "c"]
    assert set(column(opened, 0)[4:]) == {"e", names[-1]}
    assert press_header(opened, 1) == "descending"
    assert column(opened, 0)[:4] == ["c", "b", "a", "d"]
    assert set(column(opened, 0)[4:]) == {"e", names[-1]}
    assert press_header(opened, 0) == "ascending"
    assert column(opened, 0) == [names[-1], "a", "b", "c", "d", "e"]
    sorts = "return document.querySelectorAll('table.board [aria-sort]').length"
    assert opened.run(sorts) == 1


def test_headers_are_reached_and_pressed_by_keys(opened: Browser) -> None:
    opened.run("document.querySelector('table.board thead button').focus()")
    opened.send("Input.dispatchKeyEvent", type="keyDown", key="Enter", text="\r")
    assert column(opened, 0)[1:] == ["a", "b", "c", "d", "e"]


def test_frames_turn_by_drag_and_together(opened: Browser) -> None:
    before = [picture(opened, i) for i in range(3)]
    assert len(set(before)) == 3
    opened.run("document.querySelector('canvas').scrollIntoView({block: 'center'})")
    x, y = opened.run(
        "const b = document.querySelector('canvas').getBoundingClientRect(); "
        "return [b.x + b.width / 2, b.y + b.height / 2]"
    )
    opened.drag(x, y, 60, 25)
    after = [picture(opened, i) for i in range(3)]
    assert all(one != other for one, other in zip(before, after, strict=True))
    opened.drag(x, y, -60, -25)
    assert picture(opened) == before[0]


def test_meshes_are_painted_and_turn_together(opened: Browser) -> None:
    """A report has three frames in space, and then two meshes."""
    before = [picture(opened, i) for i in (3, 4)]
    assert len(set(before)) == 2
    painted = opened.run(
        "const c = document.querySelectorAll('canvas')[3];"
        "const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "let n = 0; for (let i = 3; i < p.length; i += 4) n += p[i] > 0; return n;"
    )
    assert painted > 100
    opened.run("document.querySelectorAll('canvas')[4].focus()")
    opened.press("ArrowLeft")
    after = [picture(opened, i) for i in (3, 4)]
    assert all(one != other for one, other in zip(before, after, strict=True))
    opened.press("Home")
    assert [picture(opened, i) for i in (3, 4)] == before


@pytest.mark.parametrize("key", ["ArrowLeft", "ArrowUp", "+"])
def test_frames_turn_by_keys(opened: Browser, key: str) -> None:
    before = picture(opened)
    opened.run("document.querySelector('canvas').focus()")
    opened.press(key)
    assert picture(opened) != before
    opened.press("Home")
    assert picture(opened) == before


def test_frames_of_another_method_are_shown_when_it_is_chosen(opened: Browser) -> None:
    before = picture(opened)
    choose(opened, "Method", 1)
    assert picture(opened) != before
    label = opened.run("return document.querySelector('canvas').getAttribute('aria-label')")
    assert MARKUP in label
    assert "farthest off" in label


def test_hidden_points_are_marked_and_explained(opened: Browser) -> None:
    assert "hidden from the method" in opened.run("return document.body.innerText")
    points = opened.run(
        "const host = document.querySelector('.scene .numbers'); host.open = true; "
        "await new Promise(r => setTimeout(r)); return [...host.querySelectorAll('tbody tr')]"
        ".map(row => row.cells[2].innerText)"
    )
    assert points == ["hidden", "", "", "", "", "not scored"]


def test_robustness_has_curves_with_bands_heat_maps_and_areas(opened: Browser) -> None:
    def count(selector: str) -> Any:
        return opened.run(
            f"return document.querySelectorAll('[data-draw=planes] {selector}').length"
        )

    def cells(table: str) -> Any:
        return opened.run(
            f"return [...document.querySelectorAll('[data-draw=planes] {table} td')]"
            ".map(cell => cell.innerText)"
        )

    assert (count(".line"), count(".band"), count(".printed-line")) == (2, 1, 1)
    assert cells("table.heat") == ["0.125\n± 0.0071", "0.25\n(p 0.3)", "0.5\n± 0.14"]
    assert cells("table:not(.heat)") == ["0.125 ± 0.0071", "0.5 ± 0.14", "0.241", "2.01"]
    choose(opened, "Data", 1, "planes")
    assert count(".chart") == 2, "one for each share of hidden points"
    assert cells("table.heat") == ["0.1", "0.2", "0.3", "", "0.5", "0.8"]
    assert cells("table:not(.heat)") == ["0.1", "0.8", "n/a (5 of 6 cells)", "\N{EN DASH}"]
    shades = opened.run(
        "return [...document.querySelectorAll('.heat td')]"
        ".map(cell => getComputedStyle(cell).backgroundColor)"
    )
    assert len(set(shades)) == 6, "each number has its own, and none has that of the page"


def test_every_drawing_has_a_label(opened: Browser) -> None:
    drawn = opened.run(
        "return [...document.querySelectorAll('.chart, canvas')]"
        ".map(e => [e.getAttribute('role'), e.getAttribute('aria-label')])"
    )
    assert len(drawn) == 9
    assert all(role == "img" and len(label) > 20 for role, label in drawn)


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_is_never_wider_than_the_screen(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width=width)
    everything(browser)
    assert browser.run("return document.documentElement.scrollWidth") <= width


def test_dark_mode_has_light_text_on_dark(browser: Browser, page: Path) -> None:
    shades = {}
    for dark in (False, True):
        browser.open(page, dark=dark)
        shades[dark] = browser.run(
            "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
            ".map(c => c.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0))"
        )
    assert shades[False][0] > 600 > 200 > shades[False][1]
    assert shades[True][0] < 200 < 600 < shades[True][1]


def test_one_suite_is_shown_at_a_time(
    browser: Browser, report: SuiteReport, tmp_path: Path
) -> None:
    path = tmp_path / "all.html"
    path.write_text(render_page("All", [report, report]), encoding="utf-8")
    browser.open(path)
    assert browser.complaints == []
    shown = "return [...document.querySelectorAll('section.suite')].map(s => !s.hidden)"
    assert browser.run(shown) == [False, False]
    browser.run("document.querySelectorAll('#overview tbody a')[1].click()")
    browser.settle()
    assert browser.run(shown) == [False, True]
    assert browser.run("return document.querySelectorAll('#suite-1 canvas').length") == 5
    browser.run("history.back()")
    browser.wait_until(shown, [False, False])
    assert browser.requests == [path.resolve().as_uri()]
    assert browser.complaints == []
