"""Two methods on the same frames: the effect, the marks, and what cannot be compared."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from liftbench.comparison import Comparison, Pair, compare_pairs
from liftbench.comparison.pairs import StoredRun
from liftbench.errors import UserError
from liftbench.runs.store import RunRecord, Score

if TYPE_CHECKING:
    from tests.harness.comparison.conftest import Runs


def side(runs: Runs, *records: RunRecord, suite: str = "mine") -> tuple[StoredRun, ...]:
    return tuple(StoredRun(runs.store(suite), record) for record in records)


def compared(
    runs: Runs,
    a: tuple[StoredRun, ...],
    b: tuple[StoredRun, ...],
    protocol: str = "mpjpe",
    split: str = "all",
) -> Comparison:
    pair = Pair("points", "walk", (split,), a, b)
    done = compare_pairs(runs.bench, [pair], [runs.bench.registry.protocols[protocol]])
    (one,) = done[protocol]
    return one


def compared_two(runs: Runs, two: tuple[RunRecord, RunRecord]) -> Comparison:
    near, far = two
    return compared(runs, side(runs, near), side(runs, far))


def value(record: RunRecord, protocol: str = "mpjpe@1") -> float:
    return record.scores[protocol]["all"].value


def test_better_worse_and_no_difference(runs: Runs) -> None:
    runs.add_subset("walk", sequences=8)
    near, far = runs.add("near", "walk", 0.1), runs.add("far", "walk", 0.2)
    better = compared(runs, side(runs, near), side(runs, far))
    worse = compared(runs, side(runs, far), side(runs, near))
    same = compared(runs, side(runs, near), side(runs, near))
    assert (better.mark, worse.mark, same.mark) == ("+", "-", "~")
    assert better.test is not None
    assert better.test.effect == pytest.approx(value(near) - value(far))
    assert [s.value for s in better.sides] == pytest.approx([value(near), value(far)])
    assert better.test.low < better.test.effect < better.test.high < 0
    assert (better.test.clusters, better.test.p) == (8, 2 / 2**8)
    assert same.test is not None
    assert (same.test.effect, same.test.p) == (0, 1)


def test_two_equal_methods(runs: Runs) -> None:
    runs.add_subset("walk", sequences=8)
    one = compared(
        runs, side(runs, runs.add("a", "walk", 0.1)), side(runs, runs.add("b", "walk", 0.1))
    )
    assert one.mark == "~"
    assert one.reason == ""


def test_errors_are_means_over_seeds(runs: Runs) -> None:
    runs.add_subset("walk", sequences=8)
    near = [runs.add("near", "walk", 0.1 * (1 + seed), seed) for seed in range(3)]
    far = runs.add("far", "walk", 0.4)
    one = compared(runs, side(runs, *near), side(runs, far))
    assert [s.seeds for s in one.sides] == [3, 1]
    assert one.sides[0].value == pytest.approx(np.mean([value(record) for record in near]))


def test_frames_weigh_as_in_the_mean_of_the_protocol(runs: Runs) -> None:
    """One of two groups has twice as many sequences; the mean over groups counts it once."""
    runs.add_subset("walk", sequences=9, groups=2)
    names = ("mpjpe", "c3dpo_h36m")
    near, far = (runs.add(m, "walk", n, protocols=names) for m, n in (("near", 0.1), ("far", 0.3)))
    for name in names:
        one = compared(runs, side(runs, near), side(runs, far), name)
        scores = [value(record, f"{name}@1") for record in (near, far)]
        assert [s.value for s in one.sides] == pytest.approx(scores)
        assert one.test is not None
        assert one.test.effect == pytest.approx(scores[0] - scores[1])


def test_higher_is_better_under_a_metric_that_says_so(runs: Runs) -> None:
    runs.add_subset("walk", sequences=8)
    near, far = (
        runs.add(m, "walk", n, protocols=("pck",)) for m, n in (("near", 0.05), ("far", 0.3))
    )
    one = compared(runs, side(runs, near), side(runs, far), "pck")
    assert one.test is not None
    assert one.test.effect > 0
    assert one.mark == "+"


# --- what cannot be compared -------------------------------------------------------------------


@pytest.fixture
def two(runs: Runs) -> tuple[RunRecord, RunRecord]:
    runs.add_subset("walk", sequences=8)
    return runs.add("near", "walk", 0.1), runs.add("far", "walk", 0.2)


def not_comparable(one: Comparison) -> str:
    assert (one.mark, one.test, one.sides) == ("x", None, ())
    return one.reason


def test_too_few_sequences(runs: Runs) -> None:
    runs.add_subset("walk", sequences=5)
    near, far = runs.add("near", "walk", 0.1), runs.add("far", "walk", 0.2)
    one = compared(runs, side(runs, near), side(runs, far))
    assert (one.mark, one.reason) == ("x", "5 sequences, 6 needed")
    assert one.sides[0].value == pytest.approx(value(near))


def test_no_run(runs: Runs, two: tuple[RunRecord, RunRecord]) -> None:
    assert not_comparable(compared(runs, (), side(runs, two[1]))) == "A has no stored run"
    assert not_comparable(compared(runs, side(runs, two[0]), ())) == "B has no stored run"


def test_failed_run(runs: Runs, two: tuple[RunRecord, RunRecord]) -> None:
    failed = runs.change(two[1], status="failed", error="went wrong\ntrace")
    one = compared(runs, side(runs, two[0]), side(runs, failed))
    assert not_comparable(one) == "B is failed: went wrong"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"checksum": "b" * 64}, r"other data: A ran on version 1 \w{12}, B on version 1 b{12}"),
        ({"version": 7}, r"other data: A ran on version 1 (\w{12}), B on version 7 \1"),
    ],
)
def test_other_data(
    runs: Runs, two: tuple[RunRecord, RunRecord], changes: dict[str, object], message: str
) -> None:
    near, far = two
    spec = replace(far.spec, dataset={**far.spec.dataset, **changes})
    other = runs.change(far, spec=spec)
    reason = not_comparable(compared(runs, side(runs, near), side(runs, other)))
    assert re.fullmatch(message, reason)


def test_files_that_are_no_longer_those_of_the_runs(
    runs: Runs, two: tuple[RunRecord, RunRecord]
) -> None:
    runs.add_subset("walk", sequences=9)
    one = compared_two(runs, two)
    assert not_comparable(one) == "other data: the files here are not those of the runs"


def test_absent_files_name_no_folder_of_this_machine(
    runs: Runs, two: tuple[RunRecord, RunRecord]
) -> None:
    (runs.bench.root / "points" / "walk.npz").unlink()
    reason = not_comparable(compared_two(runs, two))
    assert reason.startswith("points: looked for DATA_ROOT/points/walk.npz")


def test_other_protocol(runs: Runs, two: tuple[RunRecord, RunRecord]) -> None:
    near, far = two
    old = runs.change(far, scores={"mpjpe@0": far.scores["mpjpe@1"]})
    reason = not_comparable(compared(runs, side(runs, near), side(runs, old)))
    assert reason == "other protocol: B has scores under mpjpe@0"


def test_split_that_one_side_does_not_predict(runs: Runs, two: tuple[RunRecord, RunRecord]) -> None:
    near, far = two
    scores = {"mpjpe@1": {**far.scores["mpjpe@1"], "test": Score(0.5, {}, 1)}}
    both = runs.change(far, scores=scores)
    reason = not_comparable(compared(runs, side(runs, both), side(runs, near), split="test"))
    assert reason == "B does not predict test"


def test_predictions_that_are_not_kept(runs: Runs, two: tuple[RunRecord, RunRecord]) -> None:
    runs.store().predictions_path(two[0].spec.key).unlink()
    reason = not_comparable(compared_two(runs, two))
    assert reason == "the predictions of A are not kept"


@pytest.mark.parametrize("other_data", [True, False])
def test_damaged_predictions_are_reported_with_their_file(
    runs: Runs, two: tuple[RunRecord, RunRecord], other_data: bool
) -> None:
    runs.add_subset("run", sequences=3)
    path = runs.store().predictions_path(two[0].spec.key)
    other = runs.store().predictions_path(runs.add("near", "run", 0.1).spec.key)
    path.write_bytes(other.read_bytes() if other_data else b"no npz")
    with pytest.raises(UserError, match=r"\.npz: not the predictions of A that were scored"):
        compared_two(runs, two)


# --- several subsets ---------------------------------------------------------------------------


@pytest.mark.parametrize(("subsets", "mark"), [(2, "x"), (5, "x"), (6, "+")])
def test_several_subsets_are_the_units_of_their_mean(runs: Runs, subsets: int, mark: str) -> None:
    pairs, values = [], []
    for i in range(subsets):
        name = "s" * (i + 1)
        runs.add_subset(name, sequences=3 + i)  # too few for a test of this subset alone
        a, b = runs.add("near", name, 0.1), runs.add("far", name, 0.2)
        pairs.append(Pair("points", name, ("all",), side(runs, a), side(runs, b)))
        values.append((value(a), value(b)))
    protocol = runs.bench.registry.protocols["mpjpe"]
    *_, together = compare_pairs(runs.bench, pairs, [protocol])["mpjpe"]
    assert (together.subset, together.mark) == (f"mean of {subsets}", mark)
    assert together.test is not None
    assert together.test.clusters == subsets
    assert [s.value for s in together.sides] == pytest.approx(np.mean(values, axis=0))
    assert together.reason == ("" if subsets == 6 else f"{subsets} subsets, 6 needed")


def test_one_subset_has_no_mean(runs: Runs, two: tuple[RunRecord, RunRecord]) -> None:
    assert compared_two(runs, two).subset == "walk"
