"""The paper's solver of the pose (eq. 5): L-BFGS over rotation vectors and translations."""

from __future__ import annotations

import roma
import torch
from torch import Tensor

# Of the authors; the search ends where gradient or change are smaller.
_STEPS, _LEAST_GRADIENT, _LEAST_CHANGE = 100, 1e-7, 1e-9


def fit_poses(
    positions: Tensor, visibility: Tensor, shape: Tensor, scale: Tensor, rotation: Tensor
) -> Tensor:
    """Return the rotations (B, 3, 3) of least reprojection error of given shapes.

    One search with a strong Wolfe line search serves the whole batch.

    Args:
        positions: u (B, N, 2).
        visibility: v (B, N).
        shape: (B, N, 3).
        scale: s (B,).
        rotation: (B, 3, 3), where the search starts; the translation starts at the best one.
    """
    with torch.enable_grad():
        turn = roma.rotmat_to_rotvec(rotation).requires_grad_()
        seen = shape @ rotation[:, :2].transpose(1, 2)
        gap = positions / scale[:, None, None] - seen
        share = visibility / visibility.sum(dim=1, keepdim=True).clamp_min(1e-12)
        shift = (share[..., None] * gap).sum(dim=1).requires_grad_()
        optimiser = torch.optim.LBFGS(
            [turn, shift],
            max_iter=_STEPS,
            tolerance_grad=_LEAST_GRADIENT,
            tolerance_change=_LEAST_CHANGE,
            line_search_fn="strong_wolfe",
        )

        def loss() -> Tensor:
            optimiser.zero_grad()
            camera = roma.rotvec_to_rotmat(turn)[:, :2]
            found = shape @ camera.transpose(1, 2) + shift[:, None]
            error = (positions - scale[:, None, None] * found).square().sum(dim=2)
            total: Tensor = (visibility * error).sum()
            torch.autograd.backward(total)
            return total

        optimiser.step(loss)  # type: ignore[no-untyped-call]
    found: Tensor = roma.rotvec_to_rotmat(turn.detach())
    return found
