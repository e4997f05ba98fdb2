"""The layer of To The Point against exact data, sums over points and finite differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import roma
import torch
from tests.conftest import not_none
from tests.plugins.learned.conftest import backward, draw
from torch import Tensor

from liftbench_plugins.learned.ttp.layer.moments import take_moments
from liftbench_plugins.learned.ttp.layer.objective import Estimate, Objective
from liftbench_plugins.learned.ttp.layer.pose_deformation import (
    Fit,
    PoseDeformation,
    Solver,
    affine_scale,
)

GAMMA = torch.tensor(1e-9, dtype=torch.float64)


@dataclass(frozen=True, eq=False)
class Scene:
    """Images of deformed templates whose poses are known."""

    positions: Tensor
    visibility: Tensor
    template: Tensor
    basis: Tensor
    scale: Tensor
    shape: Tensor
    rotation: Tensor

    def fit(self, layer: PoseDeformation, gamma: Tensor = GAMMA) -> Fit:
        found: Fit = layer(
            self.positions, self.visibility, self.template, self.basis, gamma, self.scale
        )
        return found


def make_scene(
    images: int, points: int = 642, shapes: int = 16, offset: float = 0.07, hidden: float = 0.3
) -> Scene:
    """Return images whose points leave the template by `offset` of its size in the mean."""
    template = draw(points, 3) * torch.tensor([1.0, 0.5, 0.4])
    basis = draw(shapes, points, 3)
    size = (template - template.mean(dim=0)).square().sum(dim=1).mean().sqrt()
    coefficients = draw(images, shapes, seed=1)
    moved = torch.einsum("bk,kna->bna", coefficients, basis)
    length = moved.norm(dim=2).mean(dim=1).clamp_min(1e-12)
    moved = moved * (offset * size / length)[:, None, None]
    rotation = roma.unitquat_to_rotmat(torch.nn.functional.normalize(draw(images, 4, seed=2)))
    scale = 0.5 + draw(images, seed=3).abs()
    seen = (template + moved) @ rotation[:, :2].transpose(1, 2) + draw(images, 1, 2, seed=4)
    visibility = (draw(images, points, seed=5).abs() > 0.385 * (hidden > 0)).double()
    positions = scale[:, None, None] * seen
    return Scene(positions, visibility, template, basis, scale, template + moved, rotation)


def aligned_error(fit: Fit, scene: Scene) -> Tensor:
    """Return the mean distance (B,) of posed shapes from the truth, over the template's size."""
    found = fit.shape @ fit.rotation.transpose(1, 2)
    true = scene.shape @ scene.rotation.transpose(1, 2)
    gap = (found - found.mean(dim=1, keepdim=True)) - (true - true.mean(dim=1, keepdim=True))
    size = (scene.template - scene.template.mean(dim=0)).square().sum(dim=1).mean().sqrt()
    error: Tensor = gap.norm(dim=2).mean(dim=1) / size
    return error


def small_objective() -> tuple[Scene, Objective, Estimate]:
    scene = make_scene(3, points=40, shapes=4)
    noisy = scene.positions + 0.1 * draw(3, 40, 2, seed=6)
    moments = take_moments(noisy, draw(3, 40, seed=7).abs(), scene.template, scene.basis)
    objective = Objective(moments, scene.scale, torch.full((3,), 0.3, dtype=torch.float64))
    return scene, objective, Estimate(scene.rotation.roll(1, 0), draw(3, 4, seed=8))


@pytest.mark.parametrize("offset", [0.0, 0.07, 0.18])
def test_joint_descent_finds_every_exact_pose_and_deformation(offset: float) -> None:
    scene = make_scene(100, offset=offset)
    error = aligned_error(scene.fit(PoseDeformation()), scene)
    assert int((error < 1e-6).sum()) == 100


@pytest.mark.parametrize("solver", ["joint", "alternating", "lbfgs"])
def test_all_solvers_find_the_pose_of_the_undeformed_template(solver: Solver) -> None:
    scene = make_scene(20, points=80, shapes=0, offset=0.0)
    fit = scene.fit(PoseDeformation(solver))
    torch.testing.assert_close(fit.rotation, scene.rotation, rtol=0, atol=1e-5)
    torch.testing.assert_close(fit.project(fit.shape), scene.positions, rtol=0, atol=1e-4)


