"""The reprojection error of a pose and a deformation, and its derivatives, from moments (eq. 4)."""

from __future__ import annotations

from dataclasses import dataclass

import roma
import torch
from torch import Tensor

from liftbench_plugins.learned.ttp.layer.moments import Moments
from liftbench_plugins.learned.ttp.layer.pose import GENERATORS, SYMMETRIC, PoseObjective


@dataclass(frozen=True, eq=False)
class Estimate:
    """Poses and deformations of B images.

    Attributes:
        rotation: R (B, 3, 3).
        coefficients: c (B, K).
    """

    rotation: Tensor
    coefficients: Tensor

    def move(self, step: Tensor) -> Estimate:
        """Return the estimate after a step (B, 3 + K): a rotation vector, then a change of c."""
        turn = roma.rotvec_to_rotmat(step[:, :3])
        return Estimate(turn @ self.rotation, self.coefficients + step[:, 3:])

    def nudge(self, step: Tensor) -> Estimate:
        """Return the estimate after a step (B, 3 + K) so small that its square does not count."""
        zero = torch.zeros_like(step[:, 0])
        x, y, z = step[:, :3].unbind(dim=1)
        skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).view(-1, 3, 3)
        return Estimate(self.rotation + skew @ self.rotation, self.coefficients + step[:, 3:])

    def where(self, condition: Tensor, other: Estimate) -> Estimate:
        """Return this estimate where a condition (B,) holds, else the other."""
        return Estimate(
            torch.where(condition[:, None, None], self.rotation, other.rotation),
            torch.where(condition[:, None], self.coefficients, other.coefficients),
        )

    def choose(self, choices: Tensor) -> Estimate:
        """Return, of several estimates for each of B images, those with the given numbers (B,)."""
        items = choices * len(choices) + torch.arange(len(choices), device=choices.device)
        return Estimate(self.rotation[items], self.coefficients[items])

    def detach(self) -> Estimate:
        """Return the estimate without its history."""
        return Estimate(self.rotation.detach(), self.coefficients.detach())


