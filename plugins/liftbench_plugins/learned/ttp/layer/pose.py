"""The pose of given shapes (eq. 5): three unknowns per image, in few and small products."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-4, 1e-12, 1e8
_EASIER, _HARDER = 0.1, 10.0
_STILL = 1e-6  # Newton steps square this


@dataclass(frozen=True, eq=False)
class PoseObjective:
    """Half of eq. 4 with the best translation, without what the rotation does not change.

    Attributes:
        scatter: (B, 3, 3), weighted second moments of the points of the shapes.
        cross: (B, 3, 2), the same of points and image positions.
        scale: s (B,).
    """

    scatter: Tensor
    cross: Tensor
    scale: Tensor

    def detach(self) -> PoseObjective:
        """Return the objective without its history."""
        return PoseObjective(self.scatter.detach(), self.cross.detach(), self.scale.detach())

    def value(self, rotation: Tensor) -> Tensor:
        """Return the error (B,), up to a constant."""
        camera = rotation[:, :2]
        half = 0.5 * self.scale[:, None, None] * (camera @ self.scatter)
        gap = half - self.cross.transpose(1, 2)
        return self.scale * (gap * camera).sum(dim=(1, 2))

    def gradient(self, rotation: Tensor) -> Tensor:
        """Return the derivative (B, 3) along rotation vectors, which turn after the rotation."""
        return -self.scale[:, None] * (self._residual(rotation).flatten(1) @ _to(_SLOPE, rotation))

    def curvatures(self, rotation: Tensor) -> tuple[Tensor, Tensor]:
        """Return the Hessian (B, 3, 3), and its part without second derivatives."""
        turned = (rotation @ self.scatter @ rotation.transpose(1, 2)).flatten(1)
        positive = self.scale.square()[:, None] * (turned @ _to(_SQUARE, rotation))
        bend = self.scale[:, None] * (self._residual(rotation).flatten(1) @ _to(_BEND, rotation))
        return (positive - bend).view(-1, 3, 3), positive.view(-1, 3, 3)

    def _residual(self, rotation: Tensor) -> Tensor:
        """Return moments (B, 3, 2) of turned points and reprojection errors."""
        seen = self.scatter @ rotation[:, :2].transpose(1, 2)
        return rotation @ (self.cross - self.scale[:, None, None] * seen)


def descend_pose(objective: PoseObjective, rotation: Tensor, steps: int) -> Tensor:
    """Return rotations (B, 3, 3) after damped steps of Newton's method.

    Where the Hessian is not positive definite, its positive part takes its place.
    """
    value = objective.value(rotation)
    damping = torch.full_like(value, _FIRST_DAMPING)
    for _ in range(steps):
        step = _step(*objective.curvatures(rotation), objective.gradient(rotation), damping)
        moved = turn_by(step) @ rotation
        after = objective.value(moved)
        better = after <= value
        rotation = torch.where(better[:, None, None], moved, rotation)
        value = torch.where(better, after, value)
        damping = (damping * torch.where(better, _EASIER, _HARDER)).clamp(
            _LEAST_DAMPING, _MOST_DAMPING
        )
        if not bool((step.abs() > _STILL).any()):
            break
    return rotation


def _step(hessian: Tensor, positive: Tensor, gradient: Tensor, damping: Tensor) -> Tensor:
    largest = positive.diagonal(dim1=1, dim2=2).amax(dim=1).clamp_min(1e-30)
    ridge = torch.diag_embed((damping * largest)[:, None].expand_as(gradient))
    factor, failed = torch.linalg.cholesky_ex(hessian + ridge)
    if bool(failed.any()):
        safe, _ = torch.linalg.cholesky_ex(positive + ridge)
        factor = torch.where((failed > 0)[:, None, None], safe, factor)
    return -torch.cholesky_solve(gradient[..., None], factor)[..., 0]


def turn_by(vectors: Tensor) -> Tensor:
    """Return rotations (B, 3, 3) that are those of rotation vectors (B, 3) to the second order.

    The Cayley transform, which needs no sine.
    """
    skew = (vectors @ _to(GENERATORS, vectors).flatten(1)).view(-1, 3, 3)
    share = 1 / (4 + vectors.square().sum(dim=1))[:, None, None]
    return torch.eye(3).to(vectors) + share * (4 * skew + 2 * skew @ skew)


def _to(constant: Tensor, like: Tensor) -> Tensor:
    return constant.to(like)


def _generators() -> Tensor:
    axes = torch.eye(3, dtype=torch.float64).expand(3, 3, 3)
    products: Tensor = torch.linalg.cross(axes.transpose(0, 1), axes).transpose(1, 2)
    return products


GENERATORS = _generators()
"""[e_j]x (3, 3, 3): rotations by small w are I + sum_j w_j G_j + sum_jl w_j w_l G_j G_l / 2."""
_PRODUCTS = torch.einsum("jab,lbc->jlac", GENERATORS, GENERATORS)
SYMMETRIC = (_PRODUCTS + _PRODUCTS.transpose(0, 1)) / 2
"""Of the products G_j G_l (3, 3, 3, 3), what counts for second derivatives."""
_SEEN = GENERATORS[:, :2]
# Linear maps from what turns to slopes, and from residuals and scatter to second derivatives.
_SLOPE = torch.einsum("jia->aij", _SEEN).reshape(6, 3)
_SQUARE = torch.einsum("jia,lib->abjl", _SEEN, _SEEN).reshape(9, 9)
_BEND = torch.einsum("jlia->aijl", SYMMETRIC[:, :, :2]).reshape(6, 9)
