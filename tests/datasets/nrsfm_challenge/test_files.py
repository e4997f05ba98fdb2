"""The files of an object: their places and forms, and damage of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat
from tests.datasets.conftest import truth_of
from tests.datasets.nrsfm_challenge.conftest import FRAMES, POINTS, load, visibility, write_object

from liftbench.errors import DataMissingError, UserError
from liftbench_datasets.nrsfm_challenge.adapter import (
    CAMERAS,
    PATHS,
    NrsfmChallenge,
)


@pytest.mark.parametrize("below", ["nrsfm_challenge/paper", "NRSfM_challenge/paper/paper", "paper"])
def test_every_layout_is_found(tmp_path: Path, below: str) -> None:
    write_object(tmp_path / below)
    for camera in CAMERAS:
        assert NrsfmChallenge(camera=camera, missing=True).subsets(tmp_path) == ("paper",)


def test_hidden_points_are_those_of_the_visibility_files(root: Path) -> None:
    for camera in CAMERAS:
        seen = load(root, camera, missing=True).observations
        np.testing.assert_array_equal(seen.visible, np.concatenate([*map(visibility, PATHS)]))
        whole = load(root, camera).observations
        np.testing.assert_array_equal(seen.points_2d[seen.visible], whole.points_2d[seen.visible])


def test_visibility_may_have_one_row_a_frame(root: Path) -> None:
    before = load(root, missing=True, path="line").observations.visible
    file = root / "nrsfm_challenge/balloon/balloon/visibility/orthogonal/line.txt"
    np.savetxt(file, visibility("line"), fmt="%d")
    np.testing.assert_array_equal(
        load(root, missing=True, path="line").observations.visible, before
    )


def test_other_kinds_of_files_say_the_same(root: Path) -> None:
    before = load(root, missing=True)
    folder = root / "nrsfm_challenge/balloon/balloon"
    for file in folder.rglob("*.txt"):
        name = {"sequence": "W", "visibility": "visibility"}.get(file.parents[1].name, "S")
        if "line" in file.name:
            arrays: dict[str, Any] = {name: np.loadtxt(file)}
            np.savez(file.with_suffix(".npz"), **arrays)
        else:
            savemat(file.with_suffix(".mat"), {name: np.loadtxt(file)})
        file.unlink()
    after = load(root, missing=True)
    np.testing.assert_array_equal(after.observations.points_2d, before.observations.points_2d)
    np.testing.assert_array_equal(truth_of(after).points_3d, truth_of(before).points_3d)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("sequence/orthogonal/line.txt", "1 2\n", "expected two rows per frame"),
        ("sequence/orthogonal/line.txt", "1 2\n3\n", "expected a matrix of numbers"),
        ("sequence/orthogonal/line.txt", "", "the file is empty"),
        ("sequence/orthogonal/line.txt", "1 two\n3 4", "could not convert"),
        ("sequence/orthogonal/line.txt", "1 inf\n3 4", "numbers greater than"),
        ("sequence/orthogonal/line.txt", "1 2\n3 4", "expected 12 points as in"),
        ("visibility/orthogonal/line.txt", "1 1\n1 1", "expected 9 or 18 rows of 12 numbers"),
        ("gt_frame_5.txt", "1 2\n3 4", "expected three rows x, y and z"),
        ("gt_frame_5.txt", "1 2\n3 4\n5 6", "expected 12 points as in"),
    ],
)
def test_damage_names_the_file(root: Path, file: str, text: str, message: str) -> None:
    path = root / "nrsfm_challenge/balloon/balloon" / file
    path.write_text(text, encoding="ascii")
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        load(root, missing=file.startswith("visibility"))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not {f.item: f for f in NrsfmChallenge().check(root)}["balloon orthographic"].ok


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("challenge")
    folder = write_object(root / "balloon", paths=("line",))
    camera = data.draw(st.sampled_from(CAMERAS))
    files = ["sequence/perspective/line.txt", "visibility/orthogonal/line.txt", "gt_frame_5.txt"]
    path = folder / data.draw(st.sampled_from(files))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        load(root, camera, missing=True)
    except UserError as error:
        message = str(error)
    else:
        return
    assert re.fullmatch(rf"{re.escape(str(folder))}.+: .+", message)


def test_absent_visibility_is_reported(root: Path) -> None:
    file = root / "nrsfm_challenge/balloon/balloon/visibility/orthogonal/line.txt"
    file.unlink()
    assert NrsfmChallenge(missing=True).subsets(root) == ("balloon",)
    with pytest.raises(DataMissingError, match="visibility not found") as caught:
        load(root, missing=True)
    assert str(file) in str(caught.value)
    assert load(root).observations.visible.all()


def test_a_point_is_visible_where_both_of_its_rows_say_so(root: Path) -> None:
    file = root / "nrsfm_challenge/balloon/balloon/visibility/orthogonal/line.txt"
    both = np.ones((2 * FRAMES, POINTS))
    both[4, 1] = both[7, 2] = 0  # x of frame 2, y of frame 3
    np.savetxt(file, both, fmt="%d")
    visible = load(root, missing=True, path="line").observations.visible
    assert np.argwhere(~visible).tolist() == [[2, 1], [3, 2]]
