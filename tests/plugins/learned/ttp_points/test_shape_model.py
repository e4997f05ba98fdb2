"""Completion by the layer on key points whose shape and pose are known."""

from __future__ import annotations

import pytest
import roma
import torch
from tests.plugins.learned.conftest import backward, draw, seeded
from torch import Tensor

from liftbench_plugins.learned.ttp_points.shape_model import ShapeModel, completion_loss, hold_out

POINTS, B = 12, 6


def exact_model(basis: int, *, own_sizes: bool) -> ShapeModel:
    """Return a model whose coefficients cost almost nothing."""
    template = draw(POINTS, 3) * torch.tensor([1.0, 0.6, 0.5])
    model = ShapeModel(template - template.mean(dim=0), basis, seeded(0), own_sizes=own_sizes)
    with torch.no_grad():
        model.log_gamma.fill_(-18.0)
    return model


def images_of(model: ShapeModel, sizes: Tensor) -> Tensor:
    """Return exact images (B, P, 2) of shapes of the model."""
    change = torch.einsum("bk,kpi->bpi", draw(B, len(model.basis), seed=1), model.basis)
    turns = roma.unitquat_to_rotmat(torch.nn.functional.normalize(draw(B, 4, seed=2)))
    placed: Tensor = (sizes[:, None, None] * (model.template + change)) @ turns[:, :2].mT
    return (placed - placed.mean(dim=1, keepdim=True)).detach()


@pytest.mark.parametrize("own_sizes", [False, True])
def test_hidden_points_of_exact_shapes_are_found(own_sizes: bool) -> None:
    model = exact_model(2, own_sizes=own_sizes)
    sizes = torch.linspace(0.5, 2.0, B).double() if own_sizes else torch.ones(B).double()
    points = images_of(model, sizes)
    shown = torch.ones(B, POINTS, dtype=torch.bool)
    shown[:, 8:] = False
    fit = model.find(points, shown)
    assert (fit.project(fit.shape) - points).abs().max() < 1e-3
    visible = torch.ones_like(shown)
    assert completion_loss(model, points, visible, shown, 0.1) < 1e-3


def test_one_size_for_all_does_not_explain_several() -> None:
    model = exact_model(0, own_sizes=False)
    points = images_of(model, torch.linspace(0.5, 2.0, B).double())
    seen = torch.ones(B, POINTS, dtype=torch.bool)
    assert completion_loss(model, points, seen, seen, 1.0) > 0.05


def test_hidden_points_are_not_read() -> None:
    model = exact_model(2, own_sizes=True)
    points = images_of(model, torch.ones(B).double())
    shown = torch.ones(B, POINTS, dtype=torch.bool)
    shown[:, :3] = False
    found = model.find(points, shown)
    again = model.find(torch.where(shown[..., None], points, torch.nan), shown)
    torch.testing.assert_close(found.shape, again.shape, rtol=0, atol=0)


def test_shown_points_count_by_their_weight_alone() -> None:
    model = exact_model(0, own_sizes=False)
    points = images_of(model, torch.linspace(0.5, 2.0, B).double())
    visible = torch.ones(B, POINTS, dtype=torch.bool)
    shown = visible.clone()
    shown[:, 8:] = False
    held, half, whole = (completion_loss(model, points, visible, shown, w) for w in (0.0, 0.5, 1.0))
    all_shown = completion_loss(model, points, shown, shown, 1.0)
    torch.testing.assert_close(half, held + 0.5 * all_shown)
    torch.testing.assert_close(whole, held + all_shown)
    far = torch.where(shown[..., None], points, points + 100)
    assert completion_loss(model, far, visible, shown, 0.0) > 50


def test_every_part_of_the_model_learns() -> None:
    model = exact_model(2, own_sizes=True)
    points = images_of(model, torch.ones(B).double()) + 0.1 * draw(B, POINTS, 2, seed=5)
    visible = torch.ones(B, POINTS, dtype=torch.bool)
    shown = hold_out(visible, 0.3, seeded(1))
    backward(completion_loss(model, points, visible, shown, 0.1))
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_points_are_held_out_unless_too_few_would_be_left() -> None:
    visible = torch.zeros(400, POINTS, dtype=torch.bool)
    visible[:200] = True
    visible[200:, :4] = True
    shown = hold_out(visible, 0.3, seeded(0))
    assert not (shown & ~visible).any()
    assert (shown.sum(dim=1) >= 4).all()
    torch.testing.assert_close(shown[200:], visible[200:])
    assert float(shown[:200].double().mean()) == pytest.approx(0.7, abs=0.03)
