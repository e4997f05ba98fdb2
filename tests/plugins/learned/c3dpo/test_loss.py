"""The losses of C3DPO against their formulas."""

from __future__ import annotations

import math

import pytest
import roma
import torch
from tests.plugins.learned.c3dpo.scenes import FRAMES, POINTS, make_network, make_views
from tests.plugins.learned.conftest import seeded
from torch import Tensor

from liftbench_plugins.learned.c3dpo import loss
from liftbench_plugins.learned.c3dpo.loss import (
    canonicalisation_loss,
    pseudo_huber,
    reprojection_loss,
    rotate_image,
)
from liftbench_plugins.learned.c3dpo.network import C3dpoNetwork, Factors


@pytest.mark.parametrize("distance", [0.0, 1e-3, 0.01, 1.0, 50.0])
def test_pseudo_huber_is_its_formula(distance: float) -> None:
    found = float(pseudo_huber(torch.tensor(distance**2, dtype=torch.float64)))
    expected = (math.sqrt(1 + (distance / 0.01) ** 2) - 1) * 0.01
    assert found == pytest.approx(expected, rel=1e-9)
    assert found <= distance


def test_rotations_in_the_image_keep_lengths_and_turn_at_most_an_eighth_of_pi() -> None:
    points = torch.randn(1000, POINTS, 2, generator=seeded(2), dtype=torch.float64)
    turned = rotate_image(points, seeded(3))
    torch.testing.assert_close(turned.norm(dim=2), points.norm(dim=2))
    cross = points[:, 0, 0] * turned[:, 0, 1] - points[:, 0, 1] * turned[:, 0, 0]
    angle = torch.atan2(cross, (points[:, 0] * turned[:, 0]).sum(dim=1))
    assert 0 <= float(angle.min()) < 0.01
    assert math.pi / 8 - 0.01 < float(angle.max()) <= math.pi / 8 + 1e-12


def test_the_reprojection_loss_takes_rotations_of_one_copy_and_coefficients_of_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, (points, visible) = make_network(), make_views()
    copies: list[Tensor] = []

    def factorise(both: Tensor, shown: Tensor) -> Factors:
        copies.append(both)
        return C3dpoNetwork.factorise(network, both, shown)

    monkeypatch.setattr(network, "factorise", factorise)
    found, shape = reprojection_loss(network, points, visible, seeded(4))
    first, second = torch.split(copies[0], FRAMES)
    factors = C3dpoNetwork.factorise(network, copies[0], torch.cat([visible, visible]))
    expected_shape = network.shapes(factors.coefficients[FRAMES:])
    torch.testing.assert_close(shape, expected_shape)
    total = torch.zeros((), dtype=torch.float64)
    for frame in range(FRAMES):
        seen = (expected_shape[frame] @ factors.rotation[frame])[:, :2]
        shown = visible[frame] > 0
        apart = seen[shown] - seen[shown].mean(dim=0) - first[frame][shown]
        total = total + pseudo_huber(apart.square().sum(dim=1)).sum()
    torch.testing.assert_close(found, total / visible.sum())
    assert not torch.allclose(first, second)


def test_the_loss_is_zero_for_a_network_that_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phi that finds the true rotation and Psi that undoes any leave no loss."""
    network, visible = make_network(), torch.ones(FRAMES, POINTS, dtype=torch.float64)
    shape = torch.randn(FRAMES, POINTS, 3, generator=seeded(5), dtype=torch.float64)
    shape = shape - shape.mean(dim=1, keepdim=True)
    monkeypatch.setattr(loss, "rotate_image", lambda points, _: points)
    monkeypatch.setattr(network, "shapes", lambda _: shape)
    identity = torch.eye(3, dtype=torch.float64).expand(2 * FRAMES, 3, 3)
    monkeypatch.setattr(
        network, "factorise", lambda points, _: Factors(points[:, :, 0], identity[: len(points)])
    )
    found, _ = reprojection_loss(network, shape[..., :2], visible, seeded())
    assert float(found.detach()) < 1e-12
    monkeypatch.setattr(network, "canonicalise", lambda _: shape.repeat(4, 1, 1))
    assert float(canonicalisation_loss(network, shape, seeded()).detach()) < 1e-12


def test_psi_sees_four_uniformly_turned_copies_of_each_shape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = make_network()
    shape = torch.randn(FRAMES, POINTS, 3, generator=seeded(6), dtype=torch.float64)
    given: list[Tensor] = []

    def canonicalise(turned: Tensor) -> Tensor:
        given.append(turned)
        return torch.zeros_like(turned)

    monkeypatch.setattr(network, "canonicalise", canonicalise)
    found = canonicalisation_loss(network, shape, seeded(7))
    copies = given[0].view(4, FRAMES, POINTS, 3)
    lengths = torch.cdist(shape, shape)
    for copy in copies:
        torch.testing.assert_close(torch.cdist(copy, copy), lengths)
        rotation = roma.rigid_points_registration(shape, copy)[0]
        assert roma.is_rotation_matrix(rotation, epsilon=1e-6)
    assert not torch.allclose(copies[0], copies[1])
    torch.testing.assert_close(found, pseudo_huber(shape.square().sum(dim=2)).mean())
