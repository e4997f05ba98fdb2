"""Damped descent to the pose and deformation of least reprojection error, for all images."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from liftbench_plugins.learned.ttp.layer.objective import Estimate, Objective

_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-3, 1e-12, 1e8
_EASIER, _HARDER = 0.2, 8.0
_POLISHING = 3
_STILL = 1e-10
_LEAST_RATIO, _TINY = 1e-6, 1e-30


def descend(objective: Objective, estimate: Estimate, steps: int) -> Estimate:
    """Return estimates after damped Gauss-Newton steps, and then some of Newton's method.

    The damping of each image shrinks after a step that lowers its error, and grows after one that
    is refused (Levenberg, Marquardt). Steps with the whole Hessian at the end bring the gradient
    to zero where residuals remain.

    Args:
        objective: what falls.
        estimate: where to start.
        steps: the most steps of Gauss-Newton.
    """
    value = objective.value(estimate)
    damping = torch.full_like(value, _FIRST_DAMPING)
    for number in range(steps + _POLISHING):
        newton = number >= steps
        matrix = objective.hessian(estimate) if newton else objective.gauss_newton(estimate)
        step = _step(matrix, objective.gradient(estimate), damping)
        moved = estimate.move(step)
        after = objective.value(moved)
        better = after <= value
        estimate = moved.where(better, estimate)
        value = torch.where(better, after, value)
        damping = damping * torch.where(better, _EASIER, _HARDER)
        damping = damping.clamp(_LEAST_DAMPING, _MOST_DAMPING)
        if not bool((step.abs() > _STILL).any()):
            break
    return estimate


def descend_by_stages(
    objective: Objective, estimate: Estimate, stages: tuple[float, ...], steps: int
) -> Estimate:
    """Return estimates after descents with ever smaller weights of the coefficients.

    Args:
        objective: of the last descent.
        estimate: where to start.
        stages: added weights, in units of what the basis contributes to the error; they fall.
        steps: of each descent.
    """
    unit = _stiffness(objective)
    for stage in stages:
        eased = replace(objective, gamma=objective.gamma + stage * unit)
        estimate = descend(eased, estimate, steps)
    return descend(objective, estimate, steps)


def _step(matrix: Tensor, gradient: Tensor, damping: Tensor) -> Tensor:
    """Return -(A + damping diag(A))^-1 gradient; no step where this is not positive definite."""
    diagonal = matrix.diagonal(dim1=1, dim2=2).abs()
    floor = _LEAST_RATIO * diagonal.amax(dim=1, keepdim=True).clamp_min(_TINY)
    ridge = damping[:, None] * torch.maximum(diagonal, floor)
    factor, failed = torch.linalg.cholesky_ex(matrix + torch.diag_embed(ridge))
    step = -torch.cholesky_solve(gradient[..., None], factor)[..., 0]
    return torch.where((failed == 0)[:, None] & step.isfinite(), step, 0)


def _stiffness(objective: Objective) -> Tensor:
    """Return the mean weight (B,) that the data gives to a squared coefficient."""
    diagonal = objective.moments.model.diagonal(dim1=1, dim2=2)[:, 3:]
    shapes = max(1, objective.moments.shapes - 1)
    return objective.scale.square() * diagonal.sum(dim=1) * (2 / 3 / shapes)
