"""A network that corrects lifted points by what the picture shows along edges."""

from __future__ import annotations

import torch
from tests.plugins.learned.conftest import seeded
from torch import nn

from liftbench_plugins.learned.kd import PicturePointParams
from liftbench_plugins.learned.kd.picture_points_network import PicturePointsNetwork
from liftbench_plugins.learned.pictures.strips import LENGTH, WIDTH

P, E, B = 3, 2, 5
POINTS, VISIBLE = torch.rand(B, P, 2, generator=seeded()), torch.ones(B, P)
STRIPS = torch.randn(B, E, LENGTH * WIDTH, generator=seeded())


def network() -> PicturePointsNetwork:
    return PicturePointsNetwork(P, E, PicturePointParams(hidden=16, features=4), seeded())


def test_without_a_correction_it_is_the_points_only_network() -> None:
    net = network()
    nn.init.zeros_(net.correction.last.weight)
    torch.testing.assert_close(net(POINTS, VISIBLE, STRIPS), net.trunk(POINTS, VISIBLE))


def test_each_strip_can_correct_the_points() -> None:
    net = network()
    nn.init.normal_(net.correction.last.weight, generator=seeded())
    found = net(POINTS, VISIBLE, STRIPS)
    for edge in range(E):
        other = STRIPS.clone()
        other[:, edge] = 0
        assert not torch.allclose(net(POINTS, VISIBLE, other), found)


def test_the_correction_does_not_change_the_points_only_network() -> None:
    """Else it would learn to be wrong where strips, learned by heart, are right."""
    net = network()
    net.trunk.last.weight.data.normal_(generator=seeded())
    change = net(POINTS, VISIBLE, STRIPS) - net.trunk(POINTS, VISIBLE).detach()
    net.zero_grad()
    whole = net(POINTS, VISIBLE, STRIPS).sum()
    whole.backward()
    given = [p.grad.clone() for p in net.trunk.parameters() if p.grad is not None]
    net.zero_grad()
    net.trunk(POINTS, VISIBLE).sum().backward()
    alone = [p.grad for p in net.trunk.parameters() if p.grad is not None]
    assert change.abs().max() > 0
    for one, two in zip(given, alone, strict=True):
        torch.testing.assert_close(one, two)


def test_in_training_it_does_without_some_strips_and_features() -> None:
    """What is left out is made up for in the mean."""
    net = network()
    values = torch.rand(4000, 2, 3, generator=seeded()) + 0.1
    generator = seeded()
    for each in ((1,), (3,)):
        left = net._leave_out(values, each, generator)
        kept = left != 0
        torch.testing.assert_close(left, torch.where(kept, 2 * values, 0))
        assert abs(float(kept.float().mean()) - 0.5) < 0.02
        assert bool(kept.all(dim=2).eq(kept.any(dim=2)).all()) == (each == (1,))
    assert net._leave_out(values, (1,), None) is values


def test_it_is_the_same_each_time_outside_of_training() -> None:
    net = network()
    nn.init.normal_(net.correction.last.weight, generator=seeded())
    first, second = (net(POINTS, VISIBLE, STRIPS) for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    drawn = net(POINTS, VISIBLE, STRIPS, seeded())
    assert not torch.allclose(drawn, first)
