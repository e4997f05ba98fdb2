"""Print whether the cost of a teacher prefers the true depth to the teacher's own (KD, section 4).

The loss of a student is least near the teacher's depth. It helps the student beyond the teacher
only where the cost grows less towards the truth than towards other depths. The least cost of a
depth (eq. 10) tells whether its bound (eq. 14), which students are trained with, is to blame. The
depth of least bound is what a perfect student would learn. For each teacher that a suite keeps, on
the training frames of synthetic_h36m:

python benchmarks/teacher_preference.py results/SUITE/teachers/KEY [...]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from liftbench import Observations, RunContext
from liftbench.plugin.registry import load_registry
from liftbench.plugin.specs import Teacher, TeachingMethod
from liftbench.types import Dataset
from liftbench_plugins.learned.kd.distillation import Distillation, TeacherFrames, teacher_frames

FRAMES = 8400
SEED = 0
WEIGHTS = (0.01, 0.1, 0.3, 0.5)  # of the L1 norm (Table 4)
SHARES = (0.25, 0.5, 0.75, 1.0)
LEAST_FRAMES = 300  # about as many have the least cost found
ROUNDS = 150
DESCENT = 250  # steps to the depth of least bound
_RATE = 3e-3  # of its first step, in the teacher's unit
_EXACT = 1e-8  # how far a depth may be missed, and the least smoothing of a norm


def main(folders: list[Path]) -> None:
    """Print the costs of depths on the way to the truth, to its opposite and to another error."""
    registry = load_registry()
    adapter = registry.datasets["synthetic_h36m"].make(
        frames=FRAMES, seed=SEED, camera="orthographic"
    )
    data = adapter.load(Path(), "all", "train")
    for folder in folders:
        method = json.loads((folder / "fit.json").read_text())["method"]
        spec = registry.methods[method["key"]]
        teacher = cast(TeachingMethod, spec.make(**vars(spec.params(**method["params"]))))
        state = torch.load(folder / "state.pt", weights_only=True)
        context = RunContext(0, "cpu", 1, 1e6, folder, lambda *_: None)
        teacher.restore(state, context)
        print(f"{folder.name[:12]} {method['key']} {method['params']}")
        compare(teacher, data)


def compare(teacher: Teacher, data: Dataset) -> None:
    """Print the costs for one teacher."""
    assert data.truth is not None
    frames = taught_frames(teacher, data.observations)
    distillation = Distillation(torch.from_numpy(teacher.dictionary), frames)
    every = torch.arange(len(frames.code))
    own = distillation.teacher_depth(every)
    error = true_error(own, torch.tensor(data.truth.points_3d[..., 2]), frames)
    other = error[torch.randperm(len(error), generator=torch.Generator().manual_seed(0))]
    other = other * (error.norm(dim=1) / other.norm(dim=1))[:, None]
    print(f"  mean error {millimetres(error, frames):.1f} mm")
    some = every[:: max(1, len(every) // LEAST_FRAMES)]
    ways = {"truth": error, "opposite": -error, "another": other}
    for weight in WEIGHTS:
        for share in SHARES:
            depths = {"teacher": own, **{name: own + share * way for name, way in ways.items()}}
            bound = {name: distillation.loss(depths[name], every, weight) for name in depths}
            print_costs(f"weight {weight}, bound (14), {share:4.0%} of the way", bound)
        least = {n: least_cost(distillation, depths[n][some], some, weight) for n in depths}
        print_costs(f"weight {weight}, least cost (10), 100% of the way", least)
        print_cheapest(distillation, own[some], error[some], some, weight)


def taught_frames(teacher: Teacher, seen: Observations) -> TeacherFrames:
    """Return what the teacher says about the frames, whose points are centred."""
    centred = seen.points_2d - np.nanmean(seen.points_2d, axis=1, keepdims=True)
    return teacher_frames(
        torch.from_numpy(teacher.codes(seen)),
        torch.from_numpy(teacher.cameras(seen)),
        torch.from_numpy(centred),
        torch.tensor(seen.visible),
        seen.skeleton.root,
    )


def least_cost(distillation: Distillation, depth: Tensor, frames: Tensor, weight: float) -> Tensor:
    """Return the least cost (B,) of depths (B, P) over all codes of these depths (eq. 10).

    By iteratively reweighted least squares: each round replaces both norms by squares that touch
    them at the last code. All points must be visible.
    """
    flat, deep, image = linear_system(distillation, frames)
    rows = torch.cat([flat, deep], dim=1)
    wanted = torch.cat([image, depth[:, 1:] - depth[:, :1]], dim=1)
    size, error = torch.ones_like(rows[:, 0]), torch.ones_like(rows[:, 0, 0])
    for number in range(ROUNDS):
        damping = torch.full_like(wanted, _EXACT)
        damping[:, : flat.shape[1]] = (weight * error)[:, None]
        weighed = rows * size[:, None]
        system = weighed @ rows.transpose(1, 2) + torch.diag_embed(damping)
        code = (weighed.transpose(1, 2) @ torch.linalg.solve(system, wanted)[..., None])[..., 0]
        residual = (flat @ code[..., None])[..., 0] - image
        smoothing = max(0.9**number, _EXACT)
        size, error = code.abs() + smoothing, residual.norm(dim=1) + smoothing
    cost: Tensor = residual.norm(dim=1) + weight * code.abs().sum(dim=1)
    return cost


def print_cheapest(
    distillation: Distillation, own: Tensor, error: Tensor, frames: Tensor, weight: float
) -> None:
    """Print how far the depth of least bound is from the teacher's, and from the truth."""
    taught = distillation.frames.select(frames)
    change = taught.relative(cheapest_depth(distillation, own, frames, weight) - own)
    moved, before, after = (millimetres(x, taught) for x in (change, error, error - change))
    print(
        f"  weight {weight}, depth of least bound (14): {moved:.1f} mm from the teacher's, "
        f"{after:.1f} mm from the truth (teacher {before:.1f})"
    )


