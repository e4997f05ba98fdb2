"""Checks of plugin parameters; each raises ValueError with one line that names the parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def require_positive(name: str, value: float) -> None:
    """Raise ValueError unless a parameter is positive."""
    if not value > 0:
        raise ValueError(f"{name}: expected a positive number, got {value}")


def require_all_positive(params: DataclassInstance) -> None:
    """Raise ValueError unless every parameter is positive or None."""
    for name, value in vars(params).items():
        if value is not None:
            require_positive(name, value)


def require_not_negative(name: str, value: float) -> None:
    """Raise ValueError if a parameter is negative."""
    if not value >= 0:
        raise ValueError(f"{name}: expected 0 or more, got {value}")


def require_one_of(name: str, value: object, choices: Sequence[object]) -> None:
    """Raise ValueError unless a parameter is one of the choices."""
    if value not in choices:
        expected = ", ".join(map(str, choices))
        raise ValueError(f"{name}: expected one of {expected}, got {value!r}")


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
