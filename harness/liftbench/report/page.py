"""The report as one HTML page that needs nothing else and asks for nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from importlib.resources import files
from itertools import product
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from liftbench.report.content import Column, Scene, SuiteReport
from liftbench.suites.grids import Axis, Index
from liftbench.sweeps.surfaces import Surface
from liftbench.sweeps.sweep import Sweep
from liftbench.tables import leaderboard_page
from liftbench.tables.wording import join_words
from liftbench.types import Floats

_ASSETS = files("liftbench.report") / "assets"
_SCRIPTS = ("elements.js", "table.js", "chart.js", "view3d.js", "page.js")
_FULL_SCALE = 32767  # coordinates are kept as 16 bit integers


def render_page(title: str, reports: Sequence[SuiteReport], figures: Sequence[str] = ()) -> str:
    """Return the page of some suites.

    A policy in its head forbids every request and every script but its own. All text is escaped.

    Args:
        title: of the page.
        reports: one a suite.
        figures: files of the same figures, relative to the page, that it names.
    """
    style = _text("page.css")
    script = "\n".join(["'use strict';", *(_text(name) for name in _SCRIPTS)])
    environment = Environment(
        loader=PackageLoader("liftbench.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        title=title,
        reports=reports,
        leaderboards=[leaderboard_page(report.board) for report in reports],
        figures=figures,
        version=version("liftbench"),
        style=Markup(style),  # noqa: S704 our own files
        script=Markup(script),  # noqa: S704
        policy=_policy(style, script),
        data=Markup(_script_json([_drawn(report) for report in reports])),  # noqa: S704 escaped
    )


def _text(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return a Content-Security-Policy that lets in this style and this script alone."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _script_json(content: object) -> str:
    """Return JSON that is safe inside of a script element, where only `<` could end it."""
    text = json.dumps(content, default=vars, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _drawn(report: SuiteReport) -> dict[str, Any]:
    """Return what the page's script draws of a suite."""
    return {
        "methods": list(report.methods),
        "bars": report.bars,
        "planes": [plane for sweep in report.sweeps for plane in _planes(sweep)],
        "columns": [_column(column) for column in report.columns],
        "trainings": report.trainings,
    }


def _planes(sweep: Sweep) -> Iterator[dict[str, Any]]:
    """Yield the numbers over the first two axes, for each split and values of further axes."""
    first, *others = sweep.grid.axes
    for panel in sweep.panels:
        for split, rest in product(panel.splits, np.ndindex(sweep.grid.shape[2:])):
            further = zip(others[1:], rest, strict=True)
            fixed = [f"{axis.name} {axis.labels[i]}" for axis, i in further]
            yield {
                "title": join_words(panel.name, split, *fixed),
                "metric": f"{panel.protocol.identity} ({panel.unit})",
                "first": _axis(first),
                "second": _axis(others[0]) if others else None,
                "surfaces": [_surface(surface, rest) for surface in panel.of(split)],
            }


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "name": axis.name_and_unit,
        "heading": axis.heading,
        "labels": axis.labels,
        "severities": axis.severities,
    }


def _surface(surface: Surface, rest: Index) -> dict[str, Any]:
    """Return numbers [first][second], one second where there is no such axis."""

    def plane(numbers: Floats) -> list[list[float | None]]:
        where: Any = (..., *rest)
        part = numbers[where]
        return [[_number(n) for n in line] for line in part.reshape(len(part), -1).tolist()]

    return {
        "method": surface.method,
        "mean": plane(surface.mean),
        "std": plane(surface.spread),
        "printed": plane(surface.printed),
        "area": _number(surface.area),
        "area_std": _number(surface.area_spread),
        "cost": _number(surface.cost),
        "done": int((surface.count > 0).sum()),
        "cells": surface.count.size,
    }


def _number(number: float) -> float | None:
    return None if math.isnan(number) else number


def _column(column: Column) -> dict[str, Any]:
    galleries = [
        {**vars(gallery), "scenes": [_scene(scene) for scene in gallery.scenes]}
        for gallery in column.galleries
    ]
    return {**vars(column), "galleries": galleries}


def _scene(scene: Scene) -> dict[str, Any]:
    """Return a scene with its points as base64 of integers."""
    points = scene.centred
    scale = (float(np.abs(points).max()) or 1.0) / _FULL_SCALE
    packed = np.rint(points / scale).astype("<i2").tobytes()
    return {
        "rank": scene.rank,
        "frame": scene.frame,
        "sequence": scene.sequence,
        "error": scene.error,
        "scale": scale,
        "points": base64.b64encode(packed).decode(),
        "hidden": np.flatnonzero(scene.hidden).tolist(),
        "uncounted": np.flatnonzero(~scene.counts).tolist(),
    }
