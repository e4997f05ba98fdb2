"""The mean shape of birds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.datasets.cub.conftest import write_template

from liftbench.errors import UserError
from liftbench_datasets.cub.template import KEYPOINT_VERTICES, read_template


def test_the_template_is_that_of_the_file(tmp_path: Path) -> None:
    template = read_template(write_template(tmp_path / "bird.obj"))
    assert template.faces.tolist() == [[0, 1, 2], [3, 4, 641]]
    written = np.random.default_rng(0).normal(size=(642, 3)).round(4)
    np.testing.assert_array_equal(template.keypoints, written[list(KEYPOINT_VERTICES)])


def test_a_template_with_too_few_vertices_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"within 1\.\.600"):
        read_template(write_template(tmp_path / "bird.obj", 600))
