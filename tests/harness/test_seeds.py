"""Named generators are pure functions of their names."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import liftbench
from liftbench.seeds import named_rng

GOLDEN = {
    ("cmu", "view", 0, "01", 3): 9211864303421056384,
    ("run", 7): 9001142033688948340,
}


def draw(*names: str | int) -> int:
    return int(named_rng(*names).integers(2**63))


def test_draws_never_change() -> None:
    assert {names: draw(*names) for names in GOLDEN} == GOLDEN


def test_draws_do_not_depend_on_the_process() -> None:
    code = "from liftbench.seeds import named_rng; print(named_rng('run', 7).integers(2**63))"
    root = str(Path(liftbench.__file__).parents[1])
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": root, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert printed == {str(GOLDEN["run", 7])}


def test_distinct_names_give_distinct_streams() -> None:
    names = [("a", "b"), ("ab",), ("b", "a"), ("a", "b", ""), ("a",), (), ("a", 1), ("a", 11)]
    names += [("a", 1, 1), ("view", 0, "01", 1), ("view", 0, "01", 11), ("view", 0, "07", 1)]
    for one, other in combinations(names, 2):
        assert draw(*one) != draw(*other), (one, other)


def test_each_call_starts_the_stream_anew() -> None:
    generator = named_rng("a")
    generator.standard_normal(100)
    assert draw("a") == draw("a")
