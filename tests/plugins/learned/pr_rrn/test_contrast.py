from __future__ import annotations

import math

import pytest
import torch
from tests.conftest import not_none
from tests.plugins.learned.conftest import backward, seeded
from torch import Tensor

from liftbench_plugins.learned.factorisation import NormalisedViews, normalise_views
from liftbench_plugins.learned.pr_rrn.contrast import Memory, contrastive_loss
from liftbench_plugins.learned.pr_rrn.rigidity import minimal_singular_value_ratio

BELOW, ABOVE = 0.005, 0.01


def batch(frames: int, seed: int, hidden: bool = False) -> NormalisedViews:
    generator = seeded(seed)
    shape = torch.randn(9, 3, generator=generator, dtype=torch.float64)
    bend = torch.randn(9, 3, frames, generator=generator, dtype=torch.float64)
    cameras = torch.randn(3, 2, frames, generator=generator, dtype=torch.float64)
    points = torch.einsum("pib,ijb->pjb", shape[..., None] + bend, cameras)
    seen = (torch.rand(9, frames, generator=generator) > 0.1).double() if hidden else None
    return normalise_views(points, seen)


def codes(frames: int, seed: int) -> Tensor:
    generator = seeded(seed)
    return torch.randn(4, frames, generator=generator, dtype=torch.float64)


def equation_12(
    views: NormalisedViews,
    code: Tensor,
    old_views: NormalisedViews,
    old_codes: Tensor,
    ratio: Tensor,
) -> float:
    total, count = 0.0, 0
    for i in range(views.frames):
        rigid = nonrigid = 0.0
        for j in range(old_views.frames):
            one, two = code[:, i], old_codes[:, j]
            closeness = float(torch.exp(one @ two / (one.norm() * two.norm())))
            rigid += closeness * (float(ratio[i, j]) < BELOW)
            nonrigid += closeness * (float(ratio[i, j]) > ABOVE)
        if rigid:
            total -= math.log(rigid / (rigid + nonrigid))
            count += 1
    return total / max(count, 1)


@pytest.mark.parametrize("hidden", [False, True])
def test_loss_is_equation_12_written_as_loops(hidden: bool) -> None:
    old, new = batch(12, 0, hidden), batch(6, 0, hidden)
    old_codes, new_codes = codes(12, 2), codes(6, 3)
    memory = Memory(12, old, 4).double()
    contrastive_loss(old, old_codes, memory, BELOW, ABOVE)
    ratio = minimal_singular_value_ratio(new.image, old.image, new.visible, old.visible)
    assert (ratio < BELOW).any()
    assert (ratio > ABOVE).any()
    loss = contrastive_loss(new, new_codes, memory, BELOW, ABOVE)
    expected = equation_12(new, new_codes, old, old_codes, ratio)
    assert float(loss) == pytest.approx(expected, rel=1e-9)
    assert expected > 0


def test_an_empty_memory_and_frames_without_a_rigid_partner_cost_nothing() -> None:
    views = batch(6, 0)
    loss = contrastive_loss(views, codes(6, 1).requires_grad_(), Memory(8, views, 4), 0.02, 0.04)
    assert float(loss.detach()) == 0
    memory = Memory(8, views, 4).double()
    contrastive_loss(views, codes(6, 1), memory, 0.0, 0.0)
    code = codes(6, 2).requires_grad_()
    loss = contrastive_loss(batch(6, 1), code, memory, 0.0, 0.04)
    backward(loss)
    assert float(loss.detach()) == 0
    assert torch.isfinite(not_none(code.grad)).all()


def test_loss_falls_as_rigid_pairs_come_closer() -> None:
    views = batch(8, 0)
    memory = Memory(8, views, 4).double()
    contrastive_loss(views, codes(8, 1), memory, BELOW, ABOVE)
    code = codes(8, 2).requires_grad_()
    loss = contrastive_loss(views, code, memory, BELOW, ABOVE)
    backward(loss)
    assert not_none(code.grad).abs().max() > 0
    memory = Memory(8, views, 4).double()
    contrastive_loss(views, codes(8, 1), memory, BELOW, ABOVE)
    better = contrastive_loss(
        views, code.detach() - 0.1 * not_none(code.grad), memory, BELOW, ABOVE
    )
    assert float(better.detach()) < float(loss.detach())


def test_memory_replaces_the_oldest_and_keeps_images_beside_codes() -> None:
    views = batch(10, 0, hidden=True)
    memory = Memory(6, views, 4).double()
    first, second = views.select(torch.arange(4)), views.select(torch.arange(4, 8))
    memory.store(first, codes(4, 1))
    assert memory.rigidity(second).shape == (4, 4)
    memory.store(second, codes(4, 2))
    assert memory.rigidity(second).shape == (4, 6)
    torch.testing.assert_close(memory.images[:, :, 2:4], first.image[:, :, 2:4])
    torch.testing.assert_close(memory.images[:, :, [4, 5, 0, 1]], second.image)
    torch.testing.assert_close(memory.visible[:, [4, 5, 0, 1]], second.visible)
    torch.testing.assert_close(memory.codes[:, [4, 5, 0, 1]], codes(4, 2))


def test_a_batch_larger_than_the_memory_leaves_its_last_frames() -> None:
    views = batch(10, 0)
    memory = Memory(4, views, 4).double()
    memory.store(views, codes(10, 1))
    torch.testing.assert_close(memory.codes, codes(10, 1)[:, -4:])
    torch.testing.assert_close(memory.images, views.image[:, :, -4:])
