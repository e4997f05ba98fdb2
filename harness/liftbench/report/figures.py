"""Writes the figures of a report as files for papers: PNG, and SVG, or PDF of pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from matplotlib.figure import Figure

from liftbench.files import write_atomic
from liftbench.plotting import DRAWING, PICTURES, figure_files
from liftbench.report import plots
from liftbench.report.content import SuiteReport
from liftbench.report.mesh_pictures import mesh_figure
from liftbench.sweeps import figures as sweep_figures
from liftbench.tables.wording import join_words


def write_figures(report: SuiteReport, folder: Path) -> list[Path]:
    """Write all figures of a suite and return the paths of their files."""
    files = []
    for name, figure, endings in _figures_by_name(report):
        for ending, content in figure_files(figure, endings).items():
            files.append(folder / f"{name}.{ending}")
            write_atomic(files[-1], content)
    return files


def _figures_by_name(report: SuiteReport) -> Iterator[tuple[str, Figure, tuple[str, ...]]]:
    """Yield each figure with a unique file name and the endings of its files."""
    taken: set[str] = set()
    drawings = ((title, figure, DRAWING) for title, figure in _figures(report))
    pictures = (
        (f"meshes {gallery.title} {gallery.method}", mesh_figure(gallery), PICTURES)
        for gallery in report.meshes
    )
    for title, figure, endings in chain(drawings, pictures):
        words = f"{report.board.suite.name}_{title}"
        name = plain = re.sub(r"[^A-Za-z0-9.]+", "_", words).strip("._")
        while name in taken:
            name = f"{plain}_{len(taken)}"
        taken.add(name)
        yield name, figure, endings


def _figures(report: SuiteReport) -> Iterator[tuple[str, Figure]]:
    methods = tuple(report.methods)
    for bars in report.bars:
        yield f"bars {bars.title}", plots.bar_figure(bars)
    for sweep in report.sweeps:
        for name, _, figure in sweep_figures.draw(sweep):
            yield f"sweep {name}", figure
    for split in report.splits:
        yield f"errors {split.title}", plots.spread_figure(split, methods)
        yield f"frames {split.title}", plots.frame_figure(split)
    for chart in report.trainings:
        name = "" if chart.quantity == "loss" else chart.quantity.split("@")[0]
        yield join_words("training", chart.title, name), plots.training_figure(chart, methods)
