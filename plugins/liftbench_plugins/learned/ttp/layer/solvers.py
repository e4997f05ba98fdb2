"""The ways to a pose and a deformation: joint descent, and turns of both as in the paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from liftbench_plugins.learned.ttp.layer.descent import descend_by_stages
from liftbench_plugins.learned.ttp.layer.lbfgs import fit_poses
from liftbench_plugins.learned.ttp.layer.moments import Moments, take_moments
from liftbench_plugins.learned.ttp.layer.objective import Estimate, Objective, solve_damped
from liftbench_plugins.learned.ttp.layer.pose import PoseObjective, descend_pose

_STEPS = 12


@dataclass(frozen=True, eq=False)
class Images:
    """What a fit explains.

    Attributes:
        positions: u (B, N, 2).
        visibility: v (B, N).
        template: T (N, 3).
        basis: (K, N, 3).
    """

    positions: Tensor
    visibility: Tensor
    template: Tensor
    basis: Tensor

    def repeat(self, count: int) -> Images:
        """Return the same images several times, one after the other."""
        positions, visibility = self.positions.repeat(count, 1, 1), self.visibility.repeat(count, 1)
        return Images(positions, visibility, self.template, self.basis)

    def moments(self) -> Moments:
        """Return the moments of the points."""
        return take_moments(self.positions, self.visibility, self.template, self.basis)

    def shape(self, coefficients: Tensor) -> Tensor:
        """Return T + B c (B, N, 3)."""
        return self.template + torch.einsum("bk,kna->bna", coefficients, self.basis)


def solve_jointly(
    objective: Objective, _: Images, start: Estimate, stages: tuple[float, ...]
) -> Estimate:
    """Return pose and deformation where the derivative along both is 0."""
    fixed = objective.detach()
    with torch.no_grad():
        optimum = descend_by_stages(fixed, start, stages, _STEPS)
        hessian = fixed.hessian(optimum)
    return optimum.nudge(-solve_damped(hessian, objective.gradient(optimum)))


FindPose = Callable[[PoseObjective, Images, Estimate], Tensor]
"""From the error of given shapes, and an estimate with these shapes, to the best rotations."""


def solve_in_turns(
    objective: Objective, images: Images, start: Estimate, iterations: int, find_pose: FindPose
) -> Estimate:
    """Return pose and deformation after turns of both (eqs. 5 to 7)."""
    estimate = start
    for _ in range(iterations):
        posed = objective.of_pose(estimate.coefficients)
        with torch.no_grad():
            best = find_pose(posed.detach(), images, estimate.detach())
            hessian, _ = posed.curvatures(best)
        # The implicit function theorem: the derivative along the pose stays 0 (section 3.2).
        pose = Estimate(best, start.coefficients[:, :0])
        rotation = pose.nudge(-solve_damped(hessian, posed.gradient(best))).rotation
        estimate = Estimate(rotation, objective.best_coefficients(rotation))
    return estimate


def pose_by_descent(objective: PoseObjective, _: Images, estimate: Estimate) -> Tensor:
    """Find the rotation of given shapes by Newton's method on moments."""
    return descend_pose(objective, estimate.rotation, _STEPS)


def pose_by_lbfgs(objective: PoseObjective, images: Images, estimate: Estimate) -> Tensor:
    """Find the rotation of given shapes by L-BFGS on all points, as the paper does."""
    return fit_poses(
        images.positions.detach(),
        images.visibility.detach(),
        images.shape(estimate.coefficients).detach(),
        objective.scale,
        estimate.rotation,
    )
