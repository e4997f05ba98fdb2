"""Compares one of our numbers with a printed one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from liftbench.suites.published import PublishedNumber

RULE = (
    "The tolerance is the largest of half a unit of the last printed digit, our standard deviation "
    "over seeds (none with one seed) and the one that the paper prints"
)
Origin = Literal["printed digits", "our seeds", "the paper's std"]
_LAST_BITS = 1e-9  # relative: rounding must not put a difference of exactly the tolerance outside


@dataclass(frozen=True)
class Verdict:
    """How our number compares with a printed one.

    Attributes:
        word: `within` the tolerance, `better` or `worse`.
        difference: our number minus the printed one.
        tolerance: the largest difference that counts as none.
        origin: which of the three bounds in `RULE` is the tolerance.
    """

    word: Literal["within", "better", "worse"]
    difference: float
    tolerance: float
    origin: Origin


def judge(
    value: float, std: float | None, number: PublishedNumber, *, more_is_better: bool
) -> Verdict:
    """Return how our number compares with a printed one.

    Args:
        value: our number, a mean over seeds.
        std: its standard deviation over seeds; None with one seed.
        number: the printed number.
        more_is_better: whether a larger number is better.
    """
    difference = value - number.value
    bounds: list[tuple[float, Origin]] = [(0.5 * 10.0**-number.decimals, "printed digits")]
    bounds += [(std, "our seeds")] if std is not None else []
    bounds += [(number.std, "the paper's std")] if number.std is not None else []
    tolerance, origin = max(bounds)
    if abs(difference) <= tolerance * (1 + _LAST_BITS):
        return Verdict("within", difference, tolerance, origin)
    better = (difference > 0) == more_is_better
    return Verdict("better" if better else "worse", difference, tolerance, origin)
