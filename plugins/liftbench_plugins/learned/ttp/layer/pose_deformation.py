"""The layer of To The Point: pose and deformation that explain image positions best (eqs. 3-7)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from liftbench_plugins.learned.ttp.layer.objective import Estimate, Objective
from liftbench_plugins.learned.ttp.layer.solvers import (
    Images,
    pose_by_descent,
    pose_by_lbfgs,
    solve_in_turns,
    solve_jointly,
)
from liftbench_plugins.learned.ttp.layer.starts import Start, make_starts

Solver = Literal["joint", "alternating", "lbfgs"]
_FEWEST_POINTS = 4
_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class Fit:
    """Poses and shapes of B images.

    Attributes:
        rotation: R (B, 3, 3).
        translation: t (B, 2), in the unit of the shapes.
        scale: s (B,), from this unit to that of the image.
        coefficients: c (B, K).
        shape: T + B c (B, N, 3).
        determined: (B,), false where fewer than four points are visible.
    """

    rotation: Tensor
    translation: Tensor
    scale: Tensor
    coefficients: Tensor
    shape: Tensor
    determined: Tensor

    def take(self, items: slice) -> Fit:
        """Return the poses and shapes of some images."""
        return Fit(*(getattr(self, part.name)[items] for part in fields(self)))

    def project(self, points: Tensor) -> Tensor:
        """Return the image positions (B, P, 2) of points (B, P, 3) of the shapes (eq. 2)."""
        return self.place(points)[..., :2]

    def place(self, points: Tensor) -> Tensor:
        """Return points (B, P, 3) of the shapes before the camera, in the unit of the image.

        Depth, along the third axis, is from the origin of the shapes.
        """
        shift = pad(self.translation, (0, 1))
        return self.scale[:, None, None] * (points @ self.rotation.mT + shift[:, None])


class PoseDeformation(nn.Module):
    """Finds pose and deformation from image positions; differentiable with respect to all inputs.

    Args:
        solver: `joint` moves pose and deformation together; `alternating` takes turns, as the paper
            does (eqs. 5 to 7); `lbfgs` is the same with the paper's optimiser for the pose.
        iterations: turns of pose and deformation of `alternating` and `lbfgs`.
        starts: first guesses, of which the best result counts.
        stages: for `joint`, weights of the coefficients that are added at first, see
            `descend_by_stages`.
    """

    def __init__(
        self,
        solver: Solver = "joint",
        iterations: int = 4,
        starts: tuple[Start, ...] = ("affine", "twin"),
        stages: tuple[float, ...] = (1.0, 0.01),
    ) -> None:
        super().__init__()
        self.solver, self.iterations = solver, iterations
        self.starts, self.stages = starts, stages

    def forward(
        self,
        positions: Tensor,
        visibility: Tensor,
        template: Tensor,
        basis: Tensor,
        gamma: Tensor,
        scale: Tensor | None = None,
        previous: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Fit:
        """Return pose, deformation and shape of B images.

        Gradients follow from the implicit function theorem at the optimum, with the whole Hessian;
        where nothing is visible they are 0.

        Args:
            positions: u (B, N, 2).
            visibility: v (B, N), from 0 to 1.
            template: T (N, 3).
            basis: (K, N, 3); K = 0 fits the pose alone.
            gamma: weight of the squared coefficients, a number.
            scale: s (B,); None: the standard deviation of each image's positions (eq. 1).
            previous: (B, 3, 3), rotations that images without visible points keep; None: identity.
            generator: draws random starts, on the CPU.
        """
        images = Images(*(part.double() for part in (positions, visibility, template, basis)))
        size = deviation(images.positions) if scale is None else scale.double()
        weight = gamma.double().expand(len(positions))
        objective = Objective(images.moments(), size, weight)
        with torch.no_grad():
            start = self._choose_start(objective.detach(), images, previous, generator)
        estimate = self._solve(objective, images, start)
        shape = images.shape(estimate.coefficients)
        return Fit(
            estimate.rotation.to(positions),
            objective.translation(estimate).to(positions),
            size.to(positions),
            estimate.coefficients.to(positions),
            shape.to(positions),
            determined=(visibility > 0).sum(dim=1) >= _FEWEST_POINTS,
        )

    def _choose_start(
        self,
        objective: Objective,
        images: Images,
        previous: Tensor | None,
        generator: torch.Generator | None,
    ) -> Estimate:
        """Return the start of every image whose result is best."""
        starts, visible = make_starts(objective, self.starts, generator), images.visibility
        chosen, count = starts, len(self.starts)
        if count > 1:
            objective, images = objective.repeat(count), images.repeat(count)
            results = self._solve(objective, images, starts)
            least = objective.value(results).view(count, -1).argmin(dim=0)
            # Joint descent has arrived; turns must start again, to be differentiated as a whole.
            chosen = (results if self.solver == "joint" else starts).choose(least)
        seen = visible.sum(dim=1) > 0
        axes = torch.eye(3).to(chosen.rotation).expand_as(chosen.rotation)
        kept = axes if previous is None else previous.double()
        return chosen.where(seen, Estimate(kept, torch.zeros_like(chosen.coefficients)))

    def _solve(self, objective: Objective, images: Images, start: Estimate) -> Estimate:
        if self.solver == "joint":
            return solve_jointly(objective, images, start, self.stages)
        pose = pose_by_descent if self.solver == "alternating" else pose_by_lbfgs
        return solve_in_turns(objective, images, start, self.iterations, pose)


def deviation(positions: Tensor) -> Tensor:
    """Return the standard deviation (B,) of image positions (B, N, 2) about their mean."""
    return (positions - positions.mean(dim=1, keepdim=True)).square().mean(dim=(1, 2)).sqrt()


def affine_scale(positions: Tensor, visibility: Tensor, template: Tensor) -> Tensor:
    """Return the scale (B,) of the affine projection of the template that is nearest to positions.

    It is s where the positions are s R T + t, from whatever side. The standard deviation of the
    positions is larger where a long template is seen from its side.

    Args:
        positions: u (B, N, 2).
        visibility: v (B, N), from 0 to 1.
        template: T (N, 3).
    """
    weight = visibility[..., None] / visibility.sum(dim=1).clamp_min(_LEAST)[:, None, None]
    flat = positions - (weight * positions).sum(dim=1, keepdim=True)
    solid = template - (weight * template).sum(dim=1, keepdim=True)
    spread = solid.mT @ (weight * solid) + _LEAST * torch.eye(3).to(solid)
    camera = torch.linalg.solve(spread, solid.mT @ (weight * flat))
    scale: Tensor = (camera.square().sum(dim=(1, 2)) / 2 + _LEAST**2).sqrt()
    return scale
