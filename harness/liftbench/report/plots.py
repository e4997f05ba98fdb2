"""Draws the contents of a report as figures for papers, with matplotlib."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from liftbench.plotting import COLOURS, STYLE
from liftbench.report.content import (
    BarChart,
    ComparedFrame,
    FramePicture,
    Gallery,
    SplitReport,
    TrainingChart,
)
from liftbench.types import Floats

WIDTH = 6.9  # inches, two columns of a paper
_LINE = 0.32  # inches for each method
_Direction = tuple[float, float]  # yaw and pitch in radians
_OBLIQUE: _Direction = (0.6, 0.25)  # as the page first shows a frame
_FRONT: _Direction = (0.0, 0.0)
_SIDE: _Direction = (math.pi / 2, 0.0)
_DASHES = ("-", "--", ":", "-.")
_TRUTH, _PREDICTED, _ERROR = "0.5", COLOURS[0], COLOURS[1]


@mpl.rc_context(STYLE)
def bar_figure(chart: BarChart) -> Figure:
    """Return a figure of our numbers beside the printed ones."""
    axes = _panel(len(chart.bars) * _LINE)
    place = -np.arange(len(chart.bars), dtype=np.float64)
    stds = [bar.std or 0.0 for bar in chart.bars]
    axes.barh(place, [b.ours for b in chart.bars], 0.28, xerr=stds, color=_PREDICTED, label="ours")
    printed = [bar.printed for bar in chart.bars]
    axes.barh(place - 0.28, printed, 0.28, color=_TRUTH, label="printed")
    for at, bar in zip(place, chart.bars, strict=True):
        axes.text(0, at + 0.18, f"{bar.column}: {bar.method}", fontsize=6)
    axes.set(xlabel=chart.metric, yticks=[], title=chart.title)
    axes.legend(loc="lower right")
    return _figure(axes)


@mpl.rc_context(STYLE)
def spread_figure(split: SplitReport, methods: Sequence[str]) -> Figure:
    """Return a figure of the error distributions: a histogram and quantiles for each method."""
    spreads = sorted(split.spreads, key=lambda spread: spread.quantiles[2])
    axes = _panel(len(spreads) * 1.4 * _LINE)
    for place, spread in enumerate(spreads):
        colour = _colour(methods, spread.method)
        shares = -place + 0.5 * np.array(spread.shares) / max(spread.shares)
        axes.stairs(shares, split.bins, baseline=-place, fill=True, color=colour, alpha=0.3, lw=0)
        least, lower, middle, upper, most = spread.quantiles
        axes.hlines(-place - 0.12, least, most, color=colour, lw=1)
        axes.hlines(-place - 0.12, lower, upper, color=colour, lw=4)
        axes.plot(middle, -place - 0.12, "|", color="black")
        axes.text(0, -place + 0.3, spread.method, fontsize=6, transform=axes.get_yaxis_transform())
    axes.set(xscale="log", xlabel=split.metric, yticks=[], title=split.title)
    _plain_log_ticks(axes.xaxis)
    return _figure(axes)


@mpl.rc_context(STYLE)
def training_figure(chart: TrainingChart, methods: Sequence[str]) -> Figure:
    """Return a figure of losses or errors over the steps."""
    axes = _panel(2.4)
    for i, curve in enumerate(chart.curves):
        steps, values = zip(*curve.points, strict=True)
        first = curve.method not in [other.method for other in chart.curves[:i]]
        label = curve.method if first else None
        colour, dashes = _colour(methods, curve.method), _dashes(methods, curve.method)
        axes.plot(steps, values, lw=0.8, color=colour, ls=dashes, label=label)
    if all(value > 0 for curve in chart.curves for _, value in curve.points):
        axes.set_yscale("log")
        _plain_log_ticks(axes.yaxis)
    axes.set(xlabel="step", ylabel=chart.quantity, title=chart.title)
    axes.legend(fontsize=6, loc="best")
    return _figure(axes)


@mpl.rc_context(STYLE)
def frame_figure(split: SplitReport) -> Figure:
    """Return a figure of the best, median and worst frame of each method, the truth in grey.

    A method that reconstructs from images has its pictures above, and two sides of each frame; a
    student has the same sides of its teacher below.
    """
    rows = [row for gallery in split.galleries for row in _rows(gallery)]
    left, right, top, bottom = -1.5, 6.2, 1.7, 0.9 - 2.5 * len(rows)
    size = (WIDTH, WIDTH * (top - bottom) / (right - left))
    axes = Figure(size).add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()
    axes.text(left + 0.2, top - 0.3, split.title)
    edges = np.array(split.edges, dtype=np.int64).reshape(-1, 2)
    places = []
    for number, (label, frames, direction) in enumerate(rows):
        axes.text(left + 0.2, -2.5 * number, label, fontsize=6, rotation=90, va="center")
        for i, frame in enumerate(frames):
            middle = np.array([2.6 * i, -2.5 * number])
            text = f"{frame.rank} {frame.error:.3g}"
            axes.text(middle[0], middle[1] + 1.1, text, fontsize=6, ha="center")
            if direction is None and frame.picture is not None:
                _draw_picture(axes, frame.picture, middle, edges)
            elif direction is not None:
                places.append((_on_paper(frame, direction) + middle, frame))
    _draw_frames(axes, places, edges)
    axes.set(xlim=(left, right), ylim=(bottom, top))  # images have changed them
    return _figure(axes)


def _rows(gallery: Gallery) -> Iterator[tuple[str, tuple[ComparedFrame, ...], _Direction | None]]:
    """Yield label, frames and direction of each row of a method; a picture has no direction."""
    if all(frame.picture is None for frame in gallery.frames):
        yield gallery.method, gallery.frames, _OBLIQUE
    else:
        yield f"{gallery.method}: picture", gallery.frames, None
        yield "front", gallery.frames, _FRONT
        yield "side", gallery.frames, _SIDE
    if teachers := tuple(frame.teacher for frame in gallery.frames if frame.teacher):
        yield "its teacher: front", teachers, _FRONT
        yield "its teacher: side", teachers, _SIDE


def _draw_picture(
    axes: Axes, picture: FramePicture, middle: Floats, edges: NDArray[np.int64]
) -> None:
    """Draw a picture within 1 of a place, with the predicted points over it."""
    x, y = middle
    axes.imshow(picture.pixels, extent=(x - 1, x + 1, y - 1, y + 1), aspect="equal")
    points = middle + (2 * picture.points / len(picture.pixels) - 1) * (1, -1)
    _draw_lines(axes, points[edges], _PREDICTED, 0.9)
    axes.plot(*points.T, "o", color=_PREDICTED, markersize=1.5)


def _draw_frames(
    axes: Axes, places: Sequence[tuple[Floats, ComparedFrame]], edges: NDArray[np.int64]
) -> None:
    """Draw each prediction over its truth, (2, P, 2) on paper.

    All lines of one kind are one path: one path for each frame would take 100 times as long.
    """
    points = np.stack([place for place, _ in places])  # (N, 2, P, 2)
    hidden = np.stack([frame.hidden for _, frame in places])
    counts = np.stack([frame.counts for _, frame in places])
    predicted, truth = points[:, 0], points[:, 1]
    known = counts[:, edges].all(axis=-1)
    errors = np.stack([truth, predicted], axis=-2)[counts]
    _draw_lines(axes, truth[:, edges][known], _TRUTH, 1.4)
    _draw_lines(axes, predicted[:, edges].reshape(-1, 2, 2), _PREDICTED, 0.9)
    _draw_lines(axes, errors, _ERROR, 0.5)
    for dots, colour, drawn in ((truth, _TRUTH, counts), (predicted, _PREDICTED, True)):
        for chosen, face in ((~hidden & drawn, colour), (hidden & drawn, "white")):
            x, y = dots[chosen].T
            axes.plot(x, y, "o", color=colour, mfc=face, markersize=2.2, markeredgewidth=0.5)


def _draw_lines(axes: Axes, ends: Floats, colour: str, width: float) -> None:
    """Draw lines between pairs of points (N, 2, 2) as one path with gaps."""
    gaps = np.full((len(ends), 1, 2), np.nan)
    x, y = np.concatenate([ends, gaps], axis=1).reshape(-1, 2).T
    axes.plot(x, y, color=colour, linewidth=width)


def _on_paper(frame: ComparedFrame, direction: _Direction) -> Floats:
    """Return x and y (2, P, 2) of a frame's prediction and truth, at most 1 from the origin."""
    points = frame.centred
    return _project(points / (np.linalg.norm(points, axis=2).max() or 1.0), direction)


