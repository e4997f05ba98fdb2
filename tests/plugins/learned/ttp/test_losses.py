"""The losses against loops, and what they do at the edge of what is defined."""

from __future__ import annotations

import numpy as np
import pytest
import roma
import torch
from tests.plugins.learned.conftest import backward, draw
from torch import Tensor

from liftbench_plugins.learned.ttp.losses import (
    coverage_loss,
    cycle_loss,
    distance_fields,
    outside_loss,
    point_loss,
    turn_loss,
    visibility_loss,
)

SIZE = 12


def one_mask() -> np.ndarray[tuple[int, int, int], np.dtype[np.bool_]]:
    masks = np.zeros((2, SIZE, SIZE), dtype=bool)
    masks[0, 3:6, 4:9] = True
    return masks


def test_the_field_is_the_distance_from_the_nearest_pixel_of_the_mask() -> None:
    fields, inside = distance_fields(one_mask()), np.argwhere(one_mask()[0])
    for row, column in np.ndindex(SIZE, SIZE):
        expected = np.linalg.norm(inside - [row, column], axis=1).min()
        assert float(fields[0, row, column]) == pytest.approx(expected, rel=1e-6)
    assert not fields[1].any()


def test_positions_outside_the_mask_are_pulled_to_it() -> None:
    fields = distance_fields(one_mask())
    positions = torch.tensor([[[4.5, 3.5], [6.5, 9.5]], [[1.0, 1.0], [5.0, 5.0]]])
    positions.requires_grad_()
    loss = outside_loss(positions, fields)
    # The second point is four rows below the last one of the mask.
    assert loss.tolist() == pytest.approx([2.0, 0.0])
    backward(loss.sum())
    assert positions.grad is not None
    assert positions.grad[0, 1].tolist() == pytest.approx([0.0, 0.5])
    assert not positions.grad[1].any()


def test_positions_beyond_the_picture_are_pulled_back() -> None:
    fields = distance_fields(one_mask())
    positions = torch.tensor([[[SIZE + 40.0, 4.5]], [[-9.5, 5.0]]], requires_grad=True)
    loss = outside_loss(positions, fields)
    assert loss.tolist() == pytest.approx([40.5 + 3.0, 10.0])
    backward(loss.sum())
    assert positions.grad is not None
    assert positions.grad[:, 0].tolist() == [[1.0, 0.0], [-1.0, 0.0]]


def test_coverage_is_the_mean_distance_from_the_nearest_position() -> None:
    positions, samples = draw(2, 5, 2), draw(2, 7, 2, seed=1)
    found = coverage_loss(positions, samples, torch.tensor([True, False]))
    nearest = [min(float((p - u).square().sum().sqrt()) for u in positions[0]) for p in samples[0]]
    assert found.tolist() == pytest.approx([np.mean(nearest), 0.0], rel=1e-5)


def test_cycle_and_visibility_equal_their_loops() -> None:
    one, two = draw(2, 5, 2), draw(2, 5, 2, seed=1)
    cycle = [
        np.mean([float((u - p).square().sum()) for u, p in zip(a, b, strict=True)])
        for a, b in zip(one, two, strict=True)
    ]
    assert cycle_loss(one, two).tolist() == pytest.approx(cycle)
    shown, seen = draw(2, 5).sigmoid(), draw(2, 5, seed=2) > 0
    gaps = [
        np.mean([abs(float(v) - float(s)) for v, s in zip(a, b, strict=True)])
        for a, b in zip(shown, seen, strict=True)
    ]
    assert visibility_loss(shown, seen).tolist() == pytest.approx(gaps)


def test_the_turn_is_the_angle_between_rotations() -> None:
    vectors = torch.nn.functional.normalize(draw(6, 3)) * torch.linspace(0.1, 3.0, 6)[:, None]
    start = roma.unitquat_to_rotmat(torch.nn.functional.normalize(draw(6, 4, seed=1)))
    found = turn_loss(start, roma.rotvec_to_rotmat(vectors) @ start)
    torch.testing.assert_close(found, torch.linspace(0.1, 3.0, 6).double())


def test_the_turn_has_a_finite_gradient_everywhere() -> None:
    start = torch.eye(3).expand(2, 3, 3).clone().requires_grad_()
    other = torch.stack([torch.eye(3), torch.diag(torch.tensor([1.0, -1.0, -1.0]))])
    backward(turn_loss(start, other).sum())
    assert start.grad is not None
    assert bool(start.grad.isfinite().all())


@pytest.mark.parametrize("hidden", [[], [1, 3], [0, 1, 2, 3]])
def test_hidden_points_do_not_count(hidden: list[int]) -> None:
    found, expected = draw(1, 4, 2), draw(1, 4, 2, seed=1)
    visible = torch.ones(1, 4, dtype=torch.bool)
    visible[0, hidden] = False
    expected[0, hidden] = torch.nan
    errors = [float((found[0, p] - expected[0, p]).abs().sum()) for p in range(4) if visible[0, p]]
    loss: Tensor = point_loss(found, expected, visible)
    assert float(loss) == pytest.approx(np.mean(errors) if errors else 0.0)
