"""`liftbench report`: what it writes from stored runs, and how it reports what is missing."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import Result
from tests.harness.sweeps.conftest import Swept

from liftbench.plugin.registry import Registry

if TYPE_CHECKING:
    from tests.harness.conftest import TinyBench
    from tests.harness.report.conftest import Browser


def report(bench: TinyBench, *words: object, plugins: tuple[str, ...] = ("tiny",)) -> Result:
    return bench.call("report", *words, plugins=plugins)


def drawn(page: Path) -> Any:
    """Return the data that the page's script draws for its first suite."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert found is not None
    return json.loads(found[1])[0]


def test_it_writes_a_page_and_figures_beside_it(finished: TinyBench) -> None:
    result = report(finished, finished.folder / "small.yaml")
    assert result.exit_code == 0
    folder = finished.store().folder
    figures = sorted((folder / "figures").iterdir())
    assert f"wrote {folder / 'report.html'}" in result.stdout
    assert f"{len(figures)} figures" in result.stdout
    page = (folder / "report.html").read_text(encoding="utf-8")
    for text in ("seeded", "urandom", "rigid", "liftbench run small", "numpy", *map(str, figures)):
        assert text.removeprefix(f"{folder}/") in page
    assert "No error distributions" not in page


def test_it_shows_every_split_seed_and_training(finished: TinyBench) -> None:
    report(finished, finished.folder / "small.yaml")
    suite = drawn(finished.store().folder / "report.html")
    assert [c["title"] for c in suite["columns"]] == ["tiny, one, train", "tiny, one, unseen"]
    train = suite["columns"][0]
    seeds = {s["method"]: (s["seeds"], s["frames"]) for s in train["spreads"]}
    assert seeds == {"seeded": (2, 16), "urandom": (1, 8), "rigid": (1, 8)}
    assert {len(g["scenes"]) for g in train["galleries"]} == {3}
    (training,) = suite["trainings"]
    assert {(c["method"], c["seed"]) for c in training["curves"]} == {("seeded", 0), ("seeded", 1)}
    assert training["curves"][0]["points"] == [[1, 0.5], [2, 0.25]]


def test_it_shows_the_errors_of_trainings(bench: TinyBench) -> None:
    suite = bench.suite(protocol="depth_error", methods={"trainee": {}})
    plugins = ("tiny", "trainee")
    assert bench.call("run", suite, plugins=plugins).exit_code == 0
    assert report(bench, suite, plugins=plugins).exit_code == 0
    (chart,) = drawn(bench.store().folder / "report.html")["trainings"]
    assert (chart["title"], chart["quantity"]) == ("tiny, one, train", "depth_error@1 (length)")
    ((step, value), *_) = bench.records()["trainee"].error_curve["depth_error@1"]["train"]
    assert chart["curves"][0]["points"][0] == [step, pytest.approx(value, rel=1e-4)]


def test_worst_frames_are_those_of_the_stored_predictions(finished: TinyBench) -> None:
    report(finished, finished.folder / "small.yaml")
    (train, _) = drawn(finished.store().folder / "report.html")["columns"]
    record = finished.records()["rigid"]
    (gallery,) = (g for g in train["galleries"] if g["method"] == "rigid")
    best, median, worst = (scene["error"] for scene in gallery["scenes"])
    assert best <= median <= worst
    assert best <= record.scores["e3d@1"]["train"].value <= worst
    assert gallery["key"] == record.spec.key


@pytest.mark.parametrize(
    ("protocol", "unit"), [("e3d@1", "ratio"), ("mpjpe@1", "m"), ("e3d_akhter@2", "ratio")]
)
def test_errors_have_the_unit_of_the_protocol(
    finished: TinyBench, protocol: str, unit: str
) -> None:
    suite = finished.folder / "small.yaml"
    suite.write_text(suite.read_text().replace("protocol: e3d", f"protocol: {protocol[:-2]}"))
    assert report(finished, suite).exit_code == 0
    metrics = {c["metric"] for c in drawn(finished.store().folder / "report.html")["columns"]}
    assert metrics == {f"{protocol} ({unit})"}


@pytest.mark.parametrize("absent", ["predictions", "data", "both"])
def test_a_fresh_clone_has_a_report_that_says_what_it_lacks(
    finished: TinyBench, absent: str
) -> None:
    if absent != "data":
        for file in finished.results.rglob("*.npz"):
            file.unlink()
    if absent != "predictions":
        shutil.rmtree(finished.root / "tiny")
    result = report(finished, finished.folder / "small.yaml")
    assert result.exit_code == 0
    page = finished.store().folder / "report.html"
    assert "No error distributions and reconstructions of 4 runs: " in page.read_text("utf-8")
    assert str(finished.root) not in page.read_text("utf-8")
    suite = drawn(page)
    assert suite["columns"] == []
    assert len(suite["trainings"]) == 1


