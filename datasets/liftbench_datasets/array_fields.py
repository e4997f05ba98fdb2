"""Checks of what files hold where arrays are expected: the right kind, the right shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["number", "integer", "flag", "text"]
# A flag may be written as 0 and 1.
_KINDS = {"number": "fiub", "integer": "iu", "flag": "biuf", "text": "US"}


def array_field(
    value: object, name: str, shape: Sequence[int | None], kind: Kind = "number"
) -> NDArray[Any]:
    """Return a field of a file as an array of float64, int64, bool or text.

    Args:
        value: nested lists or an array.
        name: of the field, for the error.
        shape: None where any length will do.
        kind: what its values must be.

    Raises:
        ValueError: it is anything else.
    """
    expected = f"{name}: expected {kind}s of shape {_told(shape)}"
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{expected}, got lists of different lengths") from error
    if array.size == 0 and isinstance(value, list):
        array = array.astype(_TYPES[kind])  # an empty list does not tell its kind
    if array.dtype.kind not in _KINDS[kind]:
        raise ValueError(f"{expected}, got {_dtype_told(array)}")
    if array.ndim != len(shape) or any(
        want is not None and have != want for have, want in zip(array.shape, shape, strict=True)
    ):
        raise ValueError(f"{expected}, got shape {_told(array.shape)}")
    return array.astype(_TYPES[kind])


_TYPES = {"number": np.float64, "integer": np.int64, "flag": np.bool_, "text": np.str_}


def _told(shape: Sequence[int | None]) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"


def _dtype_told(array: NDArray[Any]) -> str:
    return "values of several kinds" if array.dtype.hasobject else f"{array.dtype} values"
