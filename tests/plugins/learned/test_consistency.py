"""The consistency of a lifter that knows the truth, and of lifters that are wrong."""

from __future__ import annotations

import math

import pytest
import torch
from tests.conftest import not_none
from tests.plugins.learned.conftest import backward, draw, every_case, seeded
from torch import Tensor

from liftbench.types import Camera
from liftbench_plugins.learned.consistency import consistency_loss, inconsistency
from liftbench_plugins.learned.factorisation import NormalisedViews, normalise_views, views_from
from liftbench_plugins.learned.lifting import misfit
from liftbench_plugins.learned.rotations import random_cameras, rotate

P, B = 10, 9
DEPTH = 8.0


def rigid_shape(frames: int = B) -> Tensor:
    shape = draw(P, 3, 1)
    return (shape - shape.mean(dim=0, keepdim=True)).expand(P, 3, frames)


def masks(frames: int) -> Tensor:
    """Return masks (P, F) that hide one point of each frame, in turn."""
    visible = torch.ones(P, frames, dtype=torch.float64)
    visible[torch.arange(frames) % P, torch.arange(frames)] = 0
    return visible


def make_views(camera_model: Camera, missing: bool, frames: int = B) -> NormalisedViews:
    like = torch.zeros(1, frames, dtype=torch.float64)
    seen = rotate(rigid_shape(frames), random_cameras(3, like, seeded(1)))
    depth = None
    points = seen[:, :2]
    if camera_model == "perspective":
        depth = torch.full((frames,), DEPTH, dtype=torch.float64)
        points = (points + draw(1, 2, frames, seed=3)) / (seen[:, 2:] + depth)
    return normalise_views(points, masks(frames) if missing else None, depth)


class Oracle:
    """A lifter that knows the shape and solves the bilinear equations for the camera.

    It returns them times the two factors.
    """

    def __init__(
        self, shape_factor: float | Tensor = 1.0, camera_factor: float | Tensor = 1.0
    ) -> None:
        self.factors = shape_factor, camera_factor
        self.asked: list[NormalisedViews] = []

    def __call__(self, views: NormalisedViews) -> tuple[Tensor, Tensor]:
        self.asked.append(views)
        count, frames = views.columns.shape[1:]
        shape = rigid_shape(frames)
        constant = views.residual(shape, torch.zeros(3, count, frames).to(shape))
        system = []
        for entry in range(3 * count):
            unit = torch.zeros(3 * count, frames, dtype=torch.float64)
            unit[entry] = 1
            system.append(constant - views.residual(shape, unit.view(3, count, frames)))
        matrix = torch.stack(system).reshape(3 * count, -1, frames).permute(2, 1, 0)
        target = constant.reshape(-1, frames).T[..., None]
        camera = torch.linalg.lstsq(matrix, target).solution[..., 0].T
        by_shape, by_camera = self.factors
        return by_shape * shape, by_camera * camera.reshape(3, count, frames)


@every_case
def test_loss_is_zero_for_an_oracle(camera_model: Camera, missing: bool) -> None:
    views = make_views(camera_model, missing)
    loss = consistency_loss(Oracle(), views, rigid_shape(), seeded())
    assert float(loss) == pytest.approx(0, abs=1e-5)


@every_case
def test_loss_is_the_relative_change_of_the_shape_and_that_of_the_camera(
    camera_model: Camera, missing: bool
) -> None:
    views, shape = make_views(camera_model, missing), rigid_shape()
    columns = views.columns.shape[1]
    larger = consistency_loss(Oracle(shape_factor=1.3), views, shape, seeded())
    assert float(larger) == pytest.approx(0.3, abs=1e-5)
    opposite = consistency_loss(Oracle(camera_factor=-1), views, shape, seeded())
    assert float(opposite) == pytest.approx(2 * math.sqrt(columns), abs=1e-5)


@every_case
def test_loss_is_the_mean_over_frames(camera_model: Camera, missing: bool) -> None:
    views, growth = make_views(camera_model, missing), torch.arange(B, dtype=torch.float64) ** 3
    larger = consistency_loss(Oracle(shape_factor=1 + growth), views, rigid_shape(), seeded())
    assert float(larger) == pytest.approx(float(growth.mean()), abs=1e-4)
    longer = consistency_loss(Oracle(camera_factor=1 + growth), views, rigid_shape(), seeded())
    length = math.sqrt(views.columns.shape[1])
    assert float(longer) == pytest.approx(length * float(growth.mean()), abs=1e-4)


