"""Reader of pickles that hold numpy arrays and plain values; it never runs code from the file."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, ClassVar
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from liftbench_datasets.reading.one_line_errors import one_line_errors

_ALWAYS_FINE = 1 << 29  # bytes that even a small file may unpack to
_GREATEST_RATIO = 100  # real arrays do not compress better


Names = Mapping[tuple[str, str], Any]


def read_pickle(path: Path, expected: str, stand_ins: Names | None = None) -> Any:  # noqa: ANN401
    """Return the content of a pickle of arrays, numbers, texts, lists and dicts.

    Pickles of Python 2 are read too; their texts become `str`.

    Args:
        path: the file.
        expected: what it should hold, for the error.
        stand_ins: further allowed classes and functions, by module and name; the reader calls
            them as the pickle asks.

    Raises:
        DataMissingError: the file is not there.
        UserError: the file is damaged or holds anything else, such as code.
    """
    with one_line_errors(path, expected), path.open("rb") as stream:
        return load_pickle(stream, stand_ins)


def read_object_npz(path: Path, expected: str) -> dict[str, Any]:
    """Return the arrays of an .npz file, some of which may hold Python objects.

    In place of an object array without axes, its one object is returned, such as a dict.

    Args:
        path: the file.
        expected: what it should hold, for the error.

    Raises:
        DataMissingError: the file is not there.
        UserError: the file is damaged, or holds an object that `read_pickle` does not accept.
    """
    with one_line_errors(path, expected), ZipFile(path) as archive:
        _refuse_oversized(archive, path.stat().st_size)
        found = {}
        for entry in archive.infolist():
            with archive.open(entry) as stream:
                found[entry.filename.removesuffix(".npy")] = _load_npy(stream, entry.file_size)
        return found


def _refuse_oversized(archive: ZipFile, size: int) -> None:
    claimed = sum(entry.file_size for entry in archive.infolist())
    if claimed > max(_ALWAYS_FINE, _GREATEST_RATIO * size):
        raise ValueError(f"its arrays take {claimed} bytes, suspiciously many for {size}")


def load_pickle(stream: IO[bytes], stand_ins: Names | None = None) -> Any:  # noqa: ANN401
    """Return the content of a pickle, see `read_pickle`.

    Raises:
        pickle.UnpicklingError: the pickle holds something that is not allowed.
        ValueError: the pickle is damaged.
    """
    return _ArrayUnpickler(stream, _ALLOWED | dict(stand_ins or {})).load()


def _build(unpickler: Any) -> None:  # noqa: ANN401 whose stack only the code of Python knows
    """Give an object its state, once it is known that numpy can take it.

    numpy itself trusts the state of arrays and types: by false flags, bytes of the file would
    become the addresses of objects.
    """
    *_, built, state = unpickler.stack
    if isinstance(built, np.dtype):
        unpickler.stack[-1] = _type_state(built, state)
    elif isinstance(built, np.ndarray):
        _require_array_state(state)
    pickle._Unpickler.dispatch[pickle.BUILD[0]](unpickler)


class _ArrayUnpickler(pickle._Unpickler):
    """Loads only the names that pickled arrays need.

    It extends the unpickler in Python: the one in C allocates any length that a file claims.
    """

    dispatch: ClassVar = {**pickle._Unpickler.dispatch, pickle.BUILD[0]: _build}

    def __init__(self, stream: IO[bytes], allowed: Names) -> None:
        super().__init__(stream, encoding="latin1")
        self.allowed = allowed

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 as in the base class
        """Return the class or function of an allowed name."""
        found = self.allowed.get((module.replace("numpy.core", "numpy._core"), name))
        if found is None:
            raise pickle.UnpicklingError(f"it wants to load {module}.{name}, which is not allowed")
        return found


def _type_state(dtype: np.dtype[Any], state: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """Return a state of a type that has no parts: the byte order and length of a stored one."""
    _, order, *parts, size, alignment, flags = state[:8]
    sized = dtype.kind in _SIZED
    if (
        any(part is not None for part in (*parts, *state[8:]))
        or order not in ("<", ">", "=", "|")
        or flags != dtype.flags
        or not (0 <= size < 2**31 if sized else size == -1)
        or alignment not in (-1, dtype.alignment)
    ):
        raise pickle.UnpicklingError(f"it holds a type {dtype} with an impossible state")
    return 3, order, None, None, None, size, alignment, flags


def _require_array_state(state: Any) -> None:  # noqa: ANN401
    """Raise UnpicklingError unless the content of an array fits its shape and type."""
    shape, dtype, _, content = state[-4:]
    if not isinstance(dtype, np.dtype) or not all(type(n) is int and n >= 0 for n in shape):
        raise pickle.UnpicklingError("it holds an array without a shape or type")
    if isinstance(content, list) != dtype.hasobject:
        raise pickle.UnpicklingError(f"it holds an array of type {dtype} in another form")
    values = len(content) if dtype.hasobject else len(content) / max(dtype.itemsize, 1)
    if values != (math.prod(shape) if dtype.itemsize else 0):
        raise pickle.UnpicklingError(f"it holds an array whose content does not fill {shape}")


def _plain_type(name: str, *_align_copy: object) -> np.dtype[Any]:
    """Stand in for `numpy.dtype`: return a new type without parts, as numpy's own are shared."""
    if not isinstance(name, str) or np.dtype(name).kind not in _KINDS + _SIZED:
        raise pickle.UnpicklingError(f"it holds a type {name!r}, expected numbers or texts")
    return np.dtype(name, copy=True)


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    """Stand in for `_codecs.encode`, with which Python 3 writes bytes for Python 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it wants bytes in {encoding!r}, expected 'latin1'")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """Stand in for `bytes`, which old protocols call to make empty bytes."""
    return b""


def _empty_array(*_kind_shape_typecode: object) -> NDArray[Any]:
    """Stand in for numpy's `_reconstruct`, whose empty array the pickle then fills."""
    return np.empty(0)


