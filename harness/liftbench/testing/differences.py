"""Compare two dataclasses array by array."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, TypeGuard

import numpy as np

from liftbench.types import Meshes


def differing_fields(first: Any, second: Any) -> list[str]:  # noqa: ANN401 any dataclass
    """Return the names of the fields in which two dataclasses of one type differ."""
    compared = [f.name for f in fields(first) if f.compare]
    return [name for name in compared if not same(getattr(first, name), getattr(second, name))]


def same(first: object, second: object) -> bool:
    """Return whether two values are equal, where NaN equals NaN.

    Meshes may be built on demand, which takes time: only the first and the last are compared.
    """
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return np.array_equal(first, second, equal_nan=first.dtype.kind == second.dtype.kind == "f")
    if isinstance(first, tuple) and isinstance(second, tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return False
    if _are_meshes(first) and _are_meshes(second):
        ends = {0, len(first) - 1} if len(first) else ()
        return len(first) == len(second) and all(same(first[i], second[i]) for i in ends)
    if is_dataclass(first) and type(first) is type(second):
        return not differing_fields(first, second)
    return bool(first == second)


def _are_meshes(value: object) -> TypeGuard[Meshes]:
    return is_dataclass(value) and hasattr(value, "__len__") and hasattr(value, "__getitem__")
