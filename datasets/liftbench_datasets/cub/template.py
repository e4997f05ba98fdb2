"""The mean shape of birds, `bird.obj`, and its keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Floats
from liftbench_datasets.reading.array_fields import finite_field
from liftbench_datasets.reading.one_line_errors import one_line_errors

# The vertex of each part, in the order of `release.PARTS`. Source: the list of the template,
# matched by name. The template is a mirror image: left parts have the smaller x.
KEYPOINT_VERTICES = (84, 550, 621, 377, 230, 572, 395, 533, 92, 195, 414, 479, 185, 233, 376)
VERTICES, FACES = 642, 1280


@dataclass(frozen=True)
class Template:
    """A mesh whose vertices include the keypoints.

    Attributes:
        vertices: (V, 3) of a bird about 1 long: beak to tail along y, the back up along z.
        faces: (T, 3) indices of vertices, from 0.
    """

    vertices: Floats
    faces: NDArray[np.int64]

    @property
    def keypoints(self) -> Floats:
        """The 15 parts on the mesh, (15, 3)."""
        points: Floats = self.vertices[list(KEYPOINT_VERTICES)]
        return points


def read_template(path: Path) -> Template:
    """Read the vertices and triangles of a Wavefront OBJ file.

    Raises:
        DataMissingError: the file is not found.
        UserError: it is damaged or has too few vertices.
    """
    with one_line_errors(path, "a mesh of lines 'v x y z' and 'f a b c'"):
        rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        places = [[float(word) for word in row[1:]] for row in rows if row[:1] == ["v"]]
        corners = [[_index(word) for word in row[1:]] for row in rows if row[:1] == ["f"]]
        vertices = finite_field(np.array(places), "v", (None, 3))
        faces = finite_field(np.array(corners), "f", (None, 3)).astype(np.int64) - 1
        if faces.min() < 0 or faces.max() >= len(vertices):
            raise ValueError(f"a face's vertices are not all within 1..{len(vertices)}")
        if len(vertices) <= max(KEYPOINT_VERTICES):
            raise ValueError(f"{len(vertices)} vertices, the keypoints need {VERTICES}")
    return Template(vertices, faces)


def _index(word: str) -> int:
    """Return the vertex of a corner `vertex/texture/normal`, where the last two may be left out."""
    return int(word.partition("/")[0])
