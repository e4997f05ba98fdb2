"""Errors that a user can mend, each told in one line."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A mistake outside the program: the command prints its one line and exits with code 2."""


class DataMissingError(UserError):
    """Files of a dataset are absent: the cell is shown as not available."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Return the error for a `name` that is none of `known`, with the nearest one suggested."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    mend = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names) or 'none'}"
    return UserError(f"unknown {kind} '{name}': {mend}")


def require_known(kind: str, name: str, known: Collection[str]) -> None:
    """Raise UserError that suggests the nearest known name unless `name` is one of `known`."""
    if name not in known:
        raise unknown_name(kind, name, known)
