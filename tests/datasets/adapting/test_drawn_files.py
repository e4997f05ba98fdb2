"""Drawings are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from liftbench.errors import UserError
from liftbench_datasets.adapting.drawn_files import write_drawing

PIXELS = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


def test_a_file_holds_the_drawing_in_the_format_of_its_name(tmp_path: Path) -> None:
    file = tmp_path / "new" / "drawing.png"
    write_drawing(str(file), PIXELS)
    with Image.open(file) as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(np.asarray(image), PIXELS)
    assert [path.name for path in file.parent.iterdir()] == ["drawing.png"]


def test_options_reach_the_format(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    sizes = []
    for quality in (30, 90):
        write_drawing(str(tmp_path / f"{quality}.jpeg"), noise, quality=quality)
        sizes.append((tmp_path / f"{quality}.jpeg").stat().st_size)
    assert sizes[1] > 1.5 * sizes[0]


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"drawing\.png: cannot be written, set LIFTBENCH_CACHE"):
        write_drawing(str(tmp_path / "file" / "drawing.png"), PIXELS)