def _project(points: Floats, direction: _Direction) -> Floats:
    """Return x and y (..., 2) on paper of points in the camera's frame, where y points down."""
    yaw, pitch = direction
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    right = np.array([cy, 0, sy])
    down = np.array([sp * sy, cp, -sp * cy])
    return np.stack([points @ right, -points @ down], axis=-1)


def _plain_log_ticks(axis: XAxis | YAxis) -> None:
    """Label ticks with plain numbers: the figures do not interpret text as mathematics."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def _colour(methods: Sequence[str], method: str) -> str:
    return COLOURS[methods.index(method) % len(COLOURS)]


def _dashes(methods: Sequence[str], method: str) -> str:
    """Return the style of a method's lines, which differs where colours repeat."""
    return _DASHES[methods.index(method) // len(COLOURS) % len(_DASHES)]


def _panel(height: float) -> Axes:
    """Return the axes of a new figure with one panel that is `height` inches high."""
    figure = Figure((WIDTH, height + 0.8))
    axes: Axes = figure.add_axes((0.09, 0.5 / (height + 0.8), 0.89, height / (height + 0.8)))
    return axes


def _figure(axes: Axes) -> Figure:
    figure = axes.figure
    assert isinstance(figure, Figure)  # noqa: S101 and not a subfigure
    return figure