def _scalar(dtype: np.dtype[Any], content: bytes) -> Any:  # noqa: ANN401 a scalar of the type
    if dtype.hasobject:
        raise pickle.UnpicklingError("it holds a scalar of Python objects")
    return np.frombuffer(content, dtype, count=1)[0]


def _from_buffer(content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], order: str) -> Any:  # noqa: ANN401
    """Stand in for numpy's `_frombuffer`, which protocol 5 uses."""
    if order not in ("C", "F"):
        raise pickle.UnpicklingError(f"it holds an array in order {order!r}")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if order == "F" else "C")


# One letter for each kind of numbers and objects, and of those whose length is part of the type.
_KINDS, _SIZED = "biufcO", "SU"
_MULTIARRAY = "numpy._core.multiarray"
_ALLOWED = {
    ("numpy", "ndarray"): ...,  # only told to `_reconstruct`, never called
    ("numpy", "dtype"): _plain_type,
    (_MULTIARRAY, "_reconstruct"): _empty_array,
    (_MULTIARRAY, "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _latin1,
    ("__builtin__", "bytes"): _no_bytes,
}


def _load_npy(stream: IO[bytes], size: int) -> Any:  # noqa: ANN401 an array or an object
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read:
        raise ValueError(f"an array in format {version}, expected 1.0 or 2.0")
    shape, column_major, dtype = read[version](stream)
    if dtype.hasobject:
        value = load_pickle(stream)
        return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
    count = int(np.prod(shape, dtype=object))
    if count * dtype.itemsize > size:
        raise ValueError(f"an array of shape {shape} in an entry of {size} bytes")
    values = np.frombuffer(stream.read(count * dtype.itemsize), dtype, count)
    return values.reshape(shape, order="F" if column_major else "C")
