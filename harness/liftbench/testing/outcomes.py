"""The outcome of a check, in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, get_args

from liftbench.errors import require_known

State = Literal["passed", "failed", "expected to fail", "skipped"]
Subject = TypeVar("Subject")


class BrokenPromiseError(Exception):
    """The plugin does not do what it should; the message says what it did."""


class IncapableError(Exception):
    """The plugin declares that it cannot do this; the message is the reason that it gives."""


class NotCheckedError(Exception):
    """There is nothing to check here; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check.

    Attributes:
        check: name of the check.
        state: how it ended.
        detail: what is wrong, or why the check is expected to fail or was skipped.
    """

    check: str
    state: State
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether the promise is kept."""
        return self.state == "passed"

    @property
    def failed(self) -> bool:
        """Whether the promise is broken although the spec did not expect that."""
        return self.state == "failed"

    def __str__(self) -> str:
        state = self.state.upper() if self.failed else self.state
        return f"{state:16} {self.check}" + (f": {self.detail}" if self.detail else "")


def outcome_of(check: Callable[[Subject], None], subject: Subject) -> Outcome:
    """Run a check and return its outcome, whatever the plugin raises."""
    try:
        check(subject)
    except IncapableError as error:
        return Outcome(check.__name__, "expected to fail", one_line(str(error)))
    except NotCheckedError as error:
        return Outcome(check.__name__, "skipped", one_line(str(error)))
    except BrokenPromiseError as error:
        return Outcome(check.__name__, "failed", one_line(str(error)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 a plugin may raise anything
        reason = one_line(f"{type(error).__name__}: {error}")
        return Outcome(check.__name__, "failed", reason)
    return Outcome(check.__name__, "passed")


def one_line(text: str) -> str:
    """Return a text with each run of white space replaced by one space."""
    return " ".join(text.split())


def as_expected(outcome: Outcome, reasons: Mapping[str, str]) -> Outcome:
    """Return the outcome, changed if the spec expects the check to fail.

    Args:
        outcome: outcome of a check.
        reasons: why a check is expected to fail, by the name of the check.
    """
    reason = reasons.get(outcome.check)
    if reason is None or outcome.state not in ("passed", "failed"):
        return outcome
    if outcome.failed:
        return replace(outcome, state="expected to fail", detail=reason)
    return replace(outcome, state="failed", detail=f"passes, but is expected to fail: {reason}")


def tally(outcomes: Iterable[Outcome]) -> str:
    """Return how many checks ran and how they ended, as one line."""
    states = [outcome.state for outcome in outcomes]
    counts = (f"{states.count(state)} {state}" for state in get_args(State))
    return f"{len(states)} checks: {', '.join(counts)}"


def require_known_checks(reasons: Iterable[str], checks: Iterable[str]) -> None:
    """Raise `UserError` if a spec expects the failure of a check that does not exist."""
    known = tuple(checks)
    for name in reasons:
        require_known("check in `conformance.expected_to_fail`", name, known)
