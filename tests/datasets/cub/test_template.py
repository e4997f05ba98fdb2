"""The mean shape of birds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.datasets.cub.conftest import write_template

from liftbench.errors import UserError
from liftbench_datasets.cub.release import PARTS
from liftbench_datasets.cub.template import KEYPOINT_VERTICES, read_template


def test_the_template_is_the_mirror_image_of_that_of_the_file(tmp_path: Path) -> None:
    template = read_template(write_template(tmp_path / "bird.obj"))
    assert template.mesh.faces.tolist() == [[2, 1, 0], [641, 4, 3]]
    written = np.random.default_rng(0).normal(size=(642, 3)).round(4) * [-1, 1, 1]
    np.testing.assert_array_equal(template.mesh.vertices, written)
    np.testing.assert_array_equal(template.points_3d, written[list(KEYPOINT_VERTICES)])


def test_a_template_with_too_few_vertices_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"within 1\.\.600"):
        read_template(write_template(tmp_path / "bird.obj", 600))


def test_parts_are_where_the_list_of_the_template_has_them() -> None:
    places = dict(zip(PARTS, KEYPOINT_VERTICES, strict=True))
    assert [places[name] for name in ("back", "beak", "left eye", "tail")] == [84, 550, 395, 233]


@pytest.mark.parametrize(
    ("vertices", "face", "message"),
    [
        (642, "f 0 1 2", r"within 1\.\.642"),
        (600, "f 1 2 3", "600 vertices, the keypoints need 642"),
    ],
)
def test_faces_from_0_and_too_few_vertices_are_reported(
    tmp_path: Path, vertices: int, face: str, message: str
) -> None:
    path = tmp_path / "bird.obj"
    path.write_text("\n".join([*[f"v {i} 0 1" for i in range(vertices)], face]))
    with pytest.raises(UserError, match=message):
        read_template(path)
