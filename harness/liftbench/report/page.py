"""Writes the report as one self-contained HTML page."""

from __future__ import annotations

import base64
import hashlib
import io
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
from numpy.typing import NDArray
from PIL import Image

from liftbench.report.content import (
    ComparedFrame,
    FramePicture,
    MeshFrame,
    MeshGallery,
    SplitReport,
    SuiteReport,
)
from liftbench.suites.grids import Axis, Index
from liftbench.sweeps.surfaces import Surface
from liftbench.sweeps.sweep import Sweep
from liftbench.tables import leaderboard_page
from liftbench.tables.wording import join_words
from liftbench.types import Floats

_ASSETS = files("liftbench.report") / "assets"
_SCRIPTS = ("elements.js", "table.js", "chart.js", "view3d.js", "mesh3d.js", "page.js")
_FULL_SCALE = 32767  # coordinates are kept as 16 bit integers
_JPEG_QUALITY = 85
_MOST_TRIANGLES = 20_000  # of a mesh that a page turns


def render_page(title: str, reports: Sequence[SuiteReport], figures: Sequence[str] = ()) -> str:
    """Return the report page of one or more suites.

    A Content-Security-Policy in its head forbids all requests and all scripts except its own. All
    text is escaped.

    Args:
        title: the title of the page.
        reports: one for each suite.
        figures: the files that the page links to, as paths relative to it: the same figures.
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
        data=Markup(_script_json([_chart_data(report) for report in reports])),  # noqa: S704 escaped
    )


def _text(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return a Content-Security-Policy that allows only this style and this script."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _script_json(content: object) -> str:
    """Return JSON without `<`, the only character that could end a script element."""
    text = json.dumps(content, default=vars, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _chart_data(report: SuiteReport) -> dict[str, Any]:
    """Return the data that the page's script draws for a suite."""
    return {
        "methods": list(report.methods),
        "bars": report.bars,
        "planes": [plane for sweep in report.sweeps for plane in _plane_data(sweep)],
        "columns": [_split_data(split) for split in report.splits],
        "meshes": [_mesh_data(gallery) for gallery in report.meshes],
        "trainings": report.trainings,
    }


def _plane_data(sweep: Sweep) -> Iterator[dict[str, Any]]:
    """Yield the numbers over the first two axes, for each split and each value of further axes."""
    first, *others = sweep.grid.axes
    for panel in sweep.panels:
        for split, rest in product(panel.splits, np.ndindex(sweep.grid.shape[2:])):
            further = zip(others[1:], rest, strict=True)
            fixed = [f"{axis.name} {axis.labels[i]}" for axis, i in further]
            yield {
                "title": join_words(panel.name, split, *fixed),
                "metric": f"{panel.protocol.identity} ({panel.unit})",
                "first": _axis_data(first),
                "second": _axis_data(others[0]) if others else None,
                "surfaces": [_surface_data(surface, rest) for surface in panel.of(split)],
            }


def _axis_data(axis: Axis) -> dict[str, Any]:
    return {
        "name": axis.name_and_unit,
        "heading": axis.heading,
        "labels": axis.labels,
        "severities": axis.severities,
    }


def _surface_data(surface: Surface, rest: Index) -> dict[str, Any]:
    """Return numbers as [first][second]; without a second axis, each row has one number."""

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


def _split_data(split: SplitReport) -> dict[str, Any]:
    galleries = [
        {
            "method": gallery.method,
            "seed": gallery.seed,
            "key": gallery.key,
            "scenes": [_frame_data(frame) for frame in gallery.frames],
        }
        for gallery in split.galleries
    ]
    return {**vars(split), "galleries": galleries}


def _frame_data(frame: ComparedFrame) -> dict[str, Any]:
    """Return a frame with its points as 16 bit integers in base64."""
    points = frame.centred
    scale = (float(np.abs(points).max()) or 1.0) / _FULL_SCALE
    packed = _base64(np.rint(points / scale).astype("<i2"))
    return {
        "rank": frame.rank,
        "frame": frame.index,
        "sequence": frame.sequence,
        "error": frame.error,
        "scale": scale,
        "points": packed,
        "hidden": np.flatnonzero(frame.hidden).tolist(),
        "uncounted": np.flatnonzero(~frame.counts).tolist(),
        "picture": frame.picture and _picture_data(frame.picture),
        "teacher": frame.teacher and _frame_data(frame.teacher),
    }


def _mesh_data(gallery: MeshGallery) -> dict[str, Any]:
    """Return meshes with places as 16 bit integers, and colours and corners, in base64."""
    small = len(gallery.faces) <= _MOST_TRIANGLES
    return {
        "title": gallery.title,
        "metric": gallery.metric,
        "method": gallery.method,
        "seed": gallery.seed,
        "key": gallery.key,
        "triangles": len(gallery.faces),
        "faces": _base64(gallery.faces.astype("<u2")) if small else None,
        "frames": [
            {
                "name": name,
                "value": frame.value,
                "picture": _picture_data(FramePicture(frame.pixels, frame.points)),
                **(_surface_of(frame) if small else {}),
            }
            for name, frame in zip(gallery.names, gallery.frames, strict=True)
        ],
    }


def _surface_of(frame: MeshFrame) -> dict[str, str]:
    """Return vertices about the middle of their box, in any unit, and their colours."""
    vertices = frame.vertices - (frame.vertices.min(axis=0) + frame.vertices.max(axis=0)) / 2
    scale = _FULL_SCALE / (float(np.abs(vertices).max()) or 1.0)
    places = np.rint(scale * vertices).astype("<i2")
    return {"vertices": _base64(places), "colours": _base64(frame.colours)}


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(array.tobytes()).decode()


def _picture_data(picture: FramePicture) -> dict[str, Any]:
    """Return a picture as a JPEG file in base64."""
    file = io.BytesIO()
    Image.fromarray(picture.pixels).save(file, "JPEG", quality=_JPEG_QUALITY)
    return {
        "jpeg": base64.b64encode(file.getvalue()).decode(),
        "edge": len(picture.pixels),
        "points": picture.points.round(1).tolist(),
    }
