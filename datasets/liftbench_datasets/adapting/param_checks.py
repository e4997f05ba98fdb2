"""Checks of the parameters of datasets, each told in one line that names the parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def require_integers(params: DataclassInstance, *names: str) -> None:
    """Raise ValueError unless the named parameters are integers."""
    for name in names:
        value: Any = getattr(params, name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{name}: expected an integer, got {value!r}")  # noqa: TRY004


def require_booleans(params: DataclassInstance, *names: str) -> None:
    """Raise ValueError unless the named parameters are true or false."""
    for name in names:
        value: Any = getattr(params, name)
        if not isinstance(value, bool):
            raise ValueError(f"{name}: expected true or false, got {value!r}")  # noqa: TRY004


def require_one_of(name: str, value: object, known: Sequence[object]) -> None:
    """Raise ValueError unless the value of a parameter is one of those known."""
    if value not in known:
        words = ", ".join(map(str, known))
        raise ValueError(f"{name}: expected one of {words}, got {value!r}")
