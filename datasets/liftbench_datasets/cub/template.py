"""The mean shape of birds, `bird.obj`, and its keypoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from liftbench.types import Mesh, Template
from liftbench_datasets.reading.array_fields import finite_field
from liftbench_datasets.reading.one_line_errors import one_line_errors

# The vertex of each part, in the order of `release.PARTS`. Source: the list of the template,
# matched by name.
KEYPOINT_VERTICES = (84, 550, 621, 377, 230, 572, 395, 533, 92, 195, 414, 479, 185, 233, 376)
VERTICES, FACES = 642, 1280
_MIRROR = (-1, 1, 1)


def read_template(path: Path) -> Template:
    """Read a bird about 1 long, beak at -y, the back up along z and its left at +x.

    The Wavefront OBJ file holds its mirror image, with left parts at the smaller x.

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
    points = np.zeros((len(KEYPOINT_VERTICES), len(vertices)))
    points[np.arange(len(points)), KEYPOINT_VERTICES] = 1
    return Template(Mesh(vertices * _MIRROR, faces[:, ::-1]), points)


def _index(word: str) -> int:
    """Return the vertex of a corner `vertex/texture/normal`, where the last two may be left out."""
    return int(word.partition("/")[0])
