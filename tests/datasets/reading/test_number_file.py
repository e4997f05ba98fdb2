"""Text, MATLAB and NumPy files give the same numbers; damage gives a one-line error."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from liftbench.errors import DataMissingError, UserError
from liftbench_datasets.reading.number_file import (
    find_numbers,
    frames_of_rows,
    read_numbers,
    read_tracks,
)

MATRIX = np.array([[1.5, -2, np.nan, 4], [0, 1e-9, 7, 8], [9, 1e9, 3, 2], [5, 6, 7, 1]])


def write(folder: Path, suffix: str, array: Any = MATRIX, name: str = "W") -> Path:
    path = folder / f"tracks{suffix}"
    if suffix == ".txt":
        np.savetxt(path, array)
    elif suffix == ".mat":
        savemat(path, {name: array, "other": 1.0})
    else:
        np.savez(path, **{name: array, "other": 1.0})
    return path


@pytest.mark.parametrize("suffix", [".txt", ".mat", ".npz"])
def test_values(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path, suffix)
    assert find_numbers(tmp_path / "tracks") == path
    np.testing.assert_array_equal(read_numbers(path, "none", "W"), MATRIX)


def test_version_73(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "tracks.mat", "w", userblock_size=512) as file:
        file.create_dataset("W", data=MATRIX.T).attrs["MATLAB_class"] = np.bytes_("double")
    with (tmp_path / "tracks.mat").open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    np.testing.assert_array_equal(read_numbers(tmp_path / "tracks.mat", "W"), MATRIX)


@pytest.mark.parametrize("separator", [" ", "\t", ",", ", "])
def test_columns_are_separated_by_blanks_tabs_or_commas(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "tracks.txt"
    path.write_text("\n".join(separator.join(map(repr, row)) for row in MATRIX.tolist()))
    np.testing.assert_array_equal(read_numbers(path), MATRIX)


def test_the_first_name_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "both.npz"
    np.savez(path, first=MATRIX, second=-MATRIX)
    np.testing.assert_array_equal(read_numbers(path, "second", "first"), -MATRIX)


def test_nothing_is_found_where_there_is_nothing(tmp_path: Path) -> None:
    assert find_numbers(tmp_path / "tracks") is None
    with pytest.raises(DataMissingError, match=r"tracks\.txt: not found"):
        read_numbers(tmp_path / "tracks.txt")


def test_frames_come_row_by_row() -> None:
    rows = np.array([[1.0, 2, 3], [10, 20, 30], [4, 5, 6], [40, 50, 60]])
    expected = [[[1, 10], [2, 20], [3, 30]], [[4, 40], [5, 50], [6, 60]]]
    np.testing.assert_array_equal(frames_of_rows(rows, 2), expected)


@pytest.mark.parametrize("suffix", [".mat", ".npz"])
def test_both_forms_of_tracks_are_the_same(tmp_path: Path, suffix: str) -> None:
    stacked = read_tracks(write(tmp_path, suffix))
    frames = read_tracks(write(tmp_path, suffix, np.stack([MATRIX[::2], MATRIX[1::2]], axis=2)))
    np.testing.assert_array_equal(stacked, frames)
    assert np.isnan(stacked[0, 2]).all()
    assert np.isnan(stacked).sum() == 2
    np.testing.assert_array_equal(stacked[1, 1], [1e9, 6])


class Exploit:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (Path("/tmp/liftbench-exploit"),)  # noqa: S108


def savez_objects(path: Path) -> None:
    array = np.empty((2, 2), dtype=object)
    array[:] = Exploit()
    np.savez(path, W=array, allow_pickle=True)


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a.txt", lambda path: path.write_text(""), "the file is empty"),
        ("a.txt", lambda path: path.write_text("1 2\n3"), "columns changed"),
        ("a.txt", lambda path: path.write_text("1 2\n3 x"), "at row 1, column 2"),
        ("a.txt", lambda path: path.write_text("1 -inf"), "greater than 1e+12"),
        ("a.txt", lambda path: path.write_text("# only a remark\n"), "the file is empty"),
        ("a.txt", lambda path: path.write_bytes(b"1 \xff"), "ascii"),
        ("a.npz", lambda path: np.savez(path, V=MATRIX), "called W: it holds V"),
        ("a.npz", lambda path: np.savez(path, W=np.ones(3)), "an array of shape (3,)"),
        ("a.npz", lambda path: np.savez(path, W=np.ones((2, 0))), "an array of shape (2, 0)"),
        ("a.npz", lambda path: np.savez(path, W=[["a", "b"]]), "values of type <U1"),
        ("a.npz", lambda path: np.savez(path, W=np.ones((2, 2)) * 1j), "values of type complex"),
        ("a.npz", lambda path: path.write_bytes(pickle.dumps(Exploit())), "expected a matrix"),
        ("a.npz", savez_objects, "expected a matrix of numbers"),
        ("a.mat", lambda path: savemat(path, {"V": MATRIX}), "called W: it holds V"),
        ("a.mat", lambda path: savemat(path, {"W": "text"}), "values of type"),
        ("a.mat", lambda path: savemat(path, {"W": {"x": 1.0}}), "values of type object"),
    ],
)
def test_what_is_no_array_is_an_error(
    tmp_path: Path, name: str, make: Callable[[Path], object], message: str
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        read_numbers(path, "W")
    assert re.fullmatch(rf"{re.escape(str(path))}: expected .+", str(caught.value))
    assert not Path("/tmp/liftbench-exploit").exists()  # noqa: S108


@pytest.mark.parametrize("shape", [(3, 4), (2, 4, 3), (1, 1)])
def test_other_shapes_are_no_tracks(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = write(tmp_path, ".npz", np.ones(shape))
    with pytest.raises(UserError, match=re.escape(f"got an array of shape {shape}")):
        read_tracks(path)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([".txt", ".mat", ".npz"]))
def test_any_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, suffix: str
) -> None:
    path = write(tmp_path_factory.mktemp("damaged"), suffix)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        tracks = read_tracks(path)
    except UserError as error:
        message = str(error)
    else:
        assert tracks.ndim == 3
        return
    assert re.fullmatch(rf"{re.escape(str(path))}: expected .+", message)
