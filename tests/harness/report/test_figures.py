"""Figures as files."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from liftbench.report import SuiteReport, write_figures
from liftbench.report.content import TrainingChart
from liftbench.report.plots import training_figure

KINDS = ("bars", "sweep", "errors", "frames", "training", "meshes")


def test_every_kind_is_written_for_pages_and_papers_under_plain_names(
    report: SuiteReport, tmp_path: Path
) -> None:
    files = write_figures(report, tmp_path / "figures")
    assert sorted(files) == sorted((tmp_path / "figures").iterdir())
    assert all(re.fullmatch(r"small_[A-Za-z0-9_.]+\.(png|svg|pdf)", file.name) for file in files)
    for kind in KINDS:
        endings = {file.suffix for file in files if file.name.startswith(f"small_{kind}_")}
        assert endings == {".png", ".pdf" if kind == "meshes" else ".svg"}
    for file in files:
        if file.suffix == ".svg":
            assert ElementTree.parse(file).getroot().tag.endswith("svg")  # noqa: S314 our own
        elif file.suffix == ".pdf":
            assert file.read_bytes().startswith(b"%PDF")
        else:
            with Image.open(file) as image:
                assert np.asarray(image.convert("L")).min() < 255, "nothing is drawn"


def test_names_are_drawn_as_they_are(report: SuiteReport, tmp_path: Path) -> None:
    files = write_figures(replace(report, sweeps=(), splits=(), meshes=(), trainings=()), tmp_path)
    (bars,) = (file for file in files if "_bars_" in file.name and file.suffix == ".svg")
    text = "".join(ElementTree.parse(bars).getroot().itertext())  # noqa: S314
    assert report.bars[0].bars[0].column in text
    assert "$x$" in text


def test_the_same_report_gives_the_same_bytes(report: SuiteReport, tmp_path: Path) -> None:
    small = replace(report, sweeps=report.sweeps[1:2], splits=report.splits[:1])
    first, again = (write_figures(small, tmp_path / name) for name in ("first", "again"))
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in again]


def test_similar_titles_get_different_files(report: SuiteReport, tmp_path: Path) -> None:
    (chart,) = report.trainings
    several = tuple(TrainingChart(title, "loss", chart.curves) for title in ("a b", "a/b", "a_b"))
    only = replace(report, bars=(), sweeps=(), splits=(), meshes=(), trainings=several)
    files = write_figures(only, tmp_path)
    assert len(set(files)) == 6


def test_lines_of_many_methods_differ_in_colour_or_dashes(report: SuiteReport) -> None:
    (chart,) = report.trainings
    names = [f"method {number}" for number in range(20)]
    curves = tuple(replace(chart.curves[0], method=name) for name in names)
    (axes,) = training_figure(replace(chart, curves=curves), names).axes
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.get_lines()}
    assert len(looks) == len(names)
