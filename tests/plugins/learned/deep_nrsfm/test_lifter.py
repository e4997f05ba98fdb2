"""How Deep NRSfM makes views of observations, what its loss is, and how it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.plugins.conftest import (
    before_a_camera,
    fit_method,
    observe,
    random_mask,
    registry,
    rigid_views,
)
from tests.plugins.learned.conftest import fit_deep_nrsfm, make_views
from torch import Tensor

from liftbench import Observations, RunContext, Skeleton
from liftbench.types import Camera
from liftbench_plugins.learned import lifting
from liftbench_plugins.learned.consistency import consistency_loss
from liftbench_plugins.learned.deep_nrsfm import DeepNrsfmParams, lifter
from liftbench_plugins.learned.deep_nrsfm.lifter import DeepNrsfm
from liftbench_plugins.learned.deep_nrsfm.network import BlockSparseNetwork
from liftbench_plugins.learned.deep_nrsfm.scale import shape_size
from liftbench_plugins.learned.factorisation import NormalisedViews, reprojection_loss

both_cameras = pytest.mark.parametrize("camera", ["orthographic", "perspective"])


def make_lifter(**params: Any) -> DeepNrsfm:
    """Return a lifter before its training."""
    method = DeepNrsfm(DeepNrsfmParams(**{"sizes": (8, 4), **params}))
    method.device, method.scale, method.edges = "cpu", 0.5, ((0, 1), (1, 2))
    return method


def make_network(method: DeepNrsfm, views: NormalisedViews) -> BlockSparseNetwork:
    """Return the untrained network of a lifter in double precision."""
    return method._start(views, 0, 1.0).double()


def seen_by(network: BlockSparseNetwork, monkeypatch: pytest.MonkeyPatch) -> list[NormalisedViews]:
    """Return a list to which the network adds the views that it lifts."""
    seen: list[NormalisedViews] = []
    lift = network.lift

    def record(views: NormalisedViews) -> tuple[Tensor, Tensor]:
        seen.append(views)
        return lift(views)

    monkeypatch.setattr(network, "lift", record)
    return seen


def visibility_of(views: NormalisedViews) -> Tensor:
    """Return the visibility (P, B) of views that have hidden points."""
    assert views.visible is not None
    return views.visible


@both_cameras
def test_points_held_out_are_visible_ones_and_leave_enough(camera: Camera) -> None:
    views, _ = make_views(camera, missing=False, frames=400)
    seldom = random_mask(views.shape, hidden=0.4, seed=0)
    seldom[:, :3] = True
    method = make_lifter(held_out=0.5)
    whole = method._on_device(observe(views, camera, seldom))
    part = method._hold_out_points(whole, torch.Generator().manual_seed(0))
    before, after = visibility_of(whole), visibility_of(part)
    assert (before >= after).all()
    fewer = after.sum(dim=0) < before.sum(dim=0)
    assert after.sum(dim=0)[fewer].min() == 4
    assert not fewer[before.sum(dim=0) <= 4].any()
    assert 0.2 < 1 - after[:, fewer].sum() / before[:, fewer].sum() < 0.5
    method.params = replace(method.params, held_out=0.0)
    assert method._hold_out_points(whole, torch.Generator()) is whole


@both_cameras
def test_points_are_held_out_of_complete_data_when_asked_for(camera: Camera) -> None:
    views, _ = make_views(camera, missing=False, frames=400)
    method = make_lifter(held_out=0.5, hold_out="always")
    whole = method._on_device(observe(views, camera))
    assert whole.visible is None
    part = visibility_of(method._hold_out_points(whole, torch.Generator().manual_seed(0)))
    # A frame's share is uniform from 0 to 0.5, a quarter in the mean.
    assert 0.2 < 1 - part.mean() < 0.3
    assert part.mean(dim=0).std() > 0.1
    method.params = replace(method.params, hold_out="hidden")
    assert method._hold_out_points(whole, torch.Generator()) is whole


@pytest.mark.parametrize("weighting", ["frames", "image"])
def test_points_that_the_network_does_not_see_count_in_the_loss(
    weighting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = before_a_camera(rigid_views(40), nearest=6.0, farthest=60.0)
    method = make_lifter(held_out=0.5, hold_out="always", weighting=weighting)
    batch = method._views(observe(views, "perspective"))
    network = make_network(method, batch)
    seen = seen_by(network, monkeypatch)
    shape, loss = method._lift_loss(network, batch, torch.Generator().manual_seed(3))
    (lifted,) = seen
    assert 0 < visibility_of(lifted).mean() < 1
    own, camera = network.lift(lifted)
    torch.testing.assert_close(shape, own)
    of_frames, of_image = (
        reprojection_loss(batch, own, camera, network.odds, in_image=in_image)
        for in_image in (False, True)
    )
    torch.testing.assert_close(loss, of_image if weighting == "image" else of_frames)
    assert not torch.allclose(of_image, of_frames)


@pytest.mark.parametrize("measure", ["norm", "bones"])
@pytest.mark.parametrize("rounds", [0, 2])
@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_the_loss_is_the_mean_over_corrections_of_scale_and_that_of_consistency(
    measure: str, rounds: int, weight: float
) -> None:
    views = before_a_camera(rigid_views(70), nearest=9.0, farthest=27.0)
    method = make_lifter(scale_rounds=rounds, scale_measure=measure, consistency=weight)
    batch = method._views(observe(views, "perspective"))
    network = make_network(method, batch)
    found = method._loss(network, batch, torch.Generator().manual_seed(5))
    expected = torch.zeros(())
    for number in range(rounds + 1):
        shape, camera = network.lift(batch)
        expected = expected + reprojection_loss(batch, shape, camera) / (rounds + 1)
        if number < rounds:
            sizes = shape_size(shape, method.params.scale_measure, method.edges)
            batch = batch.rescale(sizes.mean() / sizes)
    if weight:
        first = batch.select(torch.arange(64))  # of the 70 frames
        generator = torch.Generator().manual_seed(5)
        change = consistency_loss(network.lift, first, shape[..., :64], generator)
        expected = expected + weight * change
    assert float(found.detach()) == pytest.approx(float(expected.detach()), rel=1e-9)


@pytest.mark.parametrize("blocks", ["3x2", "3x3"])
def test_blocks_have_a_third_column_for_a_perspective_camera_only(blocks: str) -> None:
    method = make_lifter(blocks=blocks)
    near = method._views(observe(before_a_camera(rigid_views(5)), "perspective"))
    far = method._views(observe(rigid_views(5)))
    assert make_network(method, near).columns == (3 if blocks == "3x3" else 2)
    assert make_network(method, far).columns == 2


def assert_same_views(found: NormalisedViews, expected: NormalisedViews) -> None:
    """Compare all parts of views."""
    for name in ("columns", "visible", "rays", "depth"):
        part, other = getattr(found, name), getattr(expected, name)
        assert (part is None) == (other is None)
        if part is not None:
            torch.testing.assert_close(part, other)


def test_a_perspective_camera_can_be_taken_for_orthographic() -> None:
    observations = observe(before_a_camera(rigid_views(10)), "perspective")
    flat = np.pad(observations.points_2d, ((0, 0), (0, 0), (0, 1)))
    found = make_lifter(camera="orthographic")._views(observations)
    assert_same_views(found, make_lifter()._views(observe(flat)))


@both_cameras
def test_hidden_points_can_be_put_at_the_mean_of_the_visible_ones(camera: Camera) -> None:
    views = before_a_camera(rigid_views(10))
    observations = observe(views, camera, random_mask(views.shape))
    mean = np.nanmean(observations.points_2d, axis=1, keepdims=True)
    filled = observe(views, camera)
    points = np.where(observations.visible[..., None], observations.points_2d, mean)
    object.__setattr__(filled, "points_2d", points)
    found = make_lifter(hidden_points="mean_filled")._views(observations)
    assert_same_views(found, make_lifter()._views(filled))


def test_t_z_of_objects_at_one_depth_is_their_distance_from_the_camera() -> None:
    """The virtual camera looks at the object, so that its depth there is its distance."""
    flat = rigid_views(20) * [1, 1, 0]
    place = np.random.default_rng(0).uniform([-9, -9, 7], [9, 9, 7], (20, 3))
    views = make_lifter()._views(observe(flat + place[:, None], "perspective"))
    distance = torch.from_numpy(np.linalg.norm(place, axis=1) / 7)
    torch.testing.assert_close(views.depth, 0.5 * distance)  # times the scale of the lifter


@pytest.mark.parametrize(("mirroring", "rounds", "odds"), [("each", 0, 0.0), ("shared", 2, None)])
def test_a_start_fills_and_mirrors_as_the_parameters_say(
    mirroring: str, rounds: int, odds: float | None
) -> None:
    method = make_lifter(mirroring=mirroring, fill_rounds=rounds)
    network = make_network(method, method._views(observe(rigid_views(5))))
    assert network.odds == odds
    assert network.fill_rounds == rounds


Start = Callable[[int, int], BlockSparseNetwork]


@pytest.mark.parametrize(
    ("key", "variances"), [("deep_nrsfm", (6.0, 6.0)), ("deep_nrsfm_pp", (1.0, 3.0))]
)
def test_weights_of_a_second_turn_start_larger_with_block_thresholds(
    key: str, variances: tuple[float, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[Start] = []

    def keep(start: Start, *_: object) -> BlockSparseNetwork:
        starts.append(start)
        return start(0, 0)

    monkeypatch.setattr(lifter, "train_best_start", keep)
    fit_method(key, observe(rigid_views(10)), tmp_path, sizes=(500, 4))
    networks = [starts[0](1, turn) for turn in (0, 1)]
    for network, variance in zip(networks, variances, strict=True):
        # Uniform weights up to sqrt(gain / fan-in), of 9 points.
        bound = float(network.first.detach().abs().max())
        assert bound == pytest.approx((variance / 9) ** 0.5, rel=1e-3)
        assert network.nonlinearity == ("relu" if key == "deep_nrsfm" else "bst")


def test_scale_correction_aims_at_the_mean_size_in_the_training(tmp_path: Path) -> None:
    observations = observe(before_a_camera(rigid_views(40), farthest=20.0), "perspective")
    method = fit_deep_nrsfm("deep_nrsfm_pp", observations, tmp_path, scale_rounds=1, steps=5)
    shapes, _ = method.network.lift(method._on_device(observations))
    sizes = shape_size(shapes.detach(), "norm", ())
    assert method.size == pytest.approx(float(sizes.mean()), rel=1e-5)


def test_correction_by_bones_needs_a_skeleton_with_edges(tmp_path: Path) -> None:
    bare = observe(rigid_views(frames=10), "orthographic")
    object.__setattr__(bare, "skeleton", Skeleton(bare.skeleton.points))
    with pytest.raises(ValueError, match="scale_measure 'bones' needs a skeleton with edges") as e:
        fit_method("deep_nrsfm_pp", bare, tmp_path, scale_rounds=1, scale_measure="bones")
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("best", [0, 1, 2])
def test_training_continues_from_the_start_with_the_least_misfit(
    best: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[BlockSparseNetwork] = []

    def judge(lift: Any, _views: NormalisedViews, _odds: float | None) -> float:
        if lift.__self__ not in judged:
            judged.append(lift.__self__)
        return 0.1 if judged.index(lift.__self__) == best else 0.5

    monkeypatch.setattr(lifting, "misfit", judge)
    few = {"starts": 3, "start_steps": 2, "steps": 2}
    method = fit_deep_nrsfm("deep_nrsfm_pp", observe(rigid_views(frames=40)), tmp_path, **few)
    assert len(judged) == 3
    assert method.network is judged[best]
    assert len({network.first[0, 0].item() for network in judged}) == 3


def test_progress_counts_through_starts_and_the_main_training(tmp_path: Path) -> None:
    spec = registry().methods["deep_nrsfm_pp"]
    reported: list[tuple[int, int]] = []

    def report(step: int, steps: int, _loss: float) -> None:
        reported.append((step, steps))

    params = spec.params(sizes=(8, 4), starts=2, start_steps=15, steps=20)
    spec.make(**vars(params)).fit(
        observe(rigid_views(frames=40)), RunContext(0, "cpu", 1, 1e6, tmp_path, report)
    )
    assert [step for step, _ in reported] == [1, 11, 15, 16, 26, 30, 31, 41, 50]
    assert {total for _, total in reported} == {50}


def points_at_one_place() -> Observations:
    """Return observations whose points coincide in each frame."""
    return observe(np.zeros((5, 4, 3)))


@pytest.mark.parametrize("key", ["deep_nrsfm_pp", "pr_rrn"])
def test_points_that_coincide_are_refused_in_one_line(key: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs points that differ") as e:
        fit_method(key, points_at_one_place(), tmp_path)
    assert "\n" not in str(e.value)
