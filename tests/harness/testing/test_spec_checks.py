from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from liftbench import Conformance, MethodSpec, NoParams
from liftbench.plugin.registry import load_registry
from liftbench.testing.outcomes import outcome_of
from liftbench.testing.spec_checks import SPEC_CHECKS


@dataclass(frozen=True)
class Plain:
    depth: float = 0.1
    sizes: tuple[int, ...] = (3, 2)
    name: str = "a"
    extra: dict[str, int] = field(default_factory=dict)


@dataclass
class Changeable:
    depth: float = 0.1


@dataclass(frozen=True)
class TakesAll:
    anything: Any = None


@dataclass(frozen=True)
class Unstorable:
    sizes: frozenset[int] = frozenset({1})


@dataclass(frozen=True)
class Vague:
    depth: Any = 0.1

    def __post_init__(self) -> None:
        if self.depth == {"no": "such"}:
            raise ValueError("that\nis not it")


def make() -> Any:
    raise NotImplementedError


GOOD = MethodSpec("good", "Good", "tests", make, Plain)


def test_good_specs_pass() -> None:
    zero_depth = load_registry().methods["zero_depth"]
    quick = replace(GOOD, conformance=Conformance({"sizes": (5, 4, 3)}))
    for spec in (GOOD, quick, zero_depth, replace(GOOD, params=NoParams)):
        for check in SPEC_CHECKS:
            assert outcome_of(check, spec).passed, outcome_of(check, spec)


BROKEN = [
    ("spec_is_filled", {"key": "My-Key"}, "key 'My-Key': expected lower-case letters, d"),
    ("spec_is_filled", {"title": " "}, "title: expected one line of text"),
    ("spec_is_filled", {"reference": "one\ntwo"}, "reference: expected one line of text"),
    ("spec_is_filled", {"version": 0}, "version: expected 1 or more, got 0"),
    ("spec_can_be_pickled", {"make": lambda: None}, "pickle"),
    ("parameters_are_plain", {"params": dict}, "dict: expected a frozen dataclass"),
    ("parameters_are_plain", {"params": Changeable}, "Changeable: expected a frozen dataclass"),
    ("parameters_are_plain", {"params": Unstorable}, "not JSON serializable"),
    ("parameters_are_plain", {"conformance": Conformance({"dpth": 1})}, "did you mean 'depth'?"),
    ("parameters_are_plain", {"make": None}, "make: expected a function"),
    ("wrong_parameters_are_refused", {"params": TakesAll}, "anything={'no': 'such'} is accepted"),
    ("wrong_parameters_are_refused", {"params": Vague}, "is refused without its name: 'good':"),
]


@pytest.mark.parametrize(("name", "change", "reason"), BROKEN, ids=[c[0] for c in BROKEN])
def test_a_broken_promise_fails(name: str, change: dict[str, Any], reason: str) -> None:
    check = next(check for check in SPEC_CHECKS if check.__name__ == name)
    outcome = outcome_of(check, replace(GOOD, **change))
    assert outcome.failed
    assert reason in outcome.detail
    assert "\n" not in outcome.detail


def test_there_is_a_spec_that_breaks_each_promise() -> None:
    assert {name for name, *_ in BROKEN} == {check.__name__ for check in SPEC_CHECKS}
