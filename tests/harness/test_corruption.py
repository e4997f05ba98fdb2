"""Corruptions draw the same for every method, and hide from methods alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from liftbench import CorruptionParams, CorruptionSpec, Observations, Skeleton
from liftbench.corruption import BUILTIN_CORRUPTIONS, MissingParams
from liftbench.errors import UserError
from liftbench.plan import Selection, make_plan
from liftbench.process import Execution
from liftbench.registry import Registry
from liftbench.runner import Bench
from liftbench.store import RunRecord
from liftbench.suites import Limits, checked_params, read_suite

if TYPE_CHECKING:
    from conftest import TinyBench

(MISSING,) = BUILTIN_CORRUPTIONS
TINY: dict[str, Any] = {"key": "tiny", "version": 1, "params": {"a": 1}, "subset": "one"}


def seen(points: int = 31, frames: int = 20, hidden: int = 0) -> Observations:
    """Return observations with a box, whose first `hidden` points are hidden already."""
    points_2d = np.random.default_rng(1).standard_normal((frames, points, 2))
    points_2d[:, :hidden] = np.nan
    return Observations(
        points_2d,
        np.isfinite(points_2d[..., 0]),
        np.zeros(frames, dtype=np.int64),
        "orthographic",
        Skeleton(tuple(map(str, range(points)))),
        np.ones((frames, 4)),
    )


def hide(share: float, observations: Observations | None = None, **where: Any) -> Observations:
    params = MissingParams(share=share, seed=where.pop("seed", 0))
    split = where.pop("split", "train")
    return MISSING.corrupt(observations or seen(), params, {**TINY, **where}, split)


@pytest.mark.parametrize(
    ("share", "hidden", "left"),
    [(0.0, 0, 31), (0.3, 0, 22), (0.6, 0, 12), (0.99, 0, 3), (0.3, 10, 12), (0.5, 20, 3)],
)
def test_every_frame_hides_its_share_of_the_visible_points(
    share: float, hidden: int, left: int
) -> None:
    before = seen(hidden=hidden)
    after = hide(share, before)
    np.testing.assert_array_equal(after.visible.sum(axis=1), left)
    assert not (after.visible & ~before.visible).any()


@pytest.mark.parametrize(("hidden", "left"), [(2, 3), (3, 2), (5, 0)])
def test_few_points_are_left_as_they_are(hidden: int, left: int) -> None:
    assert (hide(0.9, seen(points=5, hidden=hidden)).visible.sum(axis=1) == left).all()


def test_what_stays_is_untouched() -> None:
    before, after = seen(), hide(0.3)
    np.testing.assert_array_equal(
        after.points_2d, np.where(after.visible[..., None], before.points_2d, np.nan)
    )
    np.testing.assert_array_equal(after.box, before.box)
    assert before.visible.all()
    assert after.skeleton == before.skeleton


def test_a_larger_share_hides_the_same_points_and_more() -> None:
    shown = [hide(share, seen(hidden=4)).visible for share in (0.1, 0.3, 0.6, 0.9)]
    for less, more in pairwise(shown):
        assert (more <= less).all()
        assert (more.sum(axis=1) < less.sum(axis=1)).all()


def test_frames_and_points_are_drawn_alike() -> None:
    shown = hide(0.5, seen(frames=4000)).visible
    assert len(np.unique(shown, axis=0)) > 3900
    np.testing.assert_allclose(shown.mean(axis=0), 15 / 31, atol=0.05)


def hidden_by(**where: Any) -> bytes:
    return hide(0.3, **where).visible.tobytes()


@pytest.mark.parametrize(
    "where",
    [{"key": "other"}, {"params": {"a": 2}}, {"subset": "two"}, {"split": "unseen"}, {"seed": 1}],
)
def test_the_draw_depends_on_the_data_and_the_seed(where: dict[str, Any]) -> None:
    assert hidden_by(**where) != hidden_by()


def test_the_draw_depends_on_nothing_else() -> None:
    assert hidden_by() == hidden_by(version=2, checksum="x") == hidden_by(params={"a": 1})
    two = {"a": 1, "b": 2}
    assert hidden_by(params=two) == hidden_by(params=dict(reversed(two.items())))


def test_the_draw_depends_on_the_corruption() -> None:
    other = replace(MISSING, key="other").corrupt(seen(), MissingParams(share=0.3), TINY, "train")
    assert other.visible.tobytes() != hidden_by()


def test_the_draw_stays_what_it_was() -> None:
    """Stored runs are of these very points."""
    shown = hide(0.5, seen(frames=2, points=8)).visible
    assert ["".join("_x"[v] for v in frame) for frame in shown.astype(int)] == PINNED


PINNED = ["xxx___x_", "xx_xx___"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"share": 1.0}, "share: expected at least 0 and less than 1, got 1.0"),
        ({"share": -0.1}, "share: expected at least 0 and less than 1, got -0.1"),
        ({"share": 0.1, "seeed": 1}, "'seeed': did you mean 'seed'"),
        ({}, "share: Field required"),
    ],
)
def test_refused_params(given: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as caught:
        checked_params("corruption 'missing'", MISSING.params, given)
    assert told in str(caught.value)
    assert "corruption 'missing'" in str(caught.value)


# --- in runs -----------------------------------------------------------------------------------

DATA = {"dataset": "tiny", "subsets": ["one"], "fit": "train", "evaluate": ["train", "unseen"]}
HALF = {"missing": {"share": 0.4}}


def test_a_run_sees_corrupted_points_and_is_scored_on_all(
    bench: TinyBench, registry: Registry
) -> None:
    suite = read_suite(bench.suite(data=[{**DATA, "corruption": HALF}]))
    plan = make_plan(suite, registry, bench.root, Selection(methods=["filling"]))
    ((run,),) = (cell.runs for cell in plan.cells)
    made = Bench(registry, bench.root, Execution(), suite.limits, Event())
    for split in ("train", "unseen"):
        clean = made.load(replace(run, corruption={}), split)
        data = made.load(run, split)
        assert (data.observations.visible.sum(axis=1) == 3).all()
        np.testing.assert_array_equal(data.truth.points_3d, clean.truth.points_3d)
        assert data.truth.mask is None


def test_corruptions_are_applied_in_their_order(
    bench: TinyBench, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = []
    for key in ("first", "second"):
        spec = CorruptionSpec(
            key, key, CorruptionParams, lambda o, *_, k=key: applied.append(k) or o
        )
        monkeypatch.setitem(registry.corruptions.items, key, spec)
    keys = set()
    for order in (("first", "second"), ("second", "first")):
        data = [{**DATA, "corruption": {key: {} for key in order}}]
        suite = bench.suite(data=data)
        plan = make_plan(read_suite(suite), registry, bench.root, Selection(methods=["filling"]))
        ((run,),) = (cell.runs for cell in plan.cells)
        bench.store().write(RunRecord(run, "ok"))
        stored = bench.store().read(run.key)
        Bench(registry, bench.root, Execution(), Limits(), Event()).load(stored.spec, "train")
        assert applied == list(order)
        applied.clear()
        keys.add(run.key)
    assert len(keys) == 2


def test_a_corrupted_run_is_repeated_and_scored_again(bench: TinyBench) -> None:
    clean = bench.suite("clean", data=[DATA], methods={"filling": {}})
    suite = bench.suite(data=[{**DATA, "corruption": HALF}], methods={"filling": {}})
    for path in (clean, suite):
        assert bench.call("run", path, "--methods", "filling").exit_code == 0
    record = bench.records()["filling"]
    assert record.spec.corruption == {
        "missing": {"version": 1, "params": {"seed": 0, "share": 0.4}}
    }
    score = record.scores["e3d@1"]["train"]
    assert score.frames == 8
    assert score.value > bench.records("clean")["filling"].scores["e3d@1"]["train"].value
    again = bench.call("rerun", record.spec.key, "--verify")
    assert "identical bit for bit" in again.stdout
    assert bench.call("score", suite).exit_code == 0
    assert bench.records()["filling"] == record


def test_a_method_that_needs_every_point_is_skipped(bench: TinyBench) -> None:
    suite = bench.suite(data=[{**DATA, "corruption": HALF}])
    assert bench.call("run", suite, "--methods", "seeded").exit_code == 0
    assert bench.records()["seeded"].error == "the method needs every point to be visible"
