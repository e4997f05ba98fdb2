"""Findings of `data check` from what reads the files."""

from __future__ import annotations

from collections.abc import Callable

from liftbench.errors import UserError
from liftbench.plugin.specs import Finding


def finding(item: str, describe: Callable[[], str]) -> Finding:
    """Return what `describe` says of an item, or the error that it raises about the files."""
    try:
        return Finding(item, True, describe())
    except UserError as error:
        return Finding(item, False, str(error))
