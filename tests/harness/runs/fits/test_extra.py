"""A row may learn from a second data set, of which it sees 2D points and images alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from click.testing import Result
from tests.harness.conftest import TinyBench
from tests.harness.runs.fits.conftest import ChildInProcess

from liftbench.runs.store import RunRecord

EXTRA: dict[str, Any] = {"dataset": "tiny", "subset": "two", "split": "unseen"}


def run(bench: TinyBench, extra: dict[str, Any], method: str = "borrower") -> Result:
    suite = bench.suite(
        protocol="mpjpe",
        methods={"plain": {"plugin": method}, "more": {"plugin": method, "extra": extra}},
    )
    return bench.call("run", suite, "--methods", "plain,more", plugins=("tiny", "trainee"))


def records(bench: TinyBench) -> dict[bool, RunRecord]:
    """Return the records of the row with extra data and of that without."""
    return {bool(record.spec.extra): record for record in bench.store().records()}


def test_a_row_learns_from_its_extra_data(whole_bench: TinyBench, child: ChildInProcess) -> None:
    whole_bench.add_subset("two", np.random.default_rng(1).uniform(1, 3, (11, 5, 3)))
    assert run(whole_bench, EXTRA).exit_code == 0
    found = records(whole_bench)
    depths = {
        extra: whole_bench.store().read_predictions(record.spec.key)["train"].points_3d[..., 2]
        for extra, record in found.items()
    }
    assert (depths[False] == -1).all()
    assert (depths[True] == 3).all(), "the frames of `unseen`"
    assert found[True].spec.extra["checksum"] != found[True].spec.dataset["checksum"]
    assert found[True].spec.fit_key != found[False].spec.fit_key


def test_other_extra_data_makes_another_run(whole_bench: TinyBench, child: ChildInProcess) -> None:
    whole_bench.add_subset("two")
    run(whole_bench, EXTRA)
    run(whole_bench, {**EXTRA, "split": "train"})
    assert sum(bool(record.spec.extra) for record in whole_bench.store().records()) == 2
    assert sum(not record.spec.extra for record in whole_bench.store().records()) == 1


def test_a_row_whose_extra_data_is_absent_says_so(
    whole_bench: TinyBench, child: ChildInProcess
) -> None:
    result = run(whole_bench, EXTRA)
    assert result.exit_code == 0, result.output
    assert list(records(whole_bench)) == [False]
    board = (whole_bench.store().folder / "leaderboard.md").read_text(encoding="utf-8")
    assert "tiny: looked for DATA_ROOT/tiny/two.npy" in board


def test_a_method_that_learns_from_no_extra_data_is_refused(whole_bench: TinyBench) -> None:
    result = run(whole_bench, EXTRA, "trainee")
    assert result.exit_code == 2
    assert "method 'more': it learns from no extra data; remove 'extra'" in result.output


def test_an_unknown_split_of_extra_data_is_refused(whole_bench: TinyBench) -> None:
    result = run(whole_bench, {**EXTRA, "split": "evening"})
    assert result.exit_code == 2
    assert "split of dataset 'tiny'" in result.output


def test_extra_data_that_the_method_cannot_take_skips_the_row(
    whole_bench: TinyBench, child: ChildInProcess
) -> None:
    whole_bench.add_subset("two")
    run(whole_bench, {**EXTRA, "split": "train", "params": {"hide_one": True}})
    record = records(whole_bench)[True]
    assert record.status == "skipped"
    assert record.error == "extra data: the method needs every point to be visible"
