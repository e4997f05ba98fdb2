"""First guesses of rotations and coefficients, from moments alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import roma
import torch
from torch import Tensor

from liftbench_plugins.learned.ttp.layer.objective import Estimate, Objective, solve_damped

Start = Literal["affine", "twin", "rank_one", "random"]
"""The guesses that there are, see `make_starts`."""
_DAMPING = 1e-9


def make_starts(
    objective: Objective, names: tuple[Start, ...], generator: torch.Generator | None
) -> Estimate:
    """Return estimates for B images, first all with the first name, then with the second, ...

    - `affine`: the rotation nearest to the best affine camera of the undeformed template.
    - `twin`: the same before the template's mirror image at its flattest side. A flat body has two
      poses that look nearly alike.
    - `rank_one`: rotation and coefficients from the best camera of its own for every shape.
    - `random`: a uniformly random rotation.
    """
    made = [_MAKERS[name](objective, generator) for name in names]
    return Estimate(
        torch.cat([start.rotation for start in made]),
        torch.cat([start.coefficients for start in made]),
    )


def _affine(objective: Objective, _: torch.Generator | None) -> Estimate:
    return _without_deformation(objective, nearest_camera(_affine_camera(objective)))


def _twin(objective: Objective, _: torch.Generator | None) -> Estimate:
    camera = _affine_camera(objective)
    flattest = torch.linalg.eigh(objective.moments.model[:, :3, :3]).eigenvectors[..., 0]
    along = (camera @ flattest[..., None]) * flattest[:, None]
    return _without_deformation(objective, nearest_camera(camera - 2 * along))


def _rank_one(objective: Objective, _: torch.Generator | None) -> Estimate:
    moments = objective.moments
    cameras = torch.unflatten(_cameras(moments.model, moments.cross), 2, (moments.shapes, 3))
    rows = cameras.permute(0, 2, 1, 3).flatten(2)
    left, _, right = torch.linalg.svd(rows, full_matrices=False)
    shares = left[..., 0]
    first = shares[:, :1]
    some = first.abs() > _DAMPING
    coefficients = torch.where(some, shares[:, 1:] / torch.where(some, first, 1), 0)
    camera = right[:, 0].view(-1, 2, 3) * torch.where(first < 0, -1, 1)[..., None]
    return Estimate(nearest_camera(camera), coefficients)


def _random(objective: Objective, generator: torch.Generator | None) -> Estimate:
    like = objective.scale
    drawn = torch.randn(len(like), 4, generator=generator).to(like)
    return _without_deformation(
        objective, roma.unitquat_to_rotmat(drawn / drawn.norm(dim=1, keepdim=True))
    )


def nearest_camera(camera: Tensor) -> Tensor:
    """Return the rotations (B, 3, 3) whose first two rows are nearest to matrices (B, 2, 3)."""
    third = torch.linalg.cross(camera[:, 0], camera[:, 1])
    # The third row must not decide, whatever the size of the camera is.
    size = torch.linalg.vector_norm(camera, dim=(1, 2))
    length = torch.linalg.vector_norm(third, dim=1)
    third = third * (size / length.clamp_min(torch.finfo(camera.dtype).tiny))[:, None]
    nearest: Tensor = roma.special_procrustes(torch.cat([camera, third[:, None]], dim=1))
    return nearest


def _without_deformation(objective: Objective, rotation: Tensor) -> Estimate:
    return Estimate(rotation, rotation.new_zeros(len(rotation), objective.moments.shapes - 1))


def _affine_camera(objective: Objective) -> Tensor:
    """Return the affine cameras (B, 2, 3) of least error of the undeformed template."""
    moments = objective.moments
    return _cameras(moments.model[:, :3, :3], moments.cross[:, :3])


def _cameras(model: Tensor, cross: Tensor) -> Tensor:
    """Return the least-squares maps (B, 2, L) from L coordinates to image positions."""
    sides = [solve_damped(model, side, _DAMPING) for side in cross.unbind(dim=2)]
    return torch.stack(sides, dim=1)


_MAKERS: Mapping[Start, Callable[[Objective, torch.Generator | None], Estimate]] = {
    "affine": _affine,
    "twin": _twin,
    "rank_one": _rank_one,
    "random": _random,
}
