"""Draws meshes before their pictures, and turned, in the layout of To The Point's Figure 2."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from liftbench.meshes.normals import vertex_normals
from liftbench.meshes.rasteriser import rasterise
from liftbench.plotting import COLOURS, STYLE
from liftbench.report.content import MeshFrame, MeshGallery
from liftbench.types import Floats

COLUMNS = ("picture", "points", "mesh", "texture", "turned")
_TURN = math.radians(60.0)
_PANEL, _FINER = 256, 2  # pixels of a panel, drawn this many times finer
_INCHES = 1.25  # edge of a panel
_LIGHT = np.array([-0.4, -0.6, -0.7]) / np.linalg.norm([-0.4, -0.6, -0.7])
_CLAY = np.array([0.45, 0.62, 0.85])
_OPAQUE = 0.8  # of the mesh over its picture


@mpl.rc_context(STYLE)
def mesh_figure(gallery: MeshGallery) -> Figure:
    """Return a figure with a row per frame: picture, points, mesh, and textured mesh twice."""
    rows, columns = len(gallery.frames), len(COLUMNS)
    width, height = _INCHES * columns + 0.5, _INCHES * rows + 0.5
    figure = Figure((width, height))
    figure.text(0.5, 1 - 0.12 / height, f"{gallery.method}: {gallery.title}", ha="center", va="top")
    for row, frame in enumerate(gallery.frames):
        for column, panel in enumerate(panels(frame, gallery.faces)):
            left, low = 0.45 + _INCHES * column, _INCHES * (rows - 1 - row)
            edge = 0.97 * _INCHES
            axes = figure.add_axes((left / width, low / height, edge / width, edge / height))
            axes.imshow(panel, extent=(0, len(frame.pixels), len(frame.pixels), 0))
            axes.set_axis_off()
            if row == 0:
                axes.set_title(COLUMNS[column], fontsize=7, pad=2)
            if COLUMNS[column] == "points":
                seen = frame.visible
                axes.plot(*frame.points[seen].T, "o", ms=2.5, color=COLOURS[1], mew=0)
                axes.plot(*frame.points[~seen].T, "o", ms=2.5, mfc="none", mec=COLOURS[1], mew=0.7)
                axes.set(xlim=(0, len(frame.pixels)), ylim=(len(frame.pixels), 0))
        label = f"{gallery.names[row]}\n{frame.value:.3g}"
        middle = (_INCHES * (rows - 0.5 - row)) / height
        figure.text(0.2 / width, middle, label, rotation=90, fontsize=6, ha="center", va="center")
    note = f"left: frame and {gallery.metric}"
    figure.text(0.99, 1 - 0.3 / height, note, fontsize=6, ha="right", va="center", color="0.4")
    return figure


def panels(frame: MeshFrame, faces: NDArray[np.int64]) -> tuple[NDArray[np.uint8], ...]:
    """Return the panels (256, 256, 3) of a frame in the order of `COLUMNS`."""
    edge = len(frame.pixels)
    picture = np.asarray(Image.fromarray(frame.pixels).resize((_PANEL, _PANEL)))
    scale = _FINER * _PANEL / edge
    vertices = scale * frame.vertices - (0.5, 0.5, 0.0)
    clay = np.broadcast_to(_CLAY, frame.vertices.shape)
    white = np.ones((_FINER * _PANEL, _FINER * _PANEL, 3))
    backdrop = np.repeat(np.repeat(picture / 255, _FINER, axis=0), _FINER, axis=1)
    over = draw_mesh(backdrop, vertices, faces, clay, _OPAQUE)
    colours = frame.colours / 255
    textured = draw_mesh(white, vertices, faces, colours, 1.0)
    turned = draw_mesh(white, turn(vertices), faces, colours, 1.0)
    return (picture, picture, *map(_shrink, (over, textured, turned)))


def draw_mesh(
    backdrop: Floats, vertices: Floats, faces: NDArray[np.int64], colours: Floats, opaque: float
) -> Floats:
    """Return a picture (H, W, 3) with a shaded mesh over it, of which the nearest side shows.

    Args:
        backdrop: (H, W, 3) from 0 to 1.
        vertices: (V, 3) in pixels from the middle of the first one; z points away.
        faces: (T, 3), counter-clockwise as seen from outside.
        colours: (V, 3) from 0 to 1.
        opaque: share of the mesh in its pixels.
    """
    height, width = backdrop.shape[:2]
    seen = rasterise(vertices, faces, (height, width))
    normals = seen.between(vertex_normals(vertices, faces), faces)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-9)
    shade = 0.7 + 0.35 * (normals @ _LIGHT).clip(0)
    canvas = backdrop.copy()
    drawn = (seen.between(colours, faces) * shade[:, None]).clip(0, 1)
    below = canvas[seen.row, seen.column]
    canvas[seen.row, seen.column] = opaque * drawn + (1 - opaque) * below
    return canvas


def turn(vertices: Floats) -> Floats:
    """Return vertices (V, 3) turned by 60 degrees about the upright axis through their middle."""
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    cosine, sine = math.cos(_TURN), math.sin(_TURN)
    rotation = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    turned: Floats = (vertices - middle) @ rotation.T + middle
    return turned


def _shrink(canvas: Floats) -> NDArray[np.uint8]:
    """Return a panel from a picture that is drawn finer."""
    levels: Floats = np.rint(
        255 * canvas.reshape(_PANEL, _FINER, _PANEL, _FINER, 3).mean(axis=(1, 3))
    )
    return levels.astype(np.uint8)
