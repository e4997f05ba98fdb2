"""Findings of `liftbench data check` from functions that read files."""

from __future__ import annotations

from collections.abc import Callable

from liftbench.errors import UserError
from liftbench.plugin.specs import Finding


def finding(item: str, describe: Callable[[], str]) -> Finding:
    """Return a finding with the text of `describe`, or with the error that it raises."""
    try:
        return Finding(item, True, describe())
    except UserError as error:
        return Finding(item, False, str(error))
