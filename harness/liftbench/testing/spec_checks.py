"""The checks of what the spec of every method and dataset promises."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass

from liftbench.errors import UserError
from liftbench.plugin.specs import DatasetSpec, MethodSpec
from liftbench.suites.suite import make_params
from liftbench.testing.outcomes import BrokenPromiseError

Spec = MethodSpec | DatasetSpec
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_NO_VALUE = {"no": "such"}


def spec_is_filled(spec: Spec) -> None:
    """Key, title, reference and version are filled in and well formed."""
    if not _KEY.fullmatch(spec.key):
        raise BrokenPromiseError(
            f"key '{spec.key}': expected lower-case letters, digits and _, with a letter first"
        )
    for name in ("title", "reference"):
        if not is_one_line(getattr(spec, name)):
            raise BrokenPromiseError(f"{name}: expected one line of text")
    if spec.version < 1:
        raise BrokenPromiseError(f"version: expected 1 or more, got {spec.version}")


def spec_can_be_pickled(spec: Spec) -> None:
    """The spec survives pickling, so that it can go to another process."""
    if pickle.loads(pickle.dumps(spec)).key != spec.key:  # noqa: S301 our own bytes
        raise BrokenPromiseError("the spec comes back from pickle with another key")


def parameters_are_plain(spec: Spec) -> None:
    """Parameters have defaults, are frozen, and survive a round trip through JSON."""
    if not is_dataclass(spec.params) or not spec.params.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise BrokenPromiseError(f"{spec.params.__name__}: expected a frozen dataclass")
    for given in ({}, spec.conformance.params):
        params = make_params(spec.key, spec.params, dict(given))
        stored = json.loads(json.dumps(asdict(params)))
        if make_params(spec.key, spec.params, stored) != params:
            raise BrokenPromiseError(f"{params} comes back from JSON as other parameters")
    if not callable(spec.make):
        raise BrokenPromiseError("make: expected a function that makes it from its parameters")


def wrong_parameters_are_refused(spec: Spec) -> None:
    """An unknown parameter or a wrong type is refused with one line that names the parameter."""
    _must_refuse(spec, "no_such_parameter", 1)
    for field in fields(spec.params):
        if not isinstance(getattr(spec.params(), field.name), Mapping):
            _must_refuse(spec, field.name, _NO_VALUE)


def _must_refuse(spec: Spec, name: str, value: object) -> None:
    try:
        make_params(f"'{spec.key}'", spec.params, {name: value})
    except UserError as error:
        if name not in str(error):
            raise BrokenPromiseError(
                f"{name}={value!r} is refused without its name: {error}"
            ) from error
    else:
        raise BrokenPromiseError(f"{name}={value!r} is accepted")


def is_one_line(text: object) -> bool:
    """Return whether a text is one line and not empty."""
    return isinstance(text, str) and bool(text.strip()) and "\n" not in text.strip()


SPEC_CHECKS = (
    spec_is_filled,
    spec_can_be_pickled,
    parameters_are_plain,
    wrong_parameters_are_refused,
)
