"""Writes reconstructed surfaces as files that viewers of meshes open."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from liftbench.errors import UserError
from liftbench.types import Floats, Reconstruction

MeshFormat = Literal["ply", "obj", "glb"]
_MOST_COLOUR = 255


def write_mesh(path: Path, reconstruction: Reconstruction, frame: int) -> None:
    """Write the surface of a frame, with one colour per vertex if there are colours.

    The file's y axis points up and its z axis towards the viewer, as viewers expect; in the
    camera's frame y points down and z away.

    Args:
        path: ends in .ply, .obj or .glb.
        reconstruction: has `vertices` and `faces`.
        frame: number of the frame.

    Raises:
        UserError: the package `trimesh` is not installed.
        ValueError: there is no surface.
    """
    try:
        import trimesh
    except ImportError as error:
        raise UserError(
            "meshes need the package trimesh; install it with: pip install 'liftbench[meshes]'"
        ) from error
    if reconstruction.vertices is None or reconstruction.faces is None:
        raise ValueError("the reconstruction has points alone, no surface (vertices and faces)")
    vertices: Floats = reconstruction.vertices[frame] * [1.0, -1.0, -1.0]
    colours = None
    if reconstruction.colours is not None:
        colours = np.rint(reconstruction.colours[frame] * _MOST_COLOUR).astype(np.uint8)
    mesh = trimesh.Trimesh(
        vertices, reconstruction.faces, vertex_colors=colours, process=False, validate=False
    )
    mesh.export(path)