def cheapest_depth(
    distillation: Distillation, start: Tensor, frames: Tensor, weight: float
) -> Tensor:
    """Return the depths (B, P) of least bound, which is convex, by descent from others."""
    depth = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([depth], _RATE)
    for step in range(DESCENT):
        optimiser.param_groups[0]["lr"] = _RATE * (1 - step / DESCENT)
        optimiser.zero_grad()
        distillation.loss(depth, frames, weight).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return depth.detach()


def linear_system(distillation: Distillation, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return B_xy (B, 2P, K), B_z from the first point (B, P - 1, K) and the images w (B, 2P).

    B_xy and w are about the mean of the points (eqs. 6, 7).
    """
    taught = distillation.frames.select(frames)
    atoms = distillation.dictionary.view(taught.image.shape[1], 3, -1)
    rotated = torch.einsum("pik,bij->bpjk", atoms, taught.rotation)
    flat = rotated[:, :, :2] - rotated[:, :, :2].mean(dim=1, keepdim=True)
    image = taught.image - taught.image.mean(dim=1, keepdim=True)
    return flat.flatten(1, 2), rotated[:, 1:, 2] - rotated[:, :1, 2], image.flatten(1)


def print_costs(title: str, costs: dict[str, Tensor]) -> None:
    """Print mean costs, and in which share of frames the truth is cheaper than the others."""
    means = ", ".join(f"{name} {cost.mean():.4f}" for name, cost in costs.items())
    shares = ", ".join(
        f"{name} {100 * (costs['truth'] < cost).double().mean():.1f} %"
        for name, cost in costs.items()
        if name != "truth"
    )
    print(f"  {title}: {means}; truth cheaper than {shares}")


def true_error(own: Tensor, depth: Tensor, frames: TeacherFrames) -> Tensor:
    """Return the true depths minus the teacher's (F, P), from those of the reference points.

    The sign of the whole fit is open; the one with the smaller error counts.
    """
    scaled = depth / frames.scale[:, None]
    ways = [frames.relative(sign * scaled - own) for sign in (1, -1)]
    return min(ways, key=lambda error: float(error.abs().mean()))


def millimetres(error: Tensor, frames: TeacherFrames) -> float:
    """Return the mean absolute error in the unit of the data."""
    return float((error.abs() * frames.scale[:, None]).mean())


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit("usage: python benchmarks/teacher_preference.py TEACHER_FOLDER [...]")
    main([Path(word) for word in sys.argv[1:]])
