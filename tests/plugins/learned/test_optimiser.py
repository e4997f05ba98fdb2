from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from tests.plugins.learned.conftest import backward, draw
from torch import Tensor, nn

from liftbench_plugins.learned.optimiser import (
    OPTIMISERS,
    MomentumDescent,
    MuonAndAdam,
    Optimiser,
)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.matrix = nn.Parameter(torch.randn(6, 4, generator=generator))
        self.row = nn.Parameter(torch.randn(1, 4, generator=generator))
        self.bias = nn.Parameter(torch.randn(6, generator=generator))

    def loss(self) -> Tensor:
        return (self.matrix @ self.row[0] + self.bias).square().sum()


def take_steps(
    network: Network, optimiser: Optimiser, steps: int, rate: float = 0.01
) -> list[Tensor]:
    for _ in range(steps):
        optimiser.zero_grad()
        backward(network.loss())
        optimiser.step(rate)
    return [parameter.detach().clone() for parameter in network.parameters()]


def test_a_matrix_moves_equally_far_in_all_directions_and_about_as_far_as_under_adam() -> None:
    network = Network()
    gradient = torch.diag_embed(torch.tensor([1.0, 0.1, 0.03, 0.3]))
    gradient = torch.cat([gradient, torch.zeros(2, 4)])
    before = network.matrix.detach().clone()
    optimiser = MuonAndAdam(network)
    backward((network.matrix * gradient).sum())
    optimiser.step(0.01)
    change = before - network.matrix.detach()
    sizes = torch.linalg.svdvals(change)
    # 0.2 sqrt(6) times the rate; Newton-Schulz stops between 0.5 and 1.5 times that.
    assert ((sizes > 0.0024) & (sizes < 0.0075)).all()
    assert (change.diagonal() > 0).all()


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_a_kernel_takes_the_steps_of_the_matrix_of_its_rows(order: torch.memory_format) -> None:
    kernel = nn.Conv2d(3, 4, 5, bias=False).to(memory_format=order)  # type: ignore[call-overload]
    matrix = nn.Linear(75, 4, bias=False)
    before = draw(4, 75).float() / 10
    with torch.no_grad():
        kernel.weight.copy_(before.view(4, 3, 5, 5))
        matrix.weight.copy_(before)
    picture = draw(2, 3, 5, 5, seed=1).float()
    for network, seen in ((kernel, picture), (matrix, picture.flatten(1))):
        optimiser = MuonAndAdam(network)
        for _ in range(3):
            optimiser.zero_grad()
            backward((network(seen).flatten(1) - 1).square().sum())
            optimiser.step(0.01)
    expected = matrix.weight.detach() - before
    gap = kernel.weight.detach().flatten(1) - before - expected
    # Muon calculates in bfloat16, which rounds in another way if columns come in another order.
    assert float(gap.norm()) < 0.1 * float(expected.norm())


def test_kernels_of_one_input_channel_take_steps_of_adam() -> None:
    network = nn.Conv2d(4, 4, 3, groups=4, bias=False)
    before = network.weight.detach().clone()
    optimiser = MuonAndAdam(network)
    backward((network.weight * draw(4, 1, 3, 3).float()).sum())
    optimiser.step(0.01)
    change = (network.weight.detach() - before).abs()
    torch.testing.assert_close(change, torch.full_like(before, 0.01))


def test_vectors_and_rows_take_steps_of_adam() -> None:
    network = Network()
    before = [network.row.detach().clone(), network.bias.detach().clone()]
    take_steps(network, MuonAndAdam(network), steps=1)
    for old, new in zip(before, (network.row, network.bias), strict=True):
        torch.testing.assert_close((old - new).abs(), torch.full_like(old, 0.01))


def test_plain_adam_takes_the_steps_of_torchs_for_all_parameters() -> None:
    network, same = Network(), Network()
    found = take_steps(network, OPTIMISERS["adam"](network), 3)
    adam = torch.optim.Adam(same.parameters(), lr=0.01)
    for _ in range(3):
        adam.zero_grad()
        backward(same.loss())
        adam.step()
    torch.testing.assert_close(found, [p.detach() for p in same.parameters()])


def test_a_rate_of_zero_changes_nothing() -> None:
    network = Network()
    before = [parameter.detach().clone() for parameter in network.parameters()]
    after = take_steps(network, MuonAndAdam(network), steps=2, rate=0.0)
    torch.testing.assert_close(after, before, rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["row", "matrix"])
def test_a_network_may_have_one_kind_of_parameter_alone(kind: str) -> None:
    only = nn.Parameter(torch.ones(1, 3) if kind == "row" else torch.eye(3))
    network = nn.ParameterList([only])
    optimiser = MuonAndAdam(network)
    backward(only.sum())
    optimiser.step(0.1)
    assert only.sum() < 3


def test_momentum_descent_takes_the_steps_of_its_formula() -> None:
    network = Network()
    expected = [parameter.detach().clone() for parameter in network.parameters()]
    velocities = [torch.zeros_like(parameter) for parameter in expected]
    for _ in range(4):
        copy = Network()
        for parameter, value in zip(copy.parameters(), expected, strict=True):
            parameter.data.copy_(value)
        backward(copy.loss())
        for parameter, value, velocity in zip(copy.parameters(), expected, velocities, strict=True):
            assert parameter.grad is not None
            velocity.mul_(0.9).add_(parameter.grad + 0.05 * value)
            value.sub_(0.01 * velocity)
    found = take_steps(network, MomentumDescent(network, 0.9, 0.05), steps=4)
    torch.testing.assert_close(found, expected)


def momentum_descent(network: nn.Module) -> Optimiser:
    return MomentumDescent(network, 0.9, 0.05)


@pytest.mark.parametrize("make", [MuonAndAdam, momentum_descent])
def test_a_training_continues_from_the_saved_state_and_from_nothing_less(
    make: Callable[[nn.Module], Optimiser],
) -> None:
    whole = Network()
    expected = take_steps(whole, make(whole), steps=6)
    first = Network()
    optimiser = make(first)
    take_steps(first, optimiser, steps=3)
    second = Network()
    second.load_state_dict(first.state_dict())
    resumed = make(second)
    resumed.load_state_dict(optimiser.state_dict())
    torch.testing.assert_close(take_steps(second, resumed, steps=3), expected, rtol=0, atol=0)
    restarted = Network()
    restarted.load_state_dict(first.state_dict())
    without = take_steps(restarted, make(restarted), steps=3)
    for one, other in zip(without, expected, strict=True):
        assert not torch.equal(one, other)
