"""Verdicts computed by hand."""

from __future__ import annotations

import pytest

from liftbench.suites.published import PublishedNumber
from liftbench.tables.verdict import judge


def printed(text: str, std: float | None = None) -> PublishedNumber:
    decimals = len(text.partition(".")[2])
    place = ("paper", "T1", "tiny", "one", "train", "", "ours", "e3d", "ratio")
    return PublishedNumber(*place, float(text), std, "", decimals)


@pytest.mark.parametrize(
    ("value", "std", "number", "word", "tolerance", "origin"),
    [
        (0.0244, None, printed("0.024"), "within", 0.0005, "printed digits"),
        (0.0245, None, printed("0.024"), "within", 0.0005, "printed digits"),
        (0.0235, None, printed("0.024"), "within", 0.0005, "printed digits"),
        (0.0246, None, printed("0.024"), "worse", 0.0005, "printed digits"),
        (0.0234, None, printed("0.024"), "better", 0.0005, "printed digits"),
        (0.024501, None, printed("0.024"), "worse", 0.0005, "printed digits"),
        (0.5, None, printed("0"), "within", 0.5, "printed digits"),
        (0.0246, None, printed("0.02"), "within", 0.005, "printed digits"),
        (82.4, None, printed("82"), "within", 0.5, "printed digits"),
        (0.031, 0.007, printed("0.028"), "within", 0.007, "our seeds"),
        (0.036, 0.007, printed("0.028"), "worse", 0.007, "our seeds"),
        (0.0244, 0.0001, printed("0.024"), "within", 0.0005, "printed digits"),
        (0.60, 0.01, printed("0.63", std=0.05), "within", 0.05, "the paper's std"),
        (0.60, 0.2, printed("0.63", std=0.05), "within", 0.2, "our seeds"),
    ],
)
def test_verdict(
    value: float,
    std: float | None,
    number: PublishedNumber,
    word: str,
    tolerance: float,
    origin: str,
) -> None:
    verdict = judge(value, std, number, more_is_better=False)
    assert (verdict.word, verdict.origin) == (word, origin)
    assert verdict.tolerance == pytest.approx(tolerance)
    assert verdict.difference == pytest.approx(value - number.value)


@pytest.mark.parametrize(("value", "word"), [(60.0, "worse"), (62.0, "within"), (64.0, "better")])
def test_more_is_better(value: float, word: str) -> None:
    assert judge(value, 1.5, printed("62.0"), more_is_better=True).word == word
