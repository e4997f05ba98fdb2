"""The optimisers of learned methods: Muon with Adam, and gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, Adam, Muon, Optimizer

from liftbench_plugins.learned import OptimiserName


class Optimiser:
    """Changes the parameters of a network, with a learning rate that each step sets.

    Args:
        parts: torch's optimisers, of different types, of parts of the network.
    """

    def __init__(self, parts: Sequence[Optimizer]) -> None:
        self._parts = tuple(parts)

    def zero_grad(self) -> None:
        """Clear the gradients."""
        for optimiser in self._parts:
            optimiser.zero_grad()

    def step(self, learning_rate: float) -> None:
        """Change the parameters by their gradients."""
        for optimiser in self._parts:
            for group in optimiser.param_groups:
                group["lr"] = learning_rate
            optimiser.step()

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {type(optimiser).__name__: optimiser.state_dict() for optimiser in self._parts}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from the state of a checkpoint."""
        for optimiser in self._parts:
            optimiser.load_state_dict(state[type(optimiser).__name__])


class MuonAndAdam(Optimiser):
    """Adam for biases, thresholds and vectors, Muon for matrices and kernels of convolutions.

    A kernel is a matrix with a row per output channel. Kernels of one input channel go to Adam.

    Muon orthogonalises the momentum of a matrix, so that a step goes equally far in all of its
    directions (Jordan et al., 2024). On CMU subject 39, e3d of Deep NRSfM++ is 0.015 after 4 500
    steps of Muon and 0.027 after as many of Adam, which needs 26 000 steps for 0.019. The steps of
    Muon are scaled to the size of Adam's, so that one learning rate serves both.

    Args:
        network: the network whose parameters are optimised.
    """

    def __init__(self, network: nn.Module) -> None:
        parameters = list(network.parameters())
        self._kernels = [(kernel, _as_matrix(kernel)) for kernel in filter(_is_kernel, parameters)]
        matrices = [parameter for parameter in parameters if _is_matrix(parameter)]
        others = [p for p in parameters if not (_is_matrix(p) or _is_kernel(p))]
        matrices += [matrix for _, matrix in self._kernels]
        parts: list[Optimizer] = []
        if matrices:
            muon = Muon(matrices, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
            parts.append(muon)
        if others:
            parts.append(Adam(others, fused=True))
        super().__init__(parts)

    def zero_grad(self) -> None:
        """Clear the gradients."""
        super().zero_grad()
        for kernel, _ in self._kernels:
            kernel.grad = None

    def step(self, learning_rate: float) -> None:
        """Change the parameters by their gradients."""
        for kernel, matrix in self._kernels:
            slope = kernel.grad
            matrix.grad = None if slope is None else slope.permute(_order(kernel)).flatten(1)
        super().step(learning_rate)


class PlainAdam(Optimiser):
    """Adam for all parameters.

    Args:
        network: the network whose parameters are optimised.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__([Adam(network.parameters(), fused=True)])


OPTIMISERS: Mapping[OptimiserName, Callable[[nn.Module], Optimiser]] = {
    "muon": MuonAndAdam,
    "adam": PlainAdam,
}
"""The optimisers of a network by the name that recipes give them."""


class MomentumDescent(Optimiser):
    """Stochastic gradient descent of all parameters.

    Args:
        network: the network whose parameters are optimised.
        momentum: share of the last step that is added to the next.
        weight_decay: share of each parameter that is added to its gradient.
    """

    def __init__(self, network: nn.Module, momentum: float, weight_decay: float) -> None:
        parameters = network.parameters()
        super().__init__([SGD(parameters, momentum=momentum, weight_decay=weight_decay)])


class ClippedAdam(Optimiser):
    """Adam on gradients of limited length.

    For losses that solve for something, whose gradients have no limit where it is hardly
    determined. A gradient that is not finite is left out.

    Args:
        network: the network whose parameters are optimised.
        largest: the norm that the gradient of all parameters together keeps.
    """

    def __init__(self, network: nn.Module, largest: float) -> None:
        self._parameters, self._largest = list(network.parameters()), largest
        super().__init__([Adam(self._parameters)])

    def step(self, learning_rate: float) -> None:
        """Change the parameters by their gradients."""
        norm = clip_grad_norm_(self._parameters, self._largest)
        if bool(norm.isfinite()):
            super().step(learning_rate)


def _is_matrix(parameter: Tensor) -> bool:
    return parameter.ndim == 2 and min(parameter.shape) > 1


def _is_kernel(parameter: Tensor) -> bool:
    return parameter.ndim == 4 and min(parameter.shape[:2]) > 1


def _as_matrix(kernel: nn.Parameter) -> nn.Parameter:
    """Return a parameter in the same memory, so that a step of one changes the other."""
    return nn.Parameter(kernel.detach().permute(_order(kernel)).view(len(kernel), -1))


def _order(kernel: Tensor) -> list[int]:
    """Return the axes of a kernel, the output channels first, the others as they lie in memory."""
    return [0, *sorted(range(1, kernel.ndim), key=kernel.stride, reverse=True)]
