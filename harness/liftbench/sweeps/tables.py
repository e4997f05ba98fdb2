"""Writes a sweep as Markdown and as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from liftbench.suites.grids import Grid, Index
from liftbench.sweeps.surfaces import Growth, Surface
from liftbench.sweeps.sweep import Panel, Sweep
from liftbench.tables.as_csv import csv_text
from liftbench.tables.as_markdown import markdown_table
from liftbench.tables.wording import (
    ABSENT,
    DECIMALS,
    name_text,
    number_text,
    supervised_text,
)

_READING = (
    "All methods see the same draws, and a stronger corruption extends a weaker one: the same "
    "noise scaled, the same points hidden and more, the same frames and fewer. Scores are over all "
    "points, the hidden ones too. ± is the standard deviation over seeds; (p …) is the number that "
    "the paper prints."
)
_ROBUSTNESS = (
    "`area` is the area under the curve when each axis is scaled to run from clean, 0, to its "
    "strongest value, 1 (trapezoids): the mean number over all severities. `cost` is the area over "
    "the clean number, 1 where no corruption costs anything."
)
_GROWTH = (
    "What the numbers grow with: a step goes from a value of an axis to the next, at each value of "
    "the others. It is within the bands if it is not larger than the standard deviations at both "
    "its ends together; a single seed has no band."
)


def to_markdown(sweep: Sweep, figures: Mapping[str, str]) -> str:
    """Return a sweep as Markdown.

    Args:
        sweep: the sweep to write.
        figures: descriptions of the figures by the names of their files beside the text.
    """
    axes = "\n".join(f"- `{axis.name}`: {axis.heading}" for axis in sweep.grid.axes)
    parts = [f"# {sweep.suite.title}: robustness", axes, _READING, _ROBUSTNESS, _GROWTH]
    parts.extend(text for panel in sweep.panels for text in _panel_parts(panel, sweep.grid))
    parts.extend(filter(None, [supervised_text("".join(parts))]))
    parts.extend(f"![{shown}]({file})" for file, shown in figures.items())
    without = dict.fromkeys(line for panel in sweep.panels for line in panel.without)
    for heading, lines in (("Notes", sweep.notes), ("Without a number", without)):
        if lines:
            parts.append("\n".join([f"{heading}:", *(f"- {line}" for line in lines)]))
    return "\n\n".join(parts) + "\n"


def to_csv(sweep: Sweep) -> str:
    """Return a CSV file with a row for each cell of a sweep and a column for each axis."""
    rows = [
        {
            **_identity(sweep, panel, surface),
            **{a.name: a.labels[i] for a, i in zip(sweep.grid.axes, index, strict=True)},
            "value": surface.mean[index],
            "std": surface.spread[index],
            "n_seeds": surface.count[index],
            "published": surface.printed[index],
            "status": surface.status[index],
        }
        for panel in sweep.panels
        for surface in panel.surfaces
        for index in np.ndindex(sweep.grid.shape)
    ]
    return csv_text(rows)


def robustness_to_csv(sweep: Sweep) -> str:
    """Return a CSV file with the area under the curve and the cost of each method of a sweep."""
    rows = [
        {
            **_identity(sweep, panel, surface),
            "clean": surface.clean,
            "strongest": surface.strongest,
            "area": surface.area,
            "area_std": surface.area_spread,
            "cost": surface.cost,
            "n_seeds": int(surface.whole.sum()),
        }
        for panel in sweep.panels
        for surface in panel.surfaces
    ]
    return csv_text(rows)


def _identity(sweep: Sweep, panel: Panel, surface: Surface) -> dict[str, str]:
    return {
        "suite": sweep.suite.name,
        "dataset": panel.dataset,
        "subset": panel.subset,
        "split": surface.split,
        "setting": panel.setting,
        "method": surface.method,
        "protocol": panel.protocol.identity,
        "unit": panel.unit,
    }


def _panel_parts(panel: Panel, grid: Grid) -> Iterator[str]:
    if not panel.surfaces:
        yield f"## {panel.name}"
        yield "No number yet."
    for split in panel.splits:
        surfaces = panel.of(split)
        better = "higher" if surfaces[0].more_is_better else "lower"
        yield f"## {panel.name}, {split}"
        yield (
            f"Protocol `{panel.protocol.identity}` ({panel.unit}): {panel.protocol.description}; "
            f"{better} is better."
        )
        measured = [surface for surface in surfaces if surface.count.any()]
        if measured:
            yield _robustness_table(measured)
        yield from _curve_table(surfaces, grid) if len(grid.axes) == 1 else _grid_tables(surfaces)
        if measured:
            yield f"### What the number grows with, {split}"
            yield _growth_table(measured)


def _robustness_table(surfaces: Sequence[Surface]) -> str:
    best = _best(surfaces)
    rows = [
        [
            _name(surface),
            _number(surface.clean),
            _number(surface.strongest),
            _bold(_area(surface), surface is best),
            _number(surface.cost),
        ]
        for surface in surfaces
    ]
    return markdown_table(["method", "clean", "strongest", "area", "cost"], rows)


def _name(surface: Surface) -> str:
    return name_text(surface.method, supervised=surface.supervised)


def _best(surfaces: Sequence[Surface]) -> Surface | None:
    whole = [s for s in surfaces if np.isfinite(s.area) and not s.supervised]
    choose = max if surfaces[0].more_is_better else min
    return choose(whole, key=lambda surface: surface.area, default=None)


def _area(surface: Surface) -> str:
    if np.isnan(surface.area):
        return f"{ABSENT} ({(surface.count > 0).sum()} of {surface.count.size} cells)"
    return _number(surface.area, surface.area_spread)


def _curve_table(surfaces: Sequence[Surface], grid: Grid) -> Iterator[str]:
    """Yield the only table of a grid with one axis: a row for each method."""
    (axis,) = grid.axes
    rows = [
        [_name(surface), *(_cell(surface, (i,)) for i in range(len(axis.values)))]
        for surface in surfaces
    ]
    yield markdown_table([f"method \\ {axis.name_and_unit}", *axis.labels], rows)


def _grid_tables(surfaces: Sequence[Surface]) -> Iterator[str]:
    """Yield a table for each method and value of further axes, as in Table 5 of Deep NRSfM++."""
    for surface in surfaces:
        down, right, *others = surface.grid.axes
        for rest in np.ndindex(surface.grid.shape[2:]):
            fixed = [f"{a.name}={a.labels[i]}" for a, i in zip(others, rest, strict=True)]
            rows = [
                [label, *(_cell(surface, (i, j, *rest)) for j in range(len(right.values)))]
                for i, label in enumerate(down.labels)
            ]
            corner = f"{down.name_and_unit} \\ {right.name_and_unit}"
            yield f"### {', '.join([_name(surface), *fixed])}"
            yield markdown_table([corner, *right.labels], rows)


def _growth_table(surfaces: Sequence[Surface]) -> str:
    rows = [
        [_name(surface), *_growth_row(surface.growth(number))]
        for surface in surfaces
        for number in range(len(surface.grid.axes))
    ]
    header = ["method", "along", "to the end", "grows", "within bands", "falls"]
    return markdown_table(header, rows)


def _growth_row(growth: Growth) -> list[str]:
    axis = growth.axis
    end = f"x {growth.factor:.2f} at {axis.labels[-1]}{_unit(axis.unit)}"
    end = ABSENT if np.isnan(growth.factor) else end
    steps = "; ".join(growth.falls)
    falls = f"{len(growth.falls)}: {steps}" if steps else "0"
    return [axis.name, end, str(growth.grows), str(growth.within), falls]


def _cell(surface: Surface, index: Index) -> str:
    printed = surface.printed[index]
    ours = _number(surface.mean[index], surface.spread[index])
    if surface.count[index] == 0:
        ours = str(surface.status[index]).replace("_", " ").replace("published only", "")
    elif surface.count[index] < surface.count.max():
        ours += f" (n={surface.count[index]})"
    return " ".join(filter(None, [ours, "" if np.isnan(printed) else f"(p {printed:g})"]))


def _number(value: float, spread: float = np.nan) -> str:
    if np.isnan(value):
        return ABSENT
    return number_text(value, DECIMALS, None if np.isnan(spread) else spread)


def _unit(unit: str) -> str:
    return f" ({unit})" if unit else ""


def _bold(text: str, bold: bool) -> str:
    return f"**{text}**" if bold else text
