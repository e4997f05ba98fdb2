"""Errors that a user can mend, each with a message of one line."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A mistake outside the program: the command prints the message and exits with code 2."""


class DataMissingError(UserError):
    """Files of a dataset are absent: tables show the cell as not available."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Return the error for a `name` that is not `known`; it suggests the nearest known name."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    mend = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names) or 'none'}"
    return UserError(f"unknown {kind} '{name}': {mend}")


def require_known(kind: str, name: str, known: Collection[str]) -> None:
    """Raise UserError, with the nearest known name, unless `name` is one of `known`."""
    if name not in known:
        raise unknown_name(kind, name, known)