def test_solvers_agree_where_positions_are_noisy() -> None:
    scene = make_scene(10, points=80, shapes=0, offset=0.0)
    noise = 0.05 * draw(10, 80, 2, seed=9)
    solvers: list[Solver] = ["joint", "alternating", "lbfgs"]
    found = [
        PoseDeformation(solver)(
            scene.positions + noise,
            scene.visibility,
            scene.template,
            scene.basis,
            GAMMA,
            scene.scale,
        ).rotation
        for solver in solvers
    ]
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=0, atol=1e-5)


def test_the_error_is_that_of_all_points() -> None:
    scene, _, estimate = small_objective()
    visibility = draw(3, 40, seed=7).abs()
    gamma = torch.full((3,), 0.3, dtype=torch.float64)
    moments = take_moments(scene.positions, visibility, scene.template, scene.basis)
    objective = Objective(moments, scene.scale, gamma)
    shape = scene.template + torch.einsum("bk,kna->bna", estimate.coefficients, scene.basis)
    seen = shape @ estimate.rotation[:, :2].transpose(1, 2)
    seen = scene.scale[:, None, None] * (seen + objective.translation(estimate)[:, None])
    error = (visibility * (scene.positions - seen).square().sum(dim=2)).sum(dim=1)
    expected = 0.5 * (error + 0.3 * estimate.coefficients.square().sum(dim=1))
    torch.testing.assert_close(objective.value(estimate), expected)
    # The translation is the best one: the weighted residuals have the mean 0.
    left = (visibility[..., None] * (scene.positions - seen)).sum(dim=1)
    torch.testing.assert_close(left, torch.zeros_like(left), rtol=0, atol=1e-9)


def slopes_of(function: Callable[[Tensor], Tensor], size: int, step: float) -> Tensor:
    """Return central differences (B, ..., size) of a function of steps (B, size)."""
    slopes = []
    for place in range(size):
        move = torch.zeros(3, size, dtype=torch.float64)
        move[:, place] = step
        slopes.append((function(move) - function(-move)) / (2 * step))
    return torch.stack(slopes, dim=-1)


