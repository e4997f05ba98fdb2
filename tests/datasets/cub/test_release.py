"""The readers of the text files of CUB-200-2011, and any damage of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.datasets.cub.conftest import BIRDS, write_release

from liftbench.errors import UserError
from liftbench_datasets.cub.cmr import read_annotations, read_sfm
from liftbench_datasets.cub.files import find_files
from liftbench_datasets.cub.release import (
    PARTS,
    read_boxes,
    read_image_names,
    read_part_names,
    read_parts,
    read_train_flags,
)
from liftbench_datasets.cub.template import read_template


def test_points_are_counted_from_the_middle_of_the_first_pixel(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    points, visible = read_parts(folder / "parts" / "part_locs.txt")
    np.testing.assert_array_equal(visible, BIRDS.visible)
    np.testing.assert_allclose(points[visible], BIRDS.points[visible] - 1)
    boxes = read_boxes(folder / "bounding_boxes.txt")
    np.testing.assert_allclose(boxes, BIRDS.box - [1, 1, 0, 0])


def test_the_order_of_the_lines_does_not_matter(tmp_path: Path) -> None:
    path = write_release(tmp_path) / "parts" / "part_locs.txt"
    before = read_parts(path)
    path.write_text("\n".join(np.random.default_rng(0).permutation(path.read_text().splitlines())))
    for first, again in zip(before, read_parts(path), strict=True):
        np.testing.assert_array_equal(first, again)


def test_names_and_flags_are_those_of_the_files(tmp_path: Path) -> None:
    folder = write_release(tmp_path, names=True, flags=True)
    assert read_image_names(folder / "images.txt").tolist() == BIRDS.names
    assert read_train_flags(folder / "train_test_split.txt").tolist() == [True] * 20 + [False] * 20
    assert read_part_names(folder / "parts" / "parts.txt") == PARTS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:-1], "the images are not numbered from 1, each once"),
        (lambda rows: [*rows, rows[-1]], "the images are not numbered from 1, each once"),
        (lambda rows: rows[15:], "the images are not numbered"),
        (lambda rows: ["1 1 2 3 4", *rows[1:]], "visibility is not 0 or 1"),
        (lambda rows: ["1 1 nan 3 1", *rows[1:]], "line 1 holds a number that is not finite"),
        (lambda rows: ["1 16 2 3 1", *rows[1:]], "the parts are not numbered"),
        (lambda rows: ["1 1 2 3", *rows[1:]], "columns"),
        (lambda rows: [row + " 1" for row in rows], "lines of 6 numbers, not of 5"),
        (lambda rows: ["1 one 2 3 1", *rows[1:]], "one"),
        (lambda rows: rows[:0], "expected lines of an image, a part"),
    ],
)
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_damaged_parts_are_reported(tmp_path: Path, change: Any, message: str) -> None:
    path = write_release(tmp_path) / "parts" / "part_locs.txt"
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(UserError) as caught:
        read_parts(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


@pytest.mark.parametrize("line", ["1 2 3 4", "1 2 3 0 4", "2 1 1 9 9", "1 1 1 inf 9"])
def test_damaged_boxes_are_reported(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bounding_boxes.txt"
    path.write_text(line)
    with pytest.raises(UserError, match="expected lines of an image, x, y, width and height"):
        read_boxes(path)


@pytest.mark.parametrize("content", ["1 a b\n", "2 a\n", "one a\n", "", "1\n"])
def test_damaged_names_are_reported(tmp_path: Path, content: str) -> None:
    path = tmp_path / "images.txt"
    path.write_text(content)
    with pytest.raises(UserError, match="expected lines of an image and its path"):
        read_image_names(path)


@pytest.mark.parametrize("content", ["1 2\n", "1\n", "2 1\n", "x"])
def test_damaged_flags_are_reported(tmp_path: Path, content: str) -> None:
    path = tmp_path / "train_test_split.txt"
    path.write_text(content)
    with pytest.raises(UserError, match="expected lines of an image and 0 or 1"):
        read_train_flags(path)


READERS = (read_parts, read_boxes, read_train_flags, read_image_names, read_part_names)


LINES = st.lists(
    st.lists(
        st.sampled_from(["1", "2", "0", "-3", "nan", "1e999", "9" * 30, "a", "\0"]), max_size=6
    )
)


@pytest.mark.filterwarnings("ignore:loadtxt")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(LINES.map(lambda rows: "\n".join(map(" ".join, rows)).encode()) | st.binary(max_size=60))
@pytest.mark.parametrize("read", [*READERS, read_template, read_sfm, read_annotations])
def test_any_file_is_read_or_refused_in_one_line(tmp_path: Path, read: Any, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    message = ""
    try:
        read(path)
    except UserError as error:
        message = str(error)
    assert not message or message.startswith(str(path))
    assert "\n" not in message


def test_the_real_release(real: Path) -> None:
    files = find_files(real)
    points, _ = read_parts(files.parts)
    assert points.shape == (11_788, 15, 2)
    assert read_boxes(files.boxes).shape == (11_788, 4)
    assert read_part_names(files.release / "parts" / "parts.txt") == PARTS
    template = read_template(files.template)
    shape = read_sfm(files.sfm("train")).shape
    assert shape is not None
    for axis in range(3):
        assert np.corrcoef(template.points_3d[:, axis], shape[axis])[0, 1] > 0.8
