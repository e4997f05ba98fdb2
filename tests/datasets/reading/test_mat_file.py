"""MATLAB files of all formats give the same plain values; damaged files give a one-line error."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat
from scipy.sparse import csc_matrix

from liftbench.errors import DataMissingError, UserError
from liftbench_datasets.reading import mat_checks
from liftbench_datasets.reading.mat_checks import check_content
from liftbench_datasets.reading.mat_file import read_mat


def record() -> dict[str, Any]:
    return {
        "name": "2008_000251",
        "size": np.array([500.0, 375.0]),
        "objects": {"label": "car", "bbox": np.array([1.0, 2.0, 30.0, 40.0]), "difficult": 0.0},
        "points": np.arange(6.0).reshape(2, 3),
    }


def write_v7(path: Path) -> Path:
    savemat(path, {"record": record()})
    return path


def write_v73(path: Path) -> Path:
    """Write a struct as MATLAB does: arrays transposed, texts as numbers, classes named."""

    def put(group: h5py.Group, name: str, value: Any) -> None:
        if isinstance(value, dict):
            child = group.create_group(name)
            child.attrs["MATLAB_class"] = np.bytes_("struct")
            for key, item in value.items():
                put(child, key, item)
        elif isinstance(value, str):
            codes = np.array([[ord(c)] for c in value], dtype=np.uint16)
            made = group.create_dataset(name, data=codes)
            made.attrs["MATLAB_class"] = np.bytes_("char")
            made.attrs["MATLAB_int_decode"] = np.int32(2)
        else:
            made = group.create_dataset(name, data=np.atleast_2d(value).T)
            made.attrs["MATLAB_class"] = np.bytes_("double")

    with h5py.File(path, "w", userblock_size=512) as file:
        put(file, "record", record())
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    with path.open("r+b") as stream:
        stream.write(header)
    return path


@pytest.mark.parametrize("write", [write_v7, write_v73])
def test_values(tmp_path: Path, write: Any) -> None:
    found = read_mat(write(tmp_path / "record.mat"), "record")["record"]
    np.testing.assert_equal(found["points"], record()["points"])
    np.testing.assert_equal(found["objects"]["bbox"], record()["objects"]["bbox"])
    np.testing.assert_equal(found["size"], record()["size"])
    assert found["name"] == "2008_000251"
    assert found["objects"]["label"] == "car"
    assert found["objects"]["difficult"] == 0


def write_v4(path: Path) -> Path:
    savemat(path, {"points": record()["points"], "label": "car"}, format="4")
    return path


def write_v5_compressed(path: Path) -> Path:
    savemat(path, {"record": record()}, do_compression=True)
    return path


def test_old_matrices(tmp_path: Path) -> None:
    found = read_mat(write_v4(tmp_path / "old.mat"))
    np.testing.assert_equal(found["points"], record()["points"])
    assert found["label"] == "car"


@pytest.mark.parametrize(
    "value",
    [
        np.array([[1 + 2j, 3]]),
        np.zeros((0, 3)),
        np.ones((2, 3, 4), dtype=np.uint8),
        np.array([[True, False]]),
        csc_matrix(np.eye(3)),
        np.array([["a", "bc"]], dtype=object),
        "texts with an ä",
        {},
    ],
    ids=["complex", "empty", "bytes", "logical", "sparse", "cells", "text", "no_field"],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_what_scipy_writes_passes_the_check(
    tmp_path: Path, value: object, *, compressed: bool
) -> None:
    path = tmp_path / "x.mat"
    savemat(path, {"x": value}, do_compression=compressed)
    assert "x" in read_mat(path)


# A level-5 file of one 2 x 2 matrix whose numbers have the reserved data type 8 in place of 9.
CRASHES_SCIPY = Path(__file__).parent / "reserved_data_type.mat"


def test_the_committed_file_is_a_matrix_with_a_reserved_data_type(tmp_path: Path) -> None:
    path = tmp_path / "W.mat"
    savemat(path, {"W": np.eye(2)})
    whole = path.read_bytes()[124:]
    tag = struct.pack("<II", 9, np.eye(2).nbytes)
    assert whole.count(tag) == 1
    damaged = b"MATLAB 5.0 MAT-file".ljust(124) + whole.replace(tag, b"\x08" + tag[1:])
    assert CRASHES_SCIPY.read_bytes() == damaged


def test_a_file_that_crashes_scipy_is_a_one_line_error() -> None:
    """Without the checks, SciPy's reader would crash the process."""
    load = "import sys, scipy.io; scipy.io.loadmat(sys.argv[1])"
    ended = subprocess.run([sys.executable, "-c", load, str(CRASHES_SCIPY)], check=False)
    assert ended.returncode < 0
    with pytest.raises(UserError) as caught:
        read_mat(CRASHES_SCIPY)
    assert str(caught.value) == (
        f"{CRASHES_SCIPY}: expected a MATLAB file: data of an unknown type 8"
    )


@pytest.mark.parametrize(
    "value", [np.array([[7]], np.uint8), np.arange(7.0)[None], np.array([[1j]])]
)
def test_an_array_like_those_before_it_is_checked_as_if_it_were_the_first(
    tmp_path: Path, value: Any
) -> None:
    """Each word of an array is damaged in turn, after intact arrays and before them."""
    path, cells = tmp_path / "cells.mat", np.empty(3, dtype=object)
    cells[:] = [value] * 3
    savemat(path, {"cells": cells})
    whole = path.read_bytes()
    size = (len(whole) - 128 - 56) // 3  # behind the header, and the tags and name of the cells
    first, last = len(whole) - 3 * size, len(whole) - size
    assert whole[first : first + size] == whole[last:]
    check_content(whole)

    def is_refused(at: int) -> bool:
        try:
            check_content(whole[:at] + b"\xf1\xff\xff\x7f" + whole[at + 4 :])
        except ValueError:
            return True
        return False

    refused = [is_refused(last + word) for word in range(0, size, 4)]
    assert refused == [is_refused(first + word) for word in range(0, size, 4)]
    assert sum(refused) >= 9


def test_inflation_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mat_checks._MOST_BYTES == 2**29
    monkeypatch.setattr(mat_checks, "_MOST_BYTES", 2**20)
    path = write_v7(tmp_path / "bomb.mat")
    packed = zlib.compress(bytes(2**20 + 1))
    element = struct.pack("<II", 15, len(packed)) + packed
    path.write_bytes(path.read_bytes()[:128] + element)
    with pytest.raises(UserError, match="holds more than 1048576 bytes"):
        read_mat(path)


def test_missing_variable(tmp_path: Path) -> None:
    path = write_v7(tmp_path / "record.mat")
    with pytest.raises(
        UserError, match=r"record\.mat: expected a MATLAB file: .*no variable 'pose'"
    ):
        read_mat(path, "record", "pose")


def test_absent(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match=r"record\.mat: not found"):
        read_mat(tmp_path / "record.mat")


def test_array_of_fill_values_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.mat"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", shape=(2**20, 2**15), chunks=(64, 64), dtype="f8")
    with pytest.raises(UserError, match="'x' claims 274877906944 bytes"):
        read_mat(path)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from([write_v4, write_v5_compressed, write_v7, write_v73]))
def test_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, write: Callable[[Path], Path]
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "record.mat"
    content = bytearray(write(path).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        read_mat(path)
    except UserError as error:
        message = str(error)
    else:
        return
    assert re.fullmatch(rf"{re.escape(str(path))}: expected a MATLAB file: .+", message)