def test_gradient_and_hessian_are_those_of_finite_differences() -> None:
    _, objective, estimate = small_objective()
    found = slopes_of(lambda step: objective.value(estimate.move(step)), 7, 1e-5)
    torch.testing.assert_close(objective.gradient(estimate), found, rtol=1e-6, atol=1e-6)
    found = slopes_of(lambda step: objective.gradient(estimate.move(step)), 7, 1e-5)
    # Steps of rotation do not commute; the Hessian along geodesics is the symmetric part.
    found = 0.5 * (found + found.transpose(1, 2))
    torch.testing.assert_close(objective.hessian(estimate), found, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("solver", ["joint", "alternating"])
def test_gradients_of_all_inputs_are_those_of_finite_differences(solver: Solver) -> None:
    scene = make_scene(2, points=30, shapes=3, hidden=0)
    gamma = torch.tensor(0.3, dtype=torch.float64)
    inputs = [
        scene.positions + 0.02 * draw(2, 30, 2, seed=9),
        draw(2, 30, seed=7).abs(),
        scene.template,
        scene.basis,
        gamma,
        scene.scale,
    ]
    layer = PoseDeformation(solver)
    sides = [draw(2, 3, 3, seed=10), draw(2, 2, seed=11), draw(2, 30, 3, seed=12)]

    def value(*given: Tensor) -> Tensor:
        fit = layer(*given)
        parts = zip((fit.rotation, fit.translation, fit.shape), sides, strict=True)
        return torch.stack([(part * side).sum() for part, side in parts]).sum()

    leaves = [part.clone().requires_grad_() for part in inputs]
    backward(value(*leaves))
    for number, leaf in enumerate(leaves):
        direction = draw(*leaf.shape, seed=20 + number) if leaf.ndim else torch.ones_like(leaf)
        ahead, behind = (
            [
                part + sign * 1e-4 * direction if i == number else part
                for i, part in enumerate(inputs)
            ]
            for sign in (1, -1)
        )
        found = (value(*ahead) - value(*behind)) / 2e-4
        assert leaf.grad is not None
        assert float((leaf.grad * direction).sum()) == pytest.approx(float(found), rel=1e-4)


@pytest.mark.parametrize("solver", ["joint", "alternating"])
def test_a_batch_equals_its_items(solver: Solver) -> None:
    scene = make_scene(4, points=50, shapes=3)
    layer = PoseDeformation(solver)
    whole = scene.fit(layer).shape
    for item in range(4):
        alone = layer(
            scene.positions[item : item + 1],
            scene.visibility[item : item + 1],
            scene.template,
            scene.basis,
            GAMMA,
            scene.scale[item : item + 1],
        )
        torch.testing.assert_close(alone.shape, whole[item : item + 1], rtol=0, atol=1e-7)


def test_single_precision_is_close_to_double() -> None:
    scene = make_scene(4, points=50, shapes=3)
    exact = scene.fit(PoseDeformation())
    inputs = (scene.positions, scene.visibility, scene.template, scene.basis, GAMMA, scene.scale)
    rough = PoseDeformation()(*(part.float() for part in inputs))
    assert rough.rotation.dtype == torch.float32
    torch.testing.assert_close(rough.rotation.double(), exact.rotation, rtol=0, atol=1e-4)


@pytest.mark.parametrize("solver", ["joint", "alternating", "lbfgs"])
@pytest.mark.parametrize("case", ["hidden", "one place", "a line", "three points"])
def test_degenerate_points_give_numbers(solver: Solver, case: str) -> None:
    scene = make_scene(2, points=12, shapes=2, hidden=0)
    positions, visibility = scene.positions.clone(), scene.visibility.clone()
    if case == "hidden":
        visibility[0] = 0
    elif case == "one place":
        positions[0] = positions[0, :1]
    elif case == "a line":
        positions[0, :, 1] = 2 * positions[0, :, 0]
    else:
        visibility[0, 3:] = 0
    previous = scene.rotation.roll(1, 0)
    leaves = [part.requires_grad_() for part in (positions, visibility)]
    fit = PoseDeformation(solver)(
        *leaves, scene.template, scene.basis, torch.tensor(0.1), scene.scale, previous
    )
    backward(fit.shape.sum() + fit.rotation.sum() + fit.translation.sum())
    for part in (fit.rotation, fit.translation, fit.shape, *(leaf.grad for leaf in leaves)):
        assert part is not None
        assert bool(part.isfinite().all())
    assert fit.determined.tolist() == [case not in {"hidden", "three points"}, True]
    if case == "hidden":
        torch.testing.assert_close(fit.rotation[0], previous[0])
        torch.testing.assert_close(fit.shape[0], scene.template)
        assert leaves[0].grad is not None
        assert not leaves[0].grad[0].any()


def test_the_scale_is_the_deviation_of_the_positions() -> None:
    scene = make_scene(3, points=20, shapes=0, offset=0.0)
    layer = PoseDeformation()
    fit = layer(scene.positions, scene.visibility, scene.template, scene.basis, GAMMA)
    torch.testing.assert_close(
        fit.scale, scene.positions.flatten(1).view(3, 20, 2).var(dim=1, correction=0).mean(1).sqrt()
    )


def test_the_affine_scale_is_that_of_exact_projections_whatever_the_side() -> None:
    scene = make_scene(20, offset=0.0)
    found = affine_scale(scene.positions, scene.visibility, scene.template)
    torch.testing.assert_close(found, scene.scale, atol=0, rtol=1e-4)
    hidden = torch.where(scene.visibility[..., None] > 0, scene.positions, 1e3)
    again = affine_scale(hidden, scene.visibility, scene.template)
    torch.testing.assert_close(again, found)


def test_the_affine_scale_is_finite_where_nothing_is_seen() -> None:
    positions = draw(3, 9, 2).requires_grad_()
    scale = affine_scale(positions, torch.zeros(3, 9).double(), draw(9, 3))
    assert torch.isfinite(scale).all()
    backward(scale.sum())
    assert not_none(positions.grad).abs().max() == 0
