"""Pickles of arrays are read; whatever else a pickle holds is refused and never run."""

from __future__ import annotations

import io
import os
import pickle
import re
import resource
import struct
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liftbench.errors import DataMissingError, UserError
from liftbench_datasets.reading.array_pickle import load_pickle, read_object_npz, read_pickle


def poses() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "S1": {"Walking 1": rng.standard_normal((3, 4, 3)), "Photo": np.zeros((0, 4, 3), "f4")},
        "columns": np.asfortranarray(rng.standard_normal((2, 3))),
        "number": np.float32(0.5),
        "names": np.array(["hip", "knee"]),
        "objects": np.array([{"a": 1}, None], dtype=object),
        "plain": [1, 2.5, "text", b"bytes", (True, None)],
    }


def assert_same(left: Any, right: Any) -> None:
    np.testing.assert_equal(left, right)


class Touch:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol(protocol: int) -> None:
    assert_same(load_pickle(io.BytesIO(pickle.dumps(poses(), protocol=protocol))), poses())


def test_pickle_of_python_2() -> None:
    content = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\nt"
        b"cnumpy\ndtype\n(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'"
        + "".join(f"\\x{byte:02x}" for byte in np.array([0.5, -2.0]).tobytes()).encode()
        + b"'\ntb."
    )
    np.testing.assert_array_equal(load_pickle(io.BytesIO(content)), [0.5, -2.0])


def test_code_is_refused_and_not_run(tmp_path: Path) -> None:
    made = tmp_path / "made"
    path = tmp_path / "body.pkl"
    path.write_bytes(pickle.dumps({"pose": [Touch(made)]}))
    with pytest.raises(UserError, match=r"body\.pkl: expected a body: it wants to load .*mkdir"):
        read_pickle(path, "a body")
    assert not made.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy._core.multiarray\nscalar\n(cnumpy\ndtype\n(S'O8'\nI0\nI1\ntRS'12345678'\ntR.",
        b"c_codecs\nencode\n(VA\nVutf-16\ntR.",
    ],
)
def test_other_names_are_refused(content: bytes) -> None:
    with pytest.raises((pickle.UnpicklingError, ValueError)):
        load_pickle(io.BytesIO(content))


class Array:
    """Is pickled as an array with any state; `kind` and `state` are those of its type."""

    def __init__(self, kind: str, state: tuple[Any, ...], shape: Any, content: Any) -> None:
        self.type = Type(kind, state)
        self.shape, self.content = shape, content

    def __reduce__(self) -> tuple[Any, ...]:
        empty = np.array([1.0]).__reduce__()
        return empty[0], empty[1], (1, self.shape, self.type, False, self.content)


class Type:
    def __init__(self, kind: str, state: tuple[Any, ...]) -> None:
        self.kind, self.state = kind, state

    def __reduce__(self) -> tuple[Any, ...]:
        return np.dtype, (self.kind, False, True), self.state


def plain(order: str = "<", size: int = -1, alignment: int = -1, flags: int = 0) -> Any:
    return 3, order, None, None, None, size, alignment, flags


NUMBER, OBJECT = np.array([7.0]).tobytes(), plain("|", flags=np.dtype("O").flags)


@pytest.mark.parametrize(
    "array",
    [
        Array("f8", plain(flags=63), (1,), NUMBER),
        Array("f8", plain(flags=63), (1,), [0.5]),
        Array("O8", plain("|"), (1,), NUMBER),
        Array("O8", OBJECT, (1,), NUMBER),
        Array("O8", OBJECT, (2,), [None]),
        Array("O8", OBJECT, (-1,), []),
        Array("f8", plain(), (1,), [0.5]),
        Array("f8", plain(), (2,), NUMBER),
        Array("f8", plain(), (2**62, 4), b""),
        Array("f8", plain(), (1.0,), NUMBER),
        Array("f8", plain(size=1 << 20), (1,), NUMBER),
        Array("f8", plain(alignment=0), (1,), NUMBER),
        Array("f8", plain("x"), (1,), NUMBER),
        Array("S8", plain("|", -8, 1), (1,), NUMBER),
        Array("f8", (3, "<", None, ("a",), {"a": ("f8", 0)}, 8, 8, 0), (1,), NUMBER),
        Array("f8,O", plain(), (1,), NUMBER),
        Array("V8", plain("|", 8, 1), (1,), NUMBER),
        Array("M8[s]", plain(), (1,), NUMBER),
    ],
)
def test_an_array_with_a_false_state_is_refused(array: Array) -> None:
    """numpy would take many of them, and read or write where no array is."""
    with pytest.raises(pickle.UnpicklingError, match="it holds"):
        load_pickle(io.BytesIO(pickle.dumps(array)))


def test_a_true_state_is_that_of_the_array() -> None:
    found = load_pickle(io.BytesIO(pickle.dumps(Array("f8", plain(">"), (1,), NUMBER[::-1]))))
    np.testing.assert_array_equal(found, [7.0])
    assert np.dtype("f8").isnative, "numpy's own type stays as it is"


def test_the_array_class_cannot_be_called() -> None:
    for content in (b"cnumpy\nndarray\n(I9\ntR.", b"\x80\x02cnumpy\nndarray\n)\x81."):
        with pytest.raises(TypeError):
            load_pickle(io.BytesIO(content))


def test_huge_memo_index_takes_no_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert load_pickle(io.BytesIO(b"\x80\x02]r\xff\xff\xff\xff.")) == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # KiB


def test_absent(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match=r"body\.pkl: not found"):
        read_pickle(tmp_path / "body.pkl", "a body")


def test_npz_of_objects(tmp_path: Path) -> None:
    path = tmp_path / "poses.npz"
    plain = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.savez_compressed(path, positions=np.array(poses(), dtype=object), plain=plain)
    found = read_object_npz(path, "poses")
    assert_same(found["positions"], poses())
    np.testing.assert_array_equal(found["plain"], plain)


def test_npz_with_code(tmp_path: Path) -> None:
    made = tmp_path / "made"
    path = tmp_path / "poses.npz"
    np.savez(path, positions=np.array({"S1": Touch(made)}, dtype=object))
    with pytest.raises(UserError, match="not allowed"):
        read_object_npz(path, "poses")
    assert not made.exists()


def test_npz_that_claims_too_much(tmp_path: Path) -> None:
    path = tmp_path / "poses.npz"
    stream = io.BytesIO()
    np.save(stream, np.zeros(7))
    claiming = stream.getvalue().replace(b"(7,), }   ", b"(7000,), }")
    with ZipFile(path, "w") as archive:
        archive.writestr("x.npy", claiming)
    with pytest.raises(UserError, match=r"expected poses: an array of shape \(7000,\) in an entry"):
        read_object_npz(path, "poses")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_is_one_line(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(pickle.dumps(poses(), protocol=data.draw(st.sampled_from([0, 2, 4, 5]))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "poses.pkl"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        read_pickle(path, "poses")
    except UserError as error:
        message = str(error)
    else:
        return
    assert re.fullmatch(rf"{re.escape(str(path))}: expected poses: .+", message)


def test_lengths_beyond_the_file_are_refused() -> None:
    for content in (
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x.",
        b"\x80\x02T\xff\xff\xff\x7fx.",
    ):
        with pytest.raises((pickle.UnpicklingError, ValueError, EOFError)):
            load_pickle(io.BytesIO(content))