@pytest.mark.parametrize("whose", ["suite", "call"])
def test_it_shows_the_sweeps_of_the_suite_and_of_earlier_calls(
    bench: TinyBench, registry: Registry, whose: str
) -> None:
    """The numbers are those of the sweep's own table."""
    swept = Swept(bench, registry)
    swept.methods = ["filling"]
    grid = {"noise_ratio": {"ratio": [0, 0.1, 0.2]}, "missing": {"share": [0, 0.4]}}
    suite = bench.suite(methods={"filling": {}}, sweep=[grid])
    swept.store(suite)
    words = []
    if whose == "call":
        suite = bench.suite(methods={"filling": {}})
        words = ["--noise-ratio", "0,0.1,0.2", "--missing", "0,40"]
    swept.show(suite, *words)
    assert report(bench, suite).exit_code == 0
    page = bench.store().folder / "report.html"
    (train,) = drawn(page)["planes"]
    assert train["title"] == "tiny, one, train"
    (surface,) = (one for one in train["surfaces"] if one["method"] == "filling")
    values = [
        float(row["value"])
        for row in swept.csv("noise_ratio-missing.csv")
        if (row["split"], row["method"]) == ("train", "filling")
    ]
    assert np.ravel(surface["mean"]) == pytest.approx(values, rel=1e-5)
    assert values == pytest.approx([0.1, 0.3, 0.2, 0.4, 0.3, 0.5])
    assert list((page.parent / "figures").glob("*_sweep_*heat.svg"))


def test_a_damaged_grid_is_reported_in_one_line(finished: TinyBench) -> None:
    path = finished.store().folder / "sweep" / "noise.json"
    path.parent.mkdir()
    for content, message in (("{", "not JSON"), ("[1]", "expected parameters by corruption")):
        path.write_text(content)
        result = report(finished, finished.folder / "small.yaml")
        assert result.exit_code == 2
        assert f"{path}: {message}" in result.stderr.splitlines()[-1]


def test_out_names_the_page(finished: TinyBench, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere" / "page.html"
    assert report(finished, finished.folder / "small.yaml", "--out", out).exit_code == 0
    assert sorted(path.name for path in out.parent.iterdir()) == ["figures", "page.html"]
    assert not (finished.store().folder / "report.html").exists()


def test_all_has_every_registered_suite_with_runs(finished: TinyBench, tmp_path: Path) -> None:
    suite = finished.folder / "small.yaml"
    plugin = tmp_path / "suites.py"
    plugin.write_text(
        "from pathlib import Path\nfrom liftbench import hookimpl\n\n@hookimpl\n"
        f"def liftbench_suites():\n    return [Path({str(suite)!r})]\n"
    )
    shutil.copytree(finished.results / "small", finished.results / "unknown")
    words = [f"--plugin={plugin}", *finished.words("report", "--all", plugins=("tiny",))]
    result = finished.call_plainly(words)
    assert result.exit_code == 0
    assert f"left out {finished.results / 'unknown'}: no suite of that name" in result.stderr
    page = (finished.results / "report.html").read_text(encoding="utf-8")
    assert page.count('<section class="suite"') == 1
    assert "Small" in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "report: expected the name of a suite, or --all"),
        (["quickstart", "--all"], "report: expected the name of a suite, or --all"),
        (["quickstrat"], "unknown suite 'quickstrat': did you mean 'quickstart'?"),
        (["quickstart"], "quickstart: no stored runs; 'liftbench run quickstart' makes them"),
        (["--all"], "no stored runs of a registered suite"),
    ],
    ids=" ".join,
)
def test_mistakes_are_reported_in_one_line_and_nothing_is_written(
    bench: TinyBench, words: list[str], message: str
) -> None:
    bench.results.mkdir()
    result = report(bench, *words)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert message in line
    assert list(bench.results.iterdir()) == []


def test_a_plugin_named_like_markup_is_shown_as_text(browser: Browser, bench: TinyBench) -> None:
    """From its registration through a run to the page in a browser."""
    suite = bench.suite(methods={}, published=[{"paper": "none", "table": "none"}])
    key = "<img src=x onerror=\"document.title='owned'\">"
    done = bench.call("run", suite, "--methods", key, plugins=("tiny", "markup"))
    assert done.exit_code == 0, done.output
    assert report(bench, suite, plugins=("tiny", "markup")).exit_code == 0
    page = bench.store().folder / "report.html"
    browser.open(page)
    assert browser.run("return document.title") == "Small"
    assert browser.run("return document.images.length") == 0
    assert key in browser.run("return document.querySelector('table.board').innerText")
    assert browser.requests == [page.resolve().as_uri()]
    assert browser.complaints == []
