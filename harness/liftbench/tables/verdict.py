"""How one of our numbers stands to a printed one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from liftbench.suites.published import PublishedNumber

RULE = (
    "The tolerance is the largest of half a unit of the last printed digit, our standard deviation "
    "over seeds (none with one seed) and the one that the paper prints"
)
Origin = Literal["printed digits", "our seeds", "the paper's std"]
_LAST_BITS = 1e-9  # a difference of exactly the tolerance is within it, whatever floats make of it


@dataclass(frozen=True)
class Verdict:
    """Our number beside a printed one.

    Attributes:
        word: `within` the tolerance, `better` or `worse`.
        difference: ours minus the printed one.
        tolerance: the largest difference that says nothing.
        origin: which of the parts of `RULE` the tolerance is.
    """

    word: Literal["within", "better", "worse"]
    difference: float
    tolerance: float
    origin: Origin


def judge(
    value: float, std: float | None, number: PublishedNumber, *, more_is_better: bool
) -> Verdict:
    """Return how our `value`, with its standard deviation over seeds, stands to a number."""
    difference = value - number.value
    candidates: list[tuple[float, Origin]] = [(0.5 * 10.0**-number.decimals, "printed digits")]
    candidates += [(std, "our seeds")] if std is not None else []
    candidates += [(number.std, "the paper's std")] if number.std is not None else []
    tolerance, origin = max(candidates)
    if abs(difference) <= tolerance * (1 + _LAST_BITS):
        return Verdict("within", difference, tolerance, origin)
    better = (difference > 0) == more_is_better
    return Verdict("better" if better else "worse", difference, tolerance, origin)
