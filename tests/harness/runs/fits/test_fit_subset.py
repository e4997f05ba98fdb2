"""Methods may learn from another subset than the one that they are tested on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from click.testing import Result
from tests.harness.conftest import TinyBench
from tests.harness.runs.fits.conftest import ChildInProcess

from liftbench.runs.store import RunRecord

SUBSETS = ("one", "two", "whole")


@pytest.fixture
def three(whole_bench: TinyBench, child: ChildInProcess) -> TinyBench:
    """A bench with three subsets."""
    for number, name in enumerate(SUBSETS[1:]):
        points = np.random.default_rng(number).uniform(number + 4, number + 5, (12, 5, 3))
        whole_bench.add_subset(name, points)
    return whole_bench


def run(bench: TinyBench, method: str = "rememberer", **data: Any) -> Result:
    given = {"dataset": "tiny", "fit": "train", "evaluate": ["train"], "fit_subset": "whole"}
    suite = bench.suite(
        protocol="mpjpe",
        methods={method: {}},
        data=[{**given, "subsets": list(SUBSETS), **data}],
    )
    return bench.call("run", suite, "--methods", method, plugins=("tiny", "trainee"))


def records(bench: TinyBench) -> dict[str, RunRecord]:
    return {record.spec.dataset["subset"]: record for record in bench.store().records()}


def test_all_columns_learn_from_the_fitted_subset(three: TinyBench) -> None:
    assert run(three).exit_code == 0
    found = records(three)
    assert set(found) == set(SUBSETS)
    learned = np.load(three.root / "tiny" / "whole.npy")[:8, :, :2].mean()
    for subset, record in found.items():
        points = three.store().read_predictions(record.spec.key)["train"].points_3d
        own = np.load(three.root / "tiny" / f"{subset}.npy")[:8, :, :2]
        np.testing.assert_allclose(points[..., :2], own)
        np.testing.assert_allclose(points[..., 2], learned)


def test_one_fit_serves_all_columns(three: TinyBench, child: ChildInProcess) -> None:
    run(three)
    assert child.methods == ["rememberer"]
    assert len({record.fit_seconds for record in records(three).values()}) == 1


def test_a_fit_of_the_subset_itself_is_the_same_run_as_ever(three: TinyBench) -> None:
    run(three)
    key = records(three)["whole"].spec.key
    run(three, subsets=["whole"], fit_subset=None)
    assert records(three)["whole"].spec.key == key
    assert not records(three)["whole"].spec.fit_dataset


def test_an_absent_subset_to_learn_from_is_the_reason_of_a_gap(three: TinyBench) -> None:
    result = run(three, subsets=["one"], fit_subset="lost")
    assert result.exit_code == 0, result.output
    assert records(three) == {}
    board = (three.store().folder / "leaderboard.md").read_text(encoding="utf-8")
    assert "tiny: looked for DATA_ROOT/tiny/lost.npy" in board


def test_a_method_that_lifts_its_own_frames_alone_is_skipped(three: TinyBench) -> None:
    run(three, "clinger")
    found = records(three)
    assert {subset: record.status for subset, record in found.items()} == {
        **{"one": "skipped", "two": "skipped"},
        "whole": "ok",
    }
    assert found["one"].error == "the method can only reconstruct what it was fitted to"
