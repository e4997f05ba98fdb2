from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from liftbench.errors import UserError
from liftbench.testing.differences import differing_fields, same
from liftbench.testing.outcomes import (
    BrokenPromiseError,
    IncapableError,
    NotCheckedError,
    Outcome,
    as_expected,
    outcome_of,
    require_known_checks,
    tally,
)
from liftbench.testing.scenes import scene
from liftbench.types import Mesh


@dataclass(frozen=True)
class Boxes:
    """Meshes that are made on demand."""

    size: float
    make: Callable[[], None] = field(default_factory=lambda: lambda: None)

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int, /) -> Mesh:
        return Mesh(self.size**index * np.eye(3), np.array([[0, 1, 2]]))


def ends(error: BaseException | None) -> Outcome:
    def some_check(_: object) -> None:
        if error:
            raise error

    return outcome_of(some_check, None)


@pytest.mark.parametrize(
    ("error", "state", "detail"),
    [
        (None, "passed", ""),
        (BrokenPromiseError("it is green"), "failed", "it is green"),
        (IncapableError("it has no legs"), "expected to fail", "it has no legs"),
        (NotCheckedError("there is no sea"), "skipped", "there is no sea"),
        (KeyError("a\nb"), "failed", "KeyError: 'a\\nb'"),
        (ValueError("two\n  lines"), "failed", "ValueError: two lines"),
        (SystemExit(3), "failed", "SystemExit: 3"),
    ],
)
def test_a_check_ends_in_one_of_four_ways(error: BaseException, state: str, detail: str) -> None:
    assert ends(error) == Outcome("some_check", state, detail)  # type: ignore[arg-type]
    assert len(str(ends(error)).splitlines()) == 1


def test_only_the_user_stops_a_check() -> None:
    with pytest.raises(KeyboardInterrupt):
        ends(KeyboardInterrupt())


REASONS = {"some_check": "it is young"}


@pytest.mark.parametrize(
    ("error", "state", "detail"),
    [
        (BrokenPromiseError("it is green"), "expected to fail", "it is young"),
        (None, "failed", "passes, but is expected to fail: it is young"),
        (IncapableError("it has no legs"), "expected to fail", "it has no legs"),
        (NotCheckedError("there is no sea"), "skipped", "there is no sea"),
    ],
)
def test_an_expected_failure_must_happen(error: BaseException, state: str, detail: str) -> None:
    outcome = as_expected(ends(error), REASONS)
    assert (outcome.state, outcome.detail) == (state, detail)
    assert as_expected(ends(error), {"another_check": "it is old"}) == ends(error)


def test_a_check_that_does_not_exist_cannot_be_expected_to_fail() -> None:
    require_known_checks(REASONS, ["some_check"])
    with pytest.raises(
        UserError, match=r"unknown check .* 'some_check': did you mean 'some_chek'\?"
    ):
        require_known_checks(REASONS, ["some_chek"])


def test_tally_counts_every_state() -> None:
    states = ["passed", "passed", "failed", "skipped", "expected to fail", "passed"]
    outcomes = [Outcome("c", state) for state in states]  # type: ignore[arg-type]
    assert tally(outcomes) == "6 checks: 3 passed, 1 failed, 1 expected to fail, 1 skipped"


def test_differences_go_into_arrays_tuples_and_dataclasses() -> None:
    first, second = (scene("perspective", "same", hidden=True) for _ in range(2))
    assert same(first, second)
    assert np.isnan(first.observations.points_2d).any()
    other = scene("perspective", "other", hidden=True)
    assert differing_fields(first, other) == ["observations", "truth"]
    assert differing_fields(first.observations, other.observations) == ["points_2d", "visible"]
    assert differing_fields(first.truth, other.truth) == ["points_3d"]
    boxes, others, large = (Boxes(size) for size in (1.0, 1.0, 2.0))
    assert boxes != others, "they are made by another function"
    assert same(boxes, others)
    assert not same(boxes, large)
    one = np.arange(3)
    assert same((one, None), (one.copy(), None))
    assert not same((one,), (one, one))
    assert not same(one, None)
    assert not same(one, one + 1)
