"""Draws the figures of a sweep: curves and heat maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from liftbench.plotting import COLOURS, STYLE
from liftbench.suites.grids import Axis, Index
from liftbench.sweeps.surfaces import Surface
from liftbench.sweeps.sweep import Panel, Sweep
from liftbench.types import Floats

_MARKERS = "osD^vPX"
_LOOKS = [
    {"color": colour, "marker": marker, "markersize": 4}
    for colour, marker in zip(COLOURS, _MARKERS, strict=True)
]
_COLOUR_MAP = "YlOrRd"


def draw(sweep: Sweep) -> Iterator[tuple[str, str, Figure]]:
    """Yield the figures of a sweep as (file name without its ending, description, figure)."""
    several = len({panel.protocol.identity for panel in sweep.panels}) > 1
    for panel in sweep.panels:
        protocol = panel.protocol.name if several else ""
        for rest in np.ndindex(sweep.grid.shape[2:]):
            further = zip(sweep.grid.axes[2:], rest, strict=True)
            fixed = [f"{axis.name}={axis.labels[i]}" for axis, i in further]
            shown = ", ".join(filter(None, [panel.name, protocol, *fixed]))
            name = _file_name(sweep.grid.name, shown)
            if panel.surfaces:
                yield f"{name}-curves", f"{shown}: curves", draw_curves(panel, rest)
            if len(sweep.grid.axes) > 1 and any(s.count.any() for s in panel.surfaces):
                yield f"{name}-heat", f"{shown}: heat maps", draw_heat(panel, rest)


@mpl.rc_context(STYLE)
def draw_curves(panel: Panel, rest: Index = ()) -> Figure:
    """Draw the numbers along the first axis: one row per split, one column per second value.

    Without a second axis the splits stand side by side. Bands reach one standard deviation over
    seeds to each side; printed numbers are dashed.

    Args:
        panel: the panel to draw.
        rest: the indices of the values on further axes.
    """
    first, *others = panel.surfaces[0].grid.axes
    columns = list(np.ndindex(tuple(len(axis.values) for axis in others[:1])))
    shape = (len(panel.splits), len(columns)) if others else (1, len(panel.splits))
    figure, plots = _plots(*shape, (1.2 + 2.3 * max(shape[1], 2), 2.5), sharey="row")
    for split, line in zip(panel.splits, plots if others else plots.T, strict=True):
        for column, plot in zip(columns, line, strict=True):
            for surface, look in zip(panel.of(split), _looks(panel, split), strict=True):
                _curve(plot, surface, (..., *column, *rest), look)
            _label_curves(plot, first)
            for axis, i in zip(others, column, strict=False):
                plot.set_title(f"{axis.name} {axis.labels[i]} {axis.unit}".strip())
        line[0].set_ylabel(f"{split}\n{panel.protocol.name} ({panel.unit})")
    for line in plots:
        line[0].autoscale(axis="y")  # over all columns of the row
        line[0].set_ylim(bottom=0)
    _add_legend(figure, plots)
    return figure


@mpl.rc_context(STYLE)
def draw_heat(panel: Panel, rest: Index = ()) -> Figure:
    """Draw the numbers over the first two axes: one row per split, one column per method.

    Args:
        panel: the panel to draw.
        rest: the indices of the values on further axes.
    """
    measured = [surface for surface in panel.surfaces if surface.count.any()]
    splits = list(dict.fromkeys(surface.split for surface in measured))
    names = list(dict.fromkeys(surface.method for surface in measured))
    down, right = panel.surfaces[0].grid.axes[:2]
    width = 1.4 + len(names) * (0.9 + 0.62 * len(right.values))
    height = 0.9 + 0.42 * len(down.values)
    figure, plots = _plots(len(splits), len(names), (width, height), sharey="all")
    part: Any = (..., *rest)
    for split, line in zip(splits, plots, strict=True):
        numbers = {s.method: s.mean[part] for s in measured if s.split == split}
        scale = Normalize(*_range(list(numbers.values())))
        for name, plot in zip(names, line, strict=True):
            if name not in numbers:
                plot.set_axis_off()
                continue
            image = _heat(plot, numbers[name], scale)
            plot.set_title(name)
            plot.set_xticks(range(len(right.values)), right.labels)
            plot.set_yticks(range(len(down.values)), down.labels)
            plot.set_xlabel(right.name_and_unit)
        line[0].set_ylabel(f"{split}\n{down.name_and_unit}")
        figure.colorbar(image, ax=list(line), label=f"{panel.protocol.name} ({panel.unit})")
    return figure


def _plots(
    rows: int, columns: int, size: tuple[float, float], sharey: Literal["row", "all"]
) -> tuple[Figure, Any]:
    """Return a figure and its (rows, columns) plots; `size` is its width and a row's height."""
    figure = Figure(figsize=(size[0], 0.5 + size[1] * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, sharey=sharey)


def _looks(panel: Panel, split: str) -> list[dict[str, Any]]:
    """Return the style of each curve of a split; a method has the same style in all splits."""
    names = list(dict.fromkeys(surface.method for surface in panel.surfaces))
    return [_LOOKS[names.index(surface.method) % len(_LOOKS)] for surface in panel.of(split)]


def _add_legend(figure: Figure, plots: Any) -> None:  # noqa: ANN401 an array of plots
    """Add a legend below all plots that names every curve once."""
    handles = {
        label: handle
        for plot in plots.flat
        for handle, label in zip(*plot.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=min(max(plots.shape[1], 2), 3),
        frameon=False,
    )


def _curve(plot: Axes, surface: Surface, where: Any, look: dict[str, Any]) -> None:  # noqa: ANN401
    """Draw the curve along the first axis at the index `where` of the other axes."""
    x = surface.grid.axes[0].severities
    mean, spread = surface.mean[where], np.nan_to_num(surface.spread[where])
    if np.isfinite(surface.mean).any():
        plot.plot(x, mean, label=surface.method, **look)
        plot.fill_between(x, mean - spread, mean + spread, color=look["color"], alpha=0.2, lw=0)
    if np.isfinite(surface.printed).any():
        dashed = {**look, "linestyle": "--", "markerfacecolor": "none"}
        plot.plot(x, surface.printed[where], label=f"{surface.method} (printed)", **dashed)


def _label_curves(plot: Axes, axis: Axis) -> None:
    plot.set_xlabel(axis.name_and_unit)
    plot.set_xticks(axis.severities, axis.labels)
    plot.set_xlim(-0.05 * axis.severities[-1], 1.05 * axis.severities[-1])
    plot.grid(alpha=0.3, linewidth=0.5)
    if not plot.lines:
        plot.text(0.5, 0.5, "n/a", transform=plot.transAxes, ha="center", color="0.5")


def _range(numbers: Sequence[Floats]) -> tuple[float, float]:
    known = np.concatenate([values[np.isfinite(values)] for values in numbers] or [np.zeros(1)])
    return float(known.min(initial=np.inf)), float(known.max(initial=-np.inf))


def _heat(plot: Axes, numbers: Floats, scale: Normalize) -> AxesImage:
    plot.set_facecolor("0.85")  # the colour of cells without a number
    for side in ("left", "bottom"):
        plot.spines[side].set_visible(False)
    plot.tick_params(length=0)
    image = plot.imshow(numbers, cmap=_COLOUR_MAP, norm=scale, aspect="auto")
    light = image.to_rgba(numbers)[..., :3] @ (0.299, 0.587, 0.114)
    for (row, column), number in np.ndenumerate(numbers):
        missing = np.isnan(number)
        colour = "black" if missing or light[row, column] > 0.5 else "white"
        text = "n/a" if missing else f"{number:.3f}"
        plot.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    return image


def _file_name(grid: str, shown: str) -> str:
    """Return a file name of letters, digits and dashes only."""
    words = "".join(c if c.isalnum() else " " for c in shown).split()
    return "-".join([grid, *words])