@every_case
def test_the_place_of_a_shape_does_not_matter(camera_model: Camera, missing: bool) -> None:
    views, moved = make_views(camera_model, missing), rigid_shape() + 3
    assert float(consistency_loss(Oracle(), views, moved, seeded())) < 1e-5


@pytest.mark.parametrize("camera_model", ["orthographic", "perspective"])
def test_each_frame_has_the_mask_and_the_place_of_another_frame_of_the_batch(
    camera_model: Camera,
) -> None:
    views, oracle = make_views(camera_model, missing=True), Oracle()
    consistency_loss(oracle, views, rigid_shape(), seeded())
    asked, before = oracle.asked[0], not_none(views.visible)
    others = [
        next(o for o in range(B) if torch.equal(before[:, o], not_none(asked.visible)[:, frame]))
        for frame in range(B)
    ]
    assert sorted(others) == list(range(B))
    assert others != list(range(B))
    generator = seeded()
    camera = random_cameras(views.columns.shape[1], rigid_shape(), generator)
    expected = views_from(rigid_shape(), camera, views.select(torch.tensor(others)))
    torch.testing.assert_close(asked.columns, expected.columns)


def test_cameras_and_frames_are_drawn_by_the_generator() -> None:
    views, asked = make_views("orthographic", missing=True), list[Tensor]()
    for seed in (0, 0, 1):
        oracle = Oracle()
        consistency_loss(oracle, views, rigid_shape(), seeded(seed))
        asked += [seen.columns for seen in oracle.asked]
    torch.testing.assert_close(asked[0], asked[1], rtol=0, atol=0)
    assert not torch.allclose(asked[0], asked[2])


@every_case
def test_gradients_flow_through_the_image_of_the_shape(camera_model: Camera, missing: bool) -> None:
    views = make_views(camera_model, missing)
    weight = draw(3, P, seed=8)

    def lift(views: NormalisedViews) -> tuple[Tensor, Tensor]:
        # The first term of the loss is 1 for every shape: only that of the camera has a gradient.
        camera = torch.einsum("ip,pab->iab", weight, views.columns)
        return torch.zeros(P, 3, B, dtype=torch.float64), camera

    shape = rigid_shape().clone().requires_grad_()
    backward(consistency_loss(lift, views, shape, seeded()))
    assert (not_none(shape.grad).abs().sum(dim=(0, 1)) > 1e-3).all()


@every_case
def test_inconsistency_is_zero_for_a_lifter_with_the_same_shape_in_every_view(
    camera_model: Camera, missing: bool
) -> None:
    views = make_views(camera_model, missing, frames=30)

    def flat(views: NormalisedViews) -> tuple[Tensor, Tensor]:
        columns = views.columns
        shape = torch.cat([columns[:, :2], torch.zeros_like(columns[:, :1])], dim=1)
        return shape, torch.zeros(3, *columns.shape[1:], dtype=torch.float64)

    # A wrong camera does not count.
    assert inconsistency(Oracle(camera_factor=-1), views) == pytest.approx(0, abs=1e-5)
    assert inconsistency(flat, views) > 0.3


def test_misfit_is_high_for_a_wrong_shape_that_all_frames_share() -> None:
    views = make_views("orthographic", missing=False)
    other = 1.5 * draw(P, 3, 1, seed=9)
    other = other - other.mean(dim=0, keepdim=True)

    def rigid(views: NormalisedViews) -> tuple[Tensor, Tensor]:
        return other.expand(P, 3, views.frames), Oracle()(views)[1]

    assert inconsistency(rigid, views) == pytest.approx(0, abs=1e-6)
    assert misfit(rigid, views) > 0.5
    assert misfit(Oracle(), views) == pytest.approx(0, abs=1e-5)


def test_inconsistency_judges_the_same_thousand_frames_every_time() -> None:
    views, oracle = make_views("orthographic", missing=True, frames=1100), Oracle()
    inconsistency(oracle, views)
    inconsistency(oracle, views)
    assert [views.frames for views in oracle.asked] == [1000] * 4
    asked = [views.columns for views in oracle.asked]
    torch.testing.assert_close(asked[:2], asked[2:], rtol=0, atol=0)
