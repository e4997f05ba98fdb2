"""Corruptions are the same for every method, and change only the observations."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liftbench import CorruptionParams, CorruptionSpec, Images, Observations, Skeleton
from liftbench.corruption import BUILTIN_CORRUPTIONS, HidingParams
from liftbench.errors import UserError
from liftbench.plugin.registry import Registry
from liftbench.runs.bench import Bench
from liftbench.runs.plan import Selection, make_plan
from liftbench.runs.process import Execution
from liftbench.runs.store import RunRecord
from liftbench.suites.suite import Limits, make_params, read_suite

if TYPE_CHECKING:
    from tests.harness.conftest import TinyBench

SPECS = {spec.key: spec for spec in BUILTIN_CORRUPTIONS}
HIDING = ("missing", "missing_limb", "missing_half", "out_of_view")
NOISE = ("noise", "noise_ratio")
TINY: dict[str, Any] = {"key": "tiny", "version": 1, "params": {"a": 1}, "subset": "one"}


def body(points: int) -> Skeleton:
    """Return a spine of the first third of the points, and a left and a right arm of the others."""
    spine = points // 3
    arm = (points - spine) // 2
    left = range(spine, spine + arm)
    right = range(spine + arm, spine + 2 * arm)
    chains = [range(spine), [0, *left], [0, *right]]
    edges = tuple(pair for chain in chains for pair in pairwise(chain))
    return Skeleton(tuple(map(str, range(points))), edges, tuple(zip(left, right, strict=True)))


def seen(points: int = 31, frames: int = 20, hidden: int = 0, **fields: Any) -> Observations:
    """Return observations with a box, whose first `hidden` points are hidden already."""
    points_2d = np.random.default_rng(1).standard_normal((frames, points, 2))
    points_2d[:, :hidden] = np.nan
    made: dict[str, Any] = {
        "points_2d": points_2d,
        "visible": np.isfinite(points_2d[..., 0]),
        "sequence": np.arange(frames),
        "camera": "orthographic",
        "skeleton": body(points),
        "box": np.ones((frames, 4)),
        "pixel": np.linspace(0.5, 2, frames),
        "origin": np.arange(2.0 * frames).reshape(frames, 2),
    }
    return Observations(**{**made, **fields})


def corrupted(
    corruption: str,
    severity: float,
    observations: Observations | None = None,
    *,
    seed: int = 0,
    split: str = "train",
    **data: Any,
) -> Observations:
    spec = SPECS[corruption]
    given: dict[str, Any] = {str(spec.severity): severity, "seed": seed}
    return spec.corrupt(observations or seen(), spec.params(**given), {**TINY, **data}, split)


# --- all of them -------------------------------------------------------------------------------

every_corruption = pytest.mark.parametrize("key", SPECS)


@every_corruption
def test_no_severity_is_the_identity(key: str) -> None:
    before = seen(hidden=2)
    assert corrupted(key, SPECS[key].clean, before) is before


def bits(observations: Observations) -> bytes:
    arrays = (observations.points_2d, observations.visible, observations.sequence)
    return b"".join(array.tobytes() for array in arrays)


@every_corruption
@pytest.mark.parametrize(
    "where",
    [{"key": "other"}, {"params": {"a": 2}}, {"subset": "two"}, {"split": "unseen"}, {"seed": 1}],
)
def test_the_draw_depends_on_the_data_and_the_seed(key: str, where: dict[str, Any]) -> None:
    assert bits(corrupted(key, 0.3, **where)) != bits(corrupted(key, 0.3))


@every_corruption
def test_the_draw_depends_on_nothing_else(key: str) -> None:
    first = bits(corrupted(key, 0.3))
    assert first == bits(corrupted(key, 0.3, version=2, checksum="x"))
    orders = [{"a": 1, "b": 2}, {"b": 2, "a": 1}]
    assert len({bits(corrupted(key, 0.3, params=params)) for params in orders}) == 1


def test_the_draw_depends_on_the_corruption() -> None:
    other = replace(SPECS["missing"], key="other")
    after = other.corrupt(seen(), HidingParams(share=0.3), TINY, "train")
    assert bits(after) != bits(corrupted("missing", 0.3))


@every_corruption
def test_other_fields_are_untouched(key: str) -> None:
    before = seen(hidden=1)
    kept = bits(before)
    after = corrupted(key, 0.4, before)
    assert bits(before) == kept
    assert (after.skeleton, after.camera) == (before.skeleton, before.camera)
    chosen = np.searchsorted(before.sequence, after.sequence)
    expected = before.take(chosen)
    np.testing.assert_array_equal(after.box, expected.box)
    np.testing.assert_array_equal(after.pixel, expected.pixel)
    np.testing.assert_array_equal(after.origin, expected.origin)
    assert not (after.visible & ~before.visible[chosen]).any()
    if key not in NOISE:
        shown = np.where(after.visible[..., None], before.points_2d[chosen], np.nan)
        np.testing.assert_array_equal(after.points_2d, shown)


# --- hidden points -----------------------------------------------------------------------------

every_hiding = pytest.mark.parametrize("key", HIDING)


@every_hiding
@pytest.mark.parametrize(
    ("share", "hidden", "left"),
    [(0.01, 0, 31), (0.3, 0, 22), (0.6, 0, 12), (0.99, 0, 3), (0.3, 10, 12), (0.5, 20, 3)],
)
def test_every_frame_hides_its_share_of_the_visible_points(
    key: str, share: float, hidden: int, left: int
) -> None:
    before = seen(hidden=hidden)
    np.testing.assert_array_equal(corrupted(key, share, before).visible.sum(axis=1), left)


@every_hiding
@pytest.mark.parametrize(("hidden", "left"), [(2, 3), (3, 2), (5, 0)])
def test_few_points_are_left_as_they_are(key: str, hidden: int, left: int) -> None:
    assert (corrupted(key, 0.9, seen(points=5, hidden=hidden)).visible.sum(axis=1) == left).all()


@every_hiding
@settings(max_examples=20)
@given(
    shares=st.lists(st.floats(0, 0.99), min_size=2, max_size=4).map(sorted),
    hidden=st.integers(0, 12),
)
def test_a_larger_share_hides_the_same_points_and_more(
    key: str, shares: list[float], hidden: int
) -> None:
    before = seen(points=13, hidden=hidden)
    for less, more in pairwise(corrupted(key, share, before).visible for share in shares):
        assert (more <= less).all()


def test_every_point_is_hidden_equally_often() -> None:
    shown = corrupted("missing", 0.5, seen(frames=4000)).visible
    assert len(np.unique(shown, axis=0)) > 3900
    np.testing.assert_allclose(shown.mean(axis=0), 15 / 31, atol=0.05)


def test_the_draw_stays_what_it_was() -> None:
    """Stored runs depend on this draw."""
    shown = corrupted("missing", 0.5, seen(frames=2, points=8)).visible
    assert ["".join("_x"[v] for v in frame) for frame in shown.astype(int)] == PINNED


PINNED = ["xxx___x_", "xx_xx___"]
BODY = seen(points=12, frames=300)  # a spine of 4 points, two arms of 4
LEFT, RIGHT = slice(4, 8), slice(8, 12)


def test_a_limb_goes_from_its_end() -> None:
    """A quarter of the points is one of three chains of four: the chain of the drawn end."""
    for hidden, chains in (
        (1, {(3,), (7,), (11,)}),
        (3, {(1, 2, 3), (5, 6, 7), (9, 10, 11)}),
        (4, {(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11)}),
    ):
        shown = corrupted("missing_limb", hidden / 12, BODY).visible
        assert {tuple(np.flatnonzero(~frame).tolist()) for frame in shown} == chains


def test_unconnected_points_are_hidden_last() -> None:
    loose = replace(BODY.skeleton, edges=tuple(e for e in BODY.skeleton.edges if max(e) < 8))
    after = corrupted("missing_limb", 8 / 12, replace(BODY, skeleton=loose))
    assert after.visible[:, RIGHT].all()
    assert not after.visible[:, :8].any()


def test_a_ring_has_no_end_and_any_point_is_the_first() -> None:
    ring = replace(BODY.skeleton, edges=tuple((i, (i + 1) % 12) for i in range(12)))
    shown = corrupted("missing_limb", 3 / 12, replace(BODY, skeleton=ring)).visible
    middle = {tuple(np.flatnonzero(~frame).tolist()) for frame in shown}
    assert middle == {tuple(sorted(((i - 1) % 12, i, (i + 1) % 12))) for i in range(12)}


def test_one_half_goes_then_the_middle_then_the_other() -> None:
    for share, sides in ((0.25, {(1, 4), (4, 1)}), (0.5, {(0, 4), (4, 0)}), (0.75, {(0, 3)})):
        shown = corrupted("missing_half", share, BODY).visible
        left, right = shown[:, LEFT].sum(axis=1), shown[:, RIGHT].sum(axis=1)
        found = set(zip(left.tolist(), right.tolist(), strict=True))
        assert found == ({(0, 3), (3, 0)} if share == 0.75 else sides)
        assert (shown[:, :4].all(axis=1) == (share < 0.5)).all()


def test_a_border_of_the_picture_cuts_the_points_beyond_it() -> None:
    after = corrupted("out_of_view", 0.5, BODY)
    sides = set()
    for before, shown in zip(BODY.points_2d, after.visible, strict=True):
        beyond = [
            (axis, way)
            for axis in (0, 1)
            for way in (-1, 1)
            if (way * before[~shown, axis]).max() < (way * before[shown, axis]).min()
        ]
        assert len(beyond) >= 1
        sides |= set(beyond)
    assert len(sides) == 4


@pytest.mark.parametrize(
    ("key", "skeleton", "reason"),
    [
        ("missing_limb", Skeleton(BODY.skeleton.points), "the skeleton has no edges"),
        ("missing_half", Skeleton(BODY.skeleton.points), "the skeleton has no left-right pairs"),
    ],
)
def test_a_skeleton_without_what_is_needed_is_refused(
    key: str, skeleton: Skeleton, reason: str
) -> None:
    with pytest.raises(UserError) as caught:
        corrupted(key, 0.3, replace(BODY, skeleton=skeleton))
    assert str(caught.value) == f"tiny one: corruption '{key}': {reason}"


# --- noise -------------------------------------------------------------------------------------


def noise_of(key: str, severity: float, before: Observations) -> Any:
    return corrupted(key, severity, before).points_2d - before.points_2d


def test_noise_has_its_spread_in_pixels() -> None:
    before = seen(frames=2000)
    assert before.pixel is not None
    noise = noise_of("noise", 3.0, before) / before.pixel[:, None, None]
    assert abs(noise.std() / 3 - 1) < 0.01
    assert abs(noise.mean()) < 0.03
    assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.02


@settings(max_examples=20)
@given(ratio=st.floats(1e-6, 2), hidden=st.integers(0, 30), shift=st.floats(-50, 50))
def test_noise_has_its_ratio_to_the_centred_points(ratio: float, hidden: int, shift: float) -> None:
    base = seen(hidden=hidden)
    before = replace(base, points_2d=base.points_2d + shift)
    noise = noise_of("noise_ratio", ratio, before)
    shown = before.visible[0]
    centred = before.points_2d[:, shown] - before.points_2d[:, shown].mean(axis=1, keepdims=True)
    extent = np.linalg.norm(centred)
    if shown.sum() == 1:
        assert np.abs(noise[:, shown]).max() < 1e-9, "one point has no extent"
    else:
        np.testing.assert_allclose(np.linalg.norm(noise[:, shown]), ratio * extent, rtol=1e-6)


@pytest.mark.parametrize("key", NOISE)
def test_more_noise_goes_the_same_way_and_farther(key: str) -> None:
    before = seen(hidden=3)
    less, more = (noise_of(key, severity, before)[:, 3:] for severity in (0.1, 0.25))
    np.testing.assert_allclose(2.5 * less, more, rtol=1e-6, atol=1e-12)
    assert (less != 0).all()


@pytest.mark.parametrize("key", NOISE)
def test_noise_leaves_hidden_points_hidden(key: str) -> None:
    before = seen(hidden=3)
    after = corrupted(key, 0.1, before)
    assert np.isnan(after.points_2d[:, :3]).all()
    np.testing.assert_array_equal(after.visible, before.visible)


def test_noise_in_pixels_needs_to_know_a_pixel() -> None:
    with pytest.raises(UserError, match="does not say how large a pixel is; use 'noise_ratio'"):
        corrupted("noise", 3.0, seen(pixel=None))


def test_noise_where_no_point_is_visible_is_none() -> None:
    nothing = corrupted("noise_ratio", 0.1, seen(points=3, hidden=3))
    assert not nothing.visible.any()


# --- fewer frames ------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "kept"), [(0.5, 10), (0.26, 5), (0.01, 1), (0.99, 20)])
def test_frames_are_dropped_and_keep_their_order(share: float, kept: int) -> None:
    after = corrupted("frames", share, seen())
    assert after.frames == kept
    assert (np.diff(after.sequence) > 0).all()


def test_a_smaller_share_keeps_some_of_the_same_frames() -> None:
    kept = [set(corrupted("frames", share).sequence.tolist()) for share in (0.1, 0.3, 0.7)]
    assert all(few < many for few, many in pairwise(kept))


def test_frames_are_drawn_evenly() -> None:
    kept = corrupted("frames", 0.1, seen(frames=4000, points=5)).sequence
    counts = np.histogram(kept, bins=4, range=(0, 4000))[0]
    assert counts.min() > 60


def test_images_go_with_their_frames() -> None:
    names = tuple(f"{i}.png" for i in range(20))
    after = corrupted("frames", 0.3, seen(images=Images(names, names)))
    assert after.images is not None
    assert after.images.files == after.images.masks == tuple(f"{i}.png" for i in after.sequence)


# --- refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "given", "reason"),
    [
        ("missing", {"share": 1.0}, "share: expected at least 0 and less than 1, got 1.0"),
        ("missing", {"share": -0.1}, "share: expected at least 0 and less than 1, got -0.1"),
        ("missing", {"share": 0.1, "seeed": 1}, "'seeed': did you mean 'seed'"),
        ("missing", {}, "share: Field required"),
        ("missing", {"share": 0.1, "stage": "train"}, "stage: Input should be 'both', 'fit'"),
        ("noise", {"pixels": -1}, "pixels: expected at least 0, got -1"),
        ("noise_ratio", {"ratio": -1}, "ratio: expected at least 0, got -1"),
        ("frames", {"share": 0}, "share: expected more than 0 and at most 1, got 0"),
        ("frames", {"share": 1.5}, "share: expected more than 0 and at most 1, got 1.5"),
        ("frames", {"share": 0.5, "stage": "both"}, "stage: Input should be 'fit'"),
    ],
)
def test_refused_params(key: str, given: dict[str, Any], reason: str) -> None:
    with pytest.raises(UserError) as caught:
        make_params(f"corruption '{key}'", SPECS[key].params, given)
    assert reason in str(caught.value)
    assert f"corruption '{key}'" in str(caught.value)


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
        assert data.truth is not None
        assert clean.truth is not None
        np.testing.assert_array_equal(data.truth.points_3d, clean.truth.points_3d)
        assert data.truth.mask is None


def test_corruptions_are_applied_in_their_order(
    bench: TinyBench, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied: list[str] = []

    def note(observations: Observations, *_: object, key: str) -> Observations:
        applied.append(key)
        return observations

    for key in ("first", "second"):
        spec = CorruptionSpec(key, key, CorruptionParams, partial(note, key=key))
        monkeypatch.setitem(registry.corruptions.items, key, spec)
    keys = set()
    for order in (("first", "second"), ("second", "first")):
        data = [{**DATA, "corruption": {key: {} for key in order}}]
        suite = bench.suite(data=data)
        plan = make_plan(read_suite(suite), registry, bench.root, Selection(methods=["filling"]))
        ((run,),) = (cell.runs for cell in plan.cells)
        bench.store().write(RunRecord(run, "ok"))
        stored = bench.store().read(run.key)
        assert stored is not None
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
