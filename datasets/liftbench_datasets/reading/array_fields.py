"""Checks that a field of a file is an array of the right kind and shape.

Values are arrays or nested lists as in JSON. Checking a damaged value takes little more memory
than the value itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftbench.types import Bools, Floats

Shape = Sequence[int | None]  # None: any length
LONGEST_TEXT = 200  # characters; NumPy stores every text of an array at the length of the longest
GREATEST = 1e12  # largest number in a file; no coordinate is as large, and larger ones may overflow


def number_field(value: object, name: str, shape: Shape) -> Floats:
    """Return a field as float64; null, JSON's word for unknown, becomes NaN.

    Args:
        value: what the file holds.
        name: the name of the field, for the error message.
        shape: the shape that the field must have.

    Raises:
        ValueError: the field holds anything else.
    """
    expected = f"{name}: expected numbers of shape {_shape_text(shape)}"
    if isinstance(value, np.ndarray) and value.dtype.kind not in "fiubO":
        raise ValueError(f"{expected}, got {value.dtype}")
    try:
        array = np.array(value, dtype=np.float64)
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{expected}, got other values or rows of unequal length") from error
    if _holds_text(value):  # NumPy takes "1" for a number
        raise ValueError(f"{expected}, got text")
    if array.ndim != len(shape) or any(
        want is not None and have != want for have, want in zip(array.shape, shape, strict=True)
    ):
        raise ValueError(f"{expected}, got shape {_shape_text(array.shape)}")
    return array


def finite_field(value: object, name: str, shape: Shape) -> Floats:
    """Return a field as float64; a number that is NaN or beyond `GREATEST` is an error.

    See `number_field`.
    """
    array = number_field(value, name, shape)
    if not (np.abs(array) <= GREATEST).all():
        raise ValueError(f"{name}: expected finite numbers up to {GREATEST:g}")
    return array


def integer_field(value: object, name: str, shape: Shape) -> NDArray[np.int64]:
    """Return a field as int64, see `number_field`."""
    array = finite_field(value, name, shape)
    if (array != np.rint(array)).any():
        raise ValueError(f"{name}: expected integers")
    return array.astype(np.int64)


def flag_field(value: object, name: str, shape: Shape) -> Bools:
    """Return a field of true and false, or of 1 and 0, as bool, see `number_field`."""
    array = number_field(value, name, shape)
    if not np.isin(array, (0, 1)).all():
        raise ValueError(f"{name}: expected true or false, or 1 or 0")
    return array.astype(np.bool_)


def text_field(value: object, name: str, count: int | None) -> NDArray[np.str_]:
    """Return a list of `count` texts, each of at most `LONGEST_TEXT` characters.

    Raises:
        ValueError: the field holds anything else.
    """
    texts: Any = value.tolist() if isinstance(value, np.ndarray) else value
    expected = f"{name}: expected a list of {'' if count is None else f'{count} '}texts"
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{expected}, got other values")
    if count not in (None, len(texts)):
        raise ValueError(f"{expected}, got {len(texts)}")
    if any(len(text) > LONGEST_TEXT for text in texts):
        raise ValueError(f"{name}: expected texts of at most {LONGEST_TEXT} characters")
    return np.array(texts, dtype=np.str_)


def _holds_text(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "O" and _holds_text(value.tolist())
    if isinstance(value, list | tuple):
        return any(map(_holds_text, value))
    return isinstance(value, str | bytes)


def _shape_text(shape: Shape) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
