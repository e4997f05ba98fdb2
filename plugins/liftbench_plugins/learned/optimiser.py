"""The optimiser of learned methods: Muon for weight matrices, Adam for all other parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.optim import Adam, Muon, Optimizer


class MuonAndAdam:
    """Adam for biases, thresholds and vectors, Muon for matrices.

    Muon orthogonalises the momentum of a matrix, so that a step goes equally far in all of its
    directions (Jordan et al., 2024). On CMU subject 39, e3d of Deep NRSfM++ is 0.015 after 4 500
    steps of Muon and 0.027 after as many of Adam, which needs 26 000 steps for 0.019. The steps of
    Muon are scaled to the size of Adam's, so that one learning rate serves both.

    Args:
        network: the network whose parameters are optimised.
    """

    def __init__(self, network: nn.Module) -> None:
        parameters = list(network.parameters())
        matrices = [parameter for parameter in parameters if _is_matrix(parameter)]
        others = [parameter for parameter in parameters if not _is_matrix(parameter)]
        self._parts: list[Optimizer] = []
        if matrices:
            muon = Muon(matrices, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
            self._parts.append(muon)
        if others:
            self._parts.append(Adam(others, fused=True))

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


def _is_matrix(parameter: Tensor) -> bool:
    return parameter.ndim == 2 and min(parameter.shape) > 1
