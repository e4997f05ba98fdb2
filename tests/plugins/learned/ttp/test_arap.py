"""Rigidity against loops over vertices, and motions that it must not see."""

from __future__ import annotations

import numpy as np
import pytest
import roma
import torch
from scipy.spatial.transform import Rotation
from tests.plugins.learned.conftest import backward, draw
from tests.plugins.learned.ttp.conftest import closed_mesh
from torch import Tensor

from liftbench_plugins.learned.ttp.arap import find_neighbours, rigidity_loss


def loss_by_loop(template: Tensor, shape: Tensor, faces: Tensor) -> float:
    """Return the loss of one shape, vertex by vertex."""
    before, after = template.numpy(), shape.numpy()
    weights: dict[tuple[int, int], float] = {}
    for triangle in faces.tolist():
        for k in range(3):
            at, i, j = (triangle[(k + n) % 3] for n in range(3))
            one, two = before[i] - before[at], before[j] - before[at]
            cotangent = one @ two / np.linalg.norm(np.cross(one, two))
            for pair in ((i, j), (j, i)):
                weights[pair] = weights.get(pair, 0.0) + cotangent / 2
    total = 0.0
    for vertex in range(len(before)):
        pairs = [(pair, max(0.0, w)) for pair, w in weights.items() if pair[0] == vertex]
        old = np.array([before[i] - before[j] for (i, j), _ in pairs])
        new = np.array([after[i] - after[j] for (i, j), _ in pairs])
        weight = np.array([w for _, w in pairs])
        turn = Rotation.align_vectors(new, old, weights=weight)[0].as_matrix()
        total += float((weight * np.linalg.norm(new - old @ turn.T, axis=1)).sum())
    return total / len(before)


def test_rigid_motions_cost_nothing() -> None:
    body, faces = closed_mesh(60)
    turns = roma.unitquat_to_rotmat(torch.nn.functional.normalize(draw(5, 4)))
    moved = body @ turns.transpose(1, 2) + draw(5, 1, 3, seed=1)
    loss = rigidity_loss(body, moved, find_neighbours(body, faces))
    torch.testing.assert_close(loss, torch.zeros(5).double(), rtol=0, atol=1e-7)


def test_deformations_cost_what_a_loop_over_vertices_says() -> None:
    body, faces = closed_mesh(60)
    shapes = body * torch.tensor([1.2, 1.0, 0.8]) + 0.05 * draw(3, 60, 3)
    loss = rigidity_loss(body, shapes, find_neighbours(body, faces))
    expected = [loss_by_loop(body, shape, faces) for shape in shapes]
    assert loss.tolist() == pytest.approx(expected, rel=1e-5)
    assert bool((loss > 0.01).all())


def test_a_descent_step_lowers_the_loss() -> None:
    body, faces = closed_mesh(60)
    neighbours = find_neighbours(body, faces)
    shape = (body + 0.05 * draw(1, 60, 3)).requires_grad_()
    before = rigidity_loss(body, shape, neighbours)
    backward(before.sum())
    assert shape.grad is not None
    after = rigidity_loss(body, shape.detach() - 0.02 * shape.grad, neighbours)
    assert float(after.detach()) < float(before.detach())


def test_the_template_itself_has_a_finite_gradient() -> None:
    body, faces = closed_mesh(60)
    shape = body[None].clone().requires_grad_()
    backward(rigidity_loss(body, shape, find_neighbours(body, faces)).sum())
    assert shape.grad is not None
    assert bool(shape.grad.isfinite().all())


def test_triangles_without_area_are_named() -> None:
    body, faces = closed_mesh(60)
    body[faces[7, 1]] = body[faces[7, 0]]
    with pytest.raises(ValueError, match=r"^triangle \d+ of the mesh has no area"):
        find_neighbours(body, faces)
