"""The figures of a report as PNG and SVG files for papers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from liftbench.files import write_atomic
from liftbench.plotting import saved
from liftbench.report import plots
from liftbench.report.content import SuiteReport
from liftbench.sweeps import figures as sweep_figures


def write_figures(report: SuiteReport, folder: Path) -> list[Path]:
    """Write all figures of a suite and return their files."""
    files = []
    for name, figure in _named(report):
        for ending, content in saved(figure).items():
            files.append(folder / f"{name}.{ending}")
            write_atomic(files[-1], content)
    return files


def _named(report: SuiteReport) -> Iterator[tuple[str, Figure]]:
    """Yield each figure under a file name that no other has."""
    taken: set[str] = set()
    for title, figure in _figures(report):
        words = f"{report.board.suite.name}_{title}"
        name = plain = re.sub(r"[^A-Za-z0-9.]+", "_", words).strip("._")
        while name in taken:
            name = f"{plain}_{len(taken)}"
        taken.add(name)
        yield name, figure


def _figures(report: SuiteReport) -> Iterator[tuple[str, Figure]]:
    methods = tuple(report.methods)
    for bars in report.bars:
        yield f"bars {bars.title}", plots.bar_figure(bars)
    for sweep in report.sweeps:
        for name, _, figure in sweep_figures.draw(sweep):
            yield f"sweep {name}", figure
    for column in report.columns:
        yield f"errors {column.title}", plots.spread_figure(column, methods)
        yield f"frames {column.title}", plots.scene_figure(column)
    for training in report.trainings:
        yield f"training {training.title}", plots.training_figure(training, methods)
