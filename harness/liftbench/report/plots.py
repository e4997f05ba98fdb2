"""Figures for papers, drawn by matplotlib from what a report shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from liftbench.plotting import COLOURS, STYLE
from liftbench.report.content import Bars, Column, Scene, Training
from liftbench.types import Floats

WIDTH = 6.9  # inches, two columns of a paper
_LINE = 0.32  # inches a method takes
_YAW, _PITCH = 0.6, 0.25  # of the view onto a frame, as the page begins with
_TRUTH, _PREDICTED, _ERROR = "0.5", COLOURS[0], COLOURS[1]


@mpl.rc_context(STYLE)
def bar_figure(bars: Bars) -> Figure:
    """Return our numbers beside the printed ones."""
    axes = _one(len(bars.bars) * _LINE)
    place = -np.arange(len(bars.bars), dtype=np.float64)
    stds = [bar.std or 0.0 for bar in bars.bars]
    axes.barh(place, [b.ours for b in bars.bars], 0.28, xerr=stds, color=_PREDICTED, label="ours")
    printed = [bar.printed for bar in bars.bars]
    axes.barh(place - 0.28, printed, 0.28, color=_TRUTH, label="printed")
    for at, bar in zip(place, bars.bars, strict=True):
        axes.text(0, at + 0.18, f"{bar.column}: {bar.method}", fontsize=6)
    axes.set(xlabel=bars.metric, yticks=[], title=bars.title)
    axes.legend(loc="lower right")
    return _figure(axes)


@mpl.rc_context(STYLE)
def spread_figure(column: Column, methods: Sequence[str]) -> Figure:
    """Return how the errors of frames spread: shares over quantiles, a line a method."""
    spreads = sorted(column.spreads, key=lambda spread: spread.quantiles[2])
    axes = _one(len(spreads) * 1.4 * _LINE)
    for place, spread in enumerate(spreads):
        colour = _colour(methods, spread.method)
        shares = -place + 0.5 * np.array(spread.shares) / max(spread.shares)
        axes.stairs(shares, column.bins, baseline=-place, fill=True, color=colour, alpha=0.3, lw=0)
        least, lower, middle, upper, most = spread.quantiles
        axes.hlines(-place - 0.12, least, most, color=colour, lw=1)
        axes.hlines(-place - 0.12, lower, upper, color=colour, lw=4)
        axes.plot(middle, -place - 0.12, "|", color="black")
        axes.text(0, -place + 0.3, spread.method, fontsize=6, transform=axes.get_yaxis_transform())
    axes.set(xscale="log", xlabel=column.metric, yticks=[], title=column.title)
    _plain_log_ticks(axes.xaxis)
    return _figure(axes)


@mpl.rc_context(STYLE)
def training_figure(training: Training, methods: Sequence[str]) -> Figure:
    """Return the losses over the steps."""
    axes = _one(2.4)
    for i, curve in enumerate(training.curves):
        steps, losses = zip(*curve.points, strict=True)
        first = curve.method not in [other.method for other in training.curves[:i]]
        label = curve.method if first else None
        axes.plot(steps, losses, lw=0.8, color=_colour(methods, curve.method), label=label)
    if all(loss > 0 for curve in training.curves for _, loss in curve.points):
        axes.set_yscale("log")
        _plain_log_ticks(axes.yaxis)
    axes.set(xlabel="step", ylabel="loss", title=training.title)
    axes.legend(fontsize=6, loc="upper right")
    return _figure(axes)


@mpl.rc_context(STYLE)
def scene_figure(column: Column) -> Figure:
    """Return the best, the median and the worst frame of each method, the truth in grey."""
    rows = len(column.galleries)
    left, right, top, bottom = -1.5, 6.2, 1.7, 0.9 - 2.5 * rows
    size = (WIDTH, WIDTH * (top - bottom) / (right - left))
    axes = Figure(size).add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()
    axes.text(left + 0.2, top - 0.3, column.title)
    places = []
    for row, gallery in enumerate(column.galleries):
        axes.text(left + 0.2, -2.5 * row, gallery.method, fontsize=6, rotation=90, va="center")
        for i, scene in enumerate(gallery.scenes):
            told = f"{scene.rank} {scene.error:.3g}"
            axes.text(2.6 * i, 1.1 - 2.5 * row, told, fontsize=6, ha="center")
            places.append((scene, np.array([2.6 * i, -2.5 * row])))
    _draw_scenes(axes, places, np.array(column.edges, dtype=np.int64).reshape(-1, 2))
    return _figure(axes)


def _draw_scenes(
    axes: Axes, places: Sequence[tuple[Scene, Floats]], edges: NDArray[np.int64]
) -> None:
    """Draw each prediction over its truth, within 1 of its centre; each kind of line is one path.

    A path a frame would take a hundred times as long.
    """
    points = np.stack([_on_paper(scene) + centre for scene, centre in places])  # (N, 2, P, 2)
    hidden = np.stack([scene.hidden for scene, _ in places])
    counts = np.stack([scene.counts for scene, _ in places])
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
    """Draw lines between (N, 2, 2) ends, as one path with gaps."""
    gaps = np.full((len(ends), 1, 2), np.nan)
    x, y = np.concatenate([ends, gaps], axis=1).reshape(-1, 2).T
    axes.plot(x, y, color=colour, linewidth=width)


def _on_paper(scene: Scene) -> Floats:
    """Return x and y (2, P, 2) of a scene's prediction and truth, at most 1 from the origin."""
    points = scene.centred
    return _turned(points / (np.linalg.norm(points, axis=2).max() or 1.0))


def _turned(points: Floats) -> Floats:
    """Return x and y (..., 2) on paper of points in the camera's frame, whose y points down."""
    cy, sy, cp, sp = math.cos(_YAW), math.sin(_YAW), math.cos(_PITCH), math.sin(_PITCH)
    right = np.array([cy, 0, sy])
    down = np.array([sp * sy, cp, -sp * cy])
    return np.stack([points @ right, -points @ down], axis=-1)


def _plain_log_ticks(axis: XAxis | YAxis) -> None:
    """Label ticks with plain numbers, since text is never read as mathematics."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def _colour(methods: Sequence[str], method: str) -> str:
    return COLOURS[methods.index(method) % len(COLOURS)]


def _one(height: float) -> Axes:
    """Return the axes of a figure of one panel that is `height` inches high."""
    figure = Figure((WIDTH, height + 0.8))
    axes: Axes = figure.add_axes((0.09, 0.5 / (height + 0.8), 0.89, height / (height + 0.8)))
    return axes


def _figure(axes: Axes) -> Figure:
    figure = axes.figure
    assert isinstance(figure, Figure)  # noqa: S101 not a part of one
    return figure
