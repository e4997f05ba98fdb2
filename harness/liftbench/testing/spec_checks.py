"""What every spec promises, of a method or of a dataset."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass

from liftbench.errors import UserError
from liftbench.plugin.specs import DatasetSpec, MethodSpec
from liftbench.suites.suite import checked_params
from liftbench.testing.outcomes import BrokenPromiseError

Spec = MethodSpec | DatasetSpec
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_NO_VALUE = {"no": "such"}


def spec_is_filled(spec: Spec) -> None:
    """Key, title, reference and version say what they should."""
    if not _KEY.fullmatch(spec.key):
        raise BrokenPromiseError(
            f"key '{spec.key}': expected small letters, digits and _, a letter first"
        )
    for name in ("title", "reference"):
        if not is_one_line(getattr(spec, name)):
            raise BrokenPromiseError(f"{name}: expected one line of text")
    if spec.version < 1:
        raise BrokenPromiseError(f"version: expected 1 or more, got {spec.version}")


def spec_can_be_pickled(spec: Spec) -> None:
    """A spec goes to another process and comes back."""
    if pickle.loads(pickle.dumps(spec)).key != spec.key:  # noqa: S301 our own bytes
        raise BrokenPromiseError("the spec comes back from pickle with another key")


def parameters_are_plain(spec: Spec) -> None:
    """Parameters have defaults, cannot be changed, and come back from JSON as they were."""
    if not is_dataclass(spec.params) or not spec.params.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise BrokenPromiseError(f"{spec.params.__name__}: expected a frozen dataclass")
    for given in ({}, spec.conformance.params):
        params = checked_params(spec.key, spec.params, dict(given))
        stored = json.loads(json.dumps(asdict(params)))
        if checked_params(spec.key, spec.params, stored) != params:
            raise BrokenPromiseError(f"{params} comes back from JSON as other parameters")
    if not callable(spec.make):
        raise BrokenPromiseError("make: expected what makes it from its parameters")


def mistakes_in_parameters_are_told(spec: Spec) -> None:
    """A parameter that is unknown or of a wrong type is refused in one line that names it."""
    _must_refuse(spec, "no_such_parameter", 1)
    for field in fields(spec.params):
        if not isinstance(getattr(spec.params(), field.name), Mapping):
            _must_refuse(spec, field.name, _NO_VALUE)


def _must_refuse(spec: Spec, name: str, value: object) -> None:
    try:
        checked_params(f"'{spec.key}'", spec.params, {name: value})
    except UserError as error:
        if name not in str(error):
            raise BrokenPromiseError(
                f"{name}={value!r} is refused without its name: {error}"
            ) from error
    else:
        raise BrokenPromiseError(f"{name}={value!r} is taken")


def is_one_line(text: object) -> bool:
    """Return whether a text is one line that says something."""
    return isinstance(text, str) and bool(text.strip()) and "\n" not in text.strip()


SPEC_CHECKS = (
    spec_is_filled,
    spec_can_be_pickled,
    parameters_are_plain,
    mistakes_in_parameters_are_told,
)
