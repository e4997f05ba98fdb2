"""The masks of CMR's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.datasets.cub.conftest import mask, write_cleaned

from liftbench.errors import UserError
from liftbench_datasets.cub.masks import unpack_masks


def test_masks_are_unpacked_once(tmp_path: Path, cache_folder: Path) -> None:
    path = write_cleaned(tmp_path / "x.mat", [3, 8])
    files = unpack_masks(path, 2)
    for file, i in zip(files, [3, 8], strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(file)), mask(i) > 0)
        assert Path(file).is_relative_to(cache_folder)
    times = [Path(file).stat().st_mtime_ns for file in files]
    assert unpack_masks(path, 2) == files
    assert [Path(file).stat().st_mtime_ns for file in files] == times
    assert len(list((cache_folder / "masks" / "cub").iterdir())) == 1


@pytest.mark.parametrize("bad", [np.ones((2, 2, 2)), np.array([["a", "b"]]), np.ones((3, 3))])
def test_damaged_masks_are_reported_and_leave_nothing(
    tmp_path: Path, cache_folder: Path, bad: Any
) -> None:
    path = write_cleaned(tmp_path / "x.mat", [3, 8], mask=bad)
    with pytest.raises(UserError, match="a struct array 'images' whose entries have a mask"):
        unpack_masks(path, 2)
    assert list((cache_folder / "masks" / "cub").iterdir()) == []


def test_another_number_of_masks_is_reported(tmp_path: Path) -> None:
    path = write_cleaned(tmp_path / "x.mat", [3, 8])
    with pytest.raises(UserError, match="2 masks of 3 birds"):
        unpack_masks(path, 3)
