"""The page as text: it is complete and escaped, and loads nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from liftbench.report import SuiteReport, render_page


class Reader(HTMLParser):
    """Keeps the elements of a page and the text of its scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem in self.raw:
            self.raw[str(self.cdata_elem)].append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(report: SuiteReport) -> Reader:
    return Reader(render_page("A report", [report], ["figures/a.png"]))


def test_markup_in_names_is_text(page: Reader) -> None:
    assert page.all("img") == []
    assert page.all("b") == []
    assert len(page.all("script")) == 2
    handlers = [name for _, attributes in page.elements for name in attributes if name[:2] == "on"]
    assert handlers == []


def test_runs_are_counted_by_how_they_ended(report: SuiteReport) -> None:
    counts = "2 of 3 runs stored: 1 ok, 1 out of memory."
    assert render_page("A report", [report]).count(counts) == 1


def test_nothing_is_fetched(page: Reader) -> None:
    links = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "action", "data", "srcset")
    ]
    assert [link for link in links if not str(link).startswith("#")] == ["figures/a.png"]
    assert not re.search(r"url\(|@import", page.raw["style"][0])
    assert not re.search(r"fetch\(|XMLHttp|import\(|WebSocket", page.raw["script"][1])


def test_policy_allows_only_this_style_and_this_script(page: Reader) -> None:
    (policy,) = (m["content"] for m in page.all("meta") if m.get("http-equiv"))
    for kind, text in (("style", page.raw["style"][0]), ("script", page.raw["script"][1])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in str(policy)
    assert str(policy).startswith("default-src 'none';")
    assert "unsafe" not in str(policy)
    assert "img-src data:;" in str(policy)  # pictures lie in the page itself
    assert not any("style" in attributes for _, attributes in page.elements)


def test_no_name_can_end_the_json_of_the_data(page: Reader, report: SuiteReport) -> None:
    text = page.raw["script"][0]
    assert "<" not in text
    (suite,) = json.loads(text)
    assert suite["methods"] == list(report.methods)
    assert suite["bars"][0]["bars"][0]["source"] == report.bars[0].bars[0].source


def test_a_sweep_is_a_plane_for_each_split_and_value_of_further_axes(page: Reader) -> None:
    (suite,) = json.loads(page.raw["script"][0])
    curve, plane, *further = suite["planes"]
    (ours,) = curve["surfaces"]
    assert curve["second"] is None
    assert curve["first"]["severities"] == [0, 3, 5]
    assert ours["mean"] == [[0.125], [0.25], [0.5]]
    assert ours["std"][1] == [None]
    assert ours["printed"] == [[None], [0.3], [None]]
    assert ours["area"] == pytest.approx((0.6 * (0.12 + 0.25) + 0.4 * (0.25 + 0.4)) / 2)
    assert ours["cost"] == pytest.approx(ours["area"] / 0.12)
    assert ours["area_std"] is plane["surfaces"][0]["area"] is None
    assert plane["surfaces"][0]["mean"] == [[0.1, 0.2], [0.3, None], [0.5, 0.8]]
    assert plane["second"]["labels"] == ["0", "30"]
    assert [one["title"].rpartition(", ")[2] for one in further] == [
        "occlusion false",
        "occlusion true",
    ]
    assert further[1]["surfaces"][0]["mean"] == [[1.1, 1.2], [1.3, None], [1.5, 1.8]]


def test_packed_points_are_those_of_the_scene(page: Reader, report: SuiteReport) -> None:
    (suite,) = json.loads(page.raw["script"][0])
    frame: Any = report.splits[1].galleries[0].frames[2]
    packed = suite["columns"][1]["galleries"][0]["scenes"][2]
    points = np.frombuffer(base64.b64decode(packed["points"]), "<i2").reshape(2, 6, 3)
    known = np.array([*frame.truth[:5], frame.predicted[5]])  # the last point does not count
    expected = np.stack([frame.predicted, known]) - known.mean(axis=0)
    assert np.abs(points * packed["scale"] - expected).max() <= packed["scale"] / 2 * 1.001
    assert np.abs(points).max() == 32767
    assert (packed["hidden"], packed["uncounted"]) == ([2], [5])


def test_packed_meshes_are_those_of_the_frames(page: Reader, report: SuiteReport) -> None:
    (suite,) = json.loads(page.raw["script"][0])
    gallery, packed = report.meshes[1], suite["meshes"][1]
    corners = np.frombuffer(base64.b64decode(packed["faces"]), "<u2").reshape(-1, 3)
    assert (corners == gallery.faces).all()
    assert [shown["name"] for shown in packed["frames"]] == ["best frame 7", "worst frame 8"]
    for frame, shown in zip(gallery.frames, packed["frames"], strict=True):
        packed_places = np.frombuffer(base64.b64decode(shown["vertices"]), "<i2")
        places = packed_places.reshape(-1, 3).astype(np.float64)
        sizes = np.ptp(places, axis=0) / np.ptp(frame.vertices, axis=0)
        np.testing.assert_allclose(sizes, sizes[0], rtol=1e-3)
        assert np.abs(places).max() == 32767
        colours = np.frombuffer(base64.b64decode(shown["colours"]), np.uint8).reshape(-1, 3)
        assert (colours == frame.colours).all()
        assert shown["value"] == frame.value


def test_meshes_that_are_too_large_to_turn_are_named(report: SuiteReport) -> None:
    gallery = report.meshes[0]
    large = replace(gallery, faces=np.tile(gallery.faces, (5001, 1)))
    (suite,) = json.loads(
        Reader(render_page("A", [replace(report, meshes=(large,))])).raw["script"][0]
    )
    assert suite["meshes"][0]["faces"] is None
    assert suite["meshes"][0]["triangles"] == 4 * 5001
    assert "vertices" not in suite["meshes"][0]["frames"][0]


def test_suites_share_a_page(report: SuiteReport) -> None:
    both = Reader(render_page("All", [report, report]))
    assert [s["id"] for s in both.all("section")] == ["suite-0", "suite-1"]
    ids = [attributes["id"] for _, attributes in both.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {str(a["href"]).removeprefix("#") for a in both.all("a")}
    assert targets - {""} <= set(ids)
    assert len(json.loads(both.raw["script"][0])) == 2


def test_points_in_one_place_are_shown(report: SuiteReport) -> None:
    """A protocol that neither scales nor aligns accepts them."""
    frame = report.splits[0].galleries[0].frames[0]
    for points in (frame.predicted, frame.truth):
        points[:] = 1.0
    assert "NaN" not in render_page("A report", [report])
