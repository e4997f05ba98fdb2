"""The page of a comparison."""

from __future__ import annotations

from dataclasses import replace

import pytest

from liftbench.comparison import Comparison, Pair, SideMean, comparison_page
from liftbench.comparison.significance import PairedTest
from liftbench.plugin.registry import Registry
from liftbench.tables.page import Page
from liftbench.tables.wording import CONTROL, SUPERVISED

MINUS = "\N{MINUS SIGN}"
SHOWN = ("ours", "theirs")
SIDES = (SideMean(0.25, 3), SideMean(0.375, 1))
SEEN = PairedTest(effect=-0.125, low=-0.25, high=-0.0625, p=0.0078125, clusters=8)
FEW = PairedTest(effect=0.125, low=float("-inf"), high=float("inf"), p=0.25, clusters=3)


def page(registry: Registry, *done: Comparison, absent: tuple[Pair, ...] = ()) -> Page:
    return comparison_page("title", SHOWN, {"e3d": done}, absent, registry)


def test_a_line_for_each_outcome(registry: Registry) -> None:
    made = page(
        registry,
        Comparison("tiny", "one", "train", "+", "", SIDES, SEEN),
        Comparison("tiny", "one", "unseen", "x", "3 sequences, 6 needed", SIDES, FEW),
        Comparison("other", "two", "train", "x", "A has no stored run"),
    )
    tiny, other = made.parts[0].tables
    assert (tiny.heading, other.heading) == ("tiny", "other")
    assert [[cell.plain for cell in row] for row in (*tiny.rows, *other.rows)] == [
        [
            *("one", "train", "0.2500 (n=3)", "0.3750", f"{MINUS}0.1250"),
            *(f"{MINUS}0.2500 to {MINUS}0.0625", "0.0078", "8", "+"),
        ],
        [
            *("one", "unseen", "0.2500 (n=3)", "0.3750", "+0.1250"),
            *("", "", "3", "x (3 sequences, 6 needed)"),
        ],
        ["two", "train", *("",) * 6, "x (A has no stored run)"],
    ]
    assert all(len(row) == len(tiny.header) for row in (*tiny.rows, *other.rows))


def test_protocol_sides_test_and_marks_are_explained(registry: Registry) -> None:
    made = page(registry, Comparison("tiny", "one", "train", "~", "", SIDES, SEEN))
    assert made.parts[0].caption.startswith("Protocol e3d@1: ")
    assert made.parts[0].caption.endswith("Lower is better.")
    ((name, reading),) = made.lists
    assert name == "How to read it"
    assert reading[:2] == ("A: ours", "B: theirs")
    for text in ("+ A is better", "sign-flip permutation test", "sequences are the units", "5%"):
        assert text in " ".join(reading)


@pytest.mark.parametrize(
    ("sides", "heading"), [((f"ours{SUPERVISED}", "theirs"), "tiny"), (SHOWN, f"m{SUPERVISED}, t")]
)
def test_the_mark_of_a_control_is_explained(
    registry: Registry, sides: tuple[str, str], heading: str
) -> None:
    done = {"e3d": [Comparison(heading, "one", "train", "~", "", SIDES, SEEN)]}
    ((_, reading),) = comparison_page("title", sides, done, (), registry).lists
    assert reading[0] == f"A: {sides[0]}"
    assert reading[-1] == f"{CONTROL}."
    ((_, unmarked),) = page(registry, *(replace(c, name="tiny") for c in done["e3d"])).lists
    assert f"{CONTROL}." not in unmarked


def test_pairs_without_data_are_listed(registry: Registry) -> None:
    made = page(registry, absent=(Pair("tiny", "two", ("train",), (), (), "no file x"),))
    assert made.lists[0] == ("Not compared", ("tiny two: not available: no file x",))