@dataclass(frozen=True, eq=False)
class Objective:
    """Half of eq. 4 with the best translation, as a function of rotation and coefficients.

    Attributes:
        moments: of the points.
        scale: s (B,) of eq. 1.
        gamma: (B,), weight of the squared coefficients.
    """

    moments: Moments
    scale: Tensor
    gamma: Tensor

    def detach(self) -> Objective:
        """Return the objective without its history."""
        return Objective(self.moments.detach(), self.scale.detach(), self.gamma.detach())

    def value(self, estimate: Estimate) -> Tensor:
        """Return half of eq. 4 (B,)."""
        model = self._projection(estimate)
        squares = ((model @ self.moments.model) * model).sum(dim=(1, 2))
        product = (model * self.moments.cross.transpose(1, 2)).sum(dim=(1, 2))
        error = self.moments.image - 2 * self.scale * product + self.scale.square() * squares
        return 0.5 * (error + self.gamma * estimate.coefficients.square().sum(dim=1))

    def gradient(self, estimate: Estimate) -> Tensor:
        """Return the derivative (B, 3 + K) along steps of `Estimate.move`."""
        residual = self._residual(estimate)
        slopes = self._slopes(estimate)
        along = torch.einsum("bpim,bmi->bp", slopes, residual)
        return torch.cat(
            [
                -self.scale[:, None] * along[:, :3],
                self.gamma[:, None] * estimate.coefficients - self.scale[:, None] * along[:, 3:],
            ],
            dim=1,
        )

    def gauss_newton(self, estimate: Estimate) -> Tensor:
        """Return the part (B, 3 + K, 3 + K) of the Hessian without second derivatives."""
        slopes = self._slopes(estimate)
        steps = slopes.shape[1]
        seen = (slopes.flatten(1, 2) @ self.moments.model).view(len(slopes), steps, -1)
        matrix = self.scale.square()[:, None, None] * (seen @ slopes.flatten(2).transpose(1, 2))
        ridge = torch.zeros_like(matrix[:, 0])
        ridge[:, 3:] = self.gamma[:, None]
        return matrix + torch.diag_embed(ridge)

    def hessian(self, estimate: Estimate) -> Tensor:
        """Return the second derivatives (B, 3 + K, 3 + K) along steps of `Estimate.move`."""
        shares = _with_template(estimate.coefficients)
        by_shape = torch.unflatten(self._residual(estimate), 1, (self.moments.shapes, 3))
        turned = torch.einsum("bac,bkci->bkai", estimate.rotation, by_shape)
        whole = torch.einsum("bk,bkai->bai", shares, turned)
        generators, products = _generators(turned)
        of_pose = torch.einsum("jlia,bai->bjl", products[:, :, :2], whole)
        mixed = torch.einsum("jia,bkai->bjk", generators[:, :2], turned[:, 1:])
        of_shape = mixed.new_zeros(len(mixed), mixed.shape[2], mixed.shape[2])
        rows = torch.cat([of_pose, mixed], dim=2), torch.cat([mixed.transpose(1, 2), of_shape], 2)
        return self.gauss_newton(estimate) - self.scale[:, None, None] * torch.cat(rows, dim=1)

    def repeat(self, count: int) -> Objective:
        """Return the objective of the same images several times, one after the other."""
        scale, gamma = self.scale.repeat(count), self.gamma.repeat(count)
        return Objective(self.moments.repeat(count), scale, gamma)

    def of_pose(self, coefficients: Tensor) -> PoseObjective:
        """Return the error of given shapes, as a function of the rotation alone."""
        shares = _with_template(coefficients)
        model = torch.unflatten(torch.unflatten(self.moments.model, 1, (-1, 3)), 3, (-1, 3))
        cross = torch.unflatten(self.moments.cross, 1, (-1, 3))
        return PoseObjective(
            torch.einsum("bk,bkalc,bl->bac", shares, model, shares),
            torch.einsum("bk,bkai->bai", shares, cross),
            self.scale,
        )

    def best_coefficients(self, rotation: Tensor) -> Tensor:
        """Return the coefficients (B, K) of least error for given rotations (eq. 7)."""
        camera, scale = rotation[:, :2], self.scale[:, None, None]
        model = torch.unflatten(torch.unflatten(self.moments.model, 1, (-1, 3)), 3, (-1, 3))[:, 1:]
        cross = torch.unflatten(self.moments.cross, 1, (-1, 3))[:, 1:]
        seen = torch.einsum("bkalc,bia,bic->bkl", model, camera, camera)
        found = torch.einsum("bkai,bia->bk", cross, camera)
        ridge = torch.diag_embed(self.gamma[:, None].expand_as(found))
        right = self.scale[:, None] * found - self.scale.square()[:, None] * seen[..., 0]
        return solve_damped(scale.square() * seen[..., 1:] + ridge, right)

    def translation(self, estimate: Estimate) -> Tensor:
        """Return the best translation (B, 2) in the unit of the shapes."""
        shares = _with_template(estimate.coefficients)
        means = torch.unflatten(self.moments.model_mean, 1, (-1, 3))
        mean = torch.einsum("bia,bk,bka->bi", estimate.rotation[:, :2], shares, means)
        return self.moments.image_mean / self.scale[:, None] - mean

    def _projection(self, estimate: Estimate) -> Tensor:
        """Return the map (B, 2, M) from the coordinates of a point to its position, over s."""
        shares = _with_template(estimate.coefficients)
        return torch.einsum("bia,bk->bika", estimate.rotation[:, :2], shares).flatten(2)

    def _residual(self, estimate: Estimate) -> Tensor:
        """Return the moments (B, M, 2) of coordinates and reprojection errors."""
        seen = self.moments.model @ self._projection(estimate).transpose(1, 2)
        return self.moments.cross - self.scale[:, None, None] * seen

    def _slopes(self, estimate: Estimate) -> Tensor:
        """Return the derivatives (B, 3 + K, 2, M) of `_projection` along steps."""
        shares = _with_template(estimate.coefficients)
        generators, _ = _generators(shares)
        turned = torch.einsum("jia,bac->bjic", generators[:, :2], estimate.rotation)
        of_pose = torch.einsum("bjia,bk->bjika", turned, shares)
        each = torch.eye(self.moments.shapes).to(shares)[1:]
        of_shape = torch.einsum("bia,lk->blika", estimate.rotation[:, :2], each)
        return torch.cat([of_pose, of_shape], dim=1).flatten(3)


def solve_damped(matrix: Tensor, right: Tensor, damping: float = 1e-12) -> Tensor:
    """Return X (B, L) with A X = right for matrices A (B, L, L) that are at least semidefinite.

    A small multiple of the largest diagonal entry is added, so that a singular system has the
    short solution. The solution is 0 where A is 0 or not semidefinite.
    """
    if not right.shape[1]:
        return right
    largest = matrix.diagonal(dim1=1, dim2=2).amax(dim=1)
    ridge = torch.where(largest > 0, damping * largest, 1)
    diagonal = ridge[:, None].expand_as(right)
    factor, failed = torch.linalg.cholesky_ex(matrix + torch.diag_embed(diagonal))
    sound = (failed == 0)[:, None]
    factor = torch.where(sound[..., None], factor, torch.eye(right.shape[1]).to(factor))
    return torch.cholesky_solve(torch.where(sound, right, 0)[..., None], factor)[..., 0]


def _with_template(coefficients: Tensor) -> Tensor:
    """Return the shares (B, K + 1) of template and basis in the shapes."""
    return torch.nn.functional.pad(coefficients, (1, 0), value=1.0)


def _generators(like: Tensor) -> tuple[Tensor, Tensor]:
    """Return [e_j]x (3, 3, 3) and the symmetric parts of their products (3, 3, 3, 3)."""
    return GENERATORS.to(like), SYMMETRIC.to(like)
