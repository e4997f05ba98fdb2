"""Print whether the cost of a teacher prefers the true depth to the teacher's own (KD, section 4).

The loss of a student is least near the teacher's depth. It helps the student beyond the teacher
only where the cost grows less towards the truth than towards other depths. For each teacher that a
suite keeps, on the training frames of synthetic_h36m:

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

from liftbench import RunContext
from liftbench.plugin.registry import load_registry
from liftbench.plugin.specs import Teacher, TeachingMethod
from liftbench.types import Dataset
from liftbench_plugins.learned.kd.distillation import Distillation, TeacherFrames, teacher_frames

FRAMES = 8400
SEED = 0
WEIGHTS = (0.01, 0.3)  # of the L1 norm: the teacher's own, and the student's
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


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
    seen, true = data.observations, data.truth
    assert true is not None
    centred = seen.points_2d - np.nanmean(seen.points_2d, axis=1, keepdims=True)
    frames = teacher_frames(
        torch.from_numpy(teacher.codes(seen)),
        torch.from_numpy(teacher.cameras(seen)),
        torch.from_numpy(centred),
        torch.tensor(seen.visible),
        seen.skeleton.root,
    )
    distillation = Distillation(torch.from_numpy(teacher.dictionary), frames)
    every = torch.arange(len(frames.code))
    own = distillation.teacher_depth(every)
    error = true_error(own, torch.tensor(true.points_3d[..., 2]), frames)
    other = error[torch.randperm(len(error), generator=torch.Generator().manual_seed(0))]
    other = other * (error.norm(dim=1) / other.norm(dim=1))[:, None]
    print(f"  mean error {millimetres(error, frames):.1f} mm")
    for weight in WEIGHTS:
        ways = {"truth": error, "opposite": -error, "another": other}
        costs = {
            name: [distillation.loss(own + share * way, every, weight) for share in SHARES]
            for name, way in ways.items()
        }
        for name, along in costs.items():
            means = " ".join(f"{cost.mean():.4f}" for cost in along)
            print(f"  weight {weight}: cost at {SHARES} of the way to {name:8s} {means}")
        truth = costs["truth"]
        print(
            f"  weight {weight}: truth cheaper than the teacher in {percent(truth[-1], truth[0])}"
        )
        for name in ("opposite", "another"):
            print(f"  weight {weight}: ... than {name} in {percent(truth[-1], costs[name][-1])}")


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


def percent(less: Tensor, more: Tensor) -> str:
    """Return in which share of frames one cost is below the other."""
    return f"{100 * (less < more).double().mean():.1f} %"


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit("usage: python benchmarks/teacher_preference.py TEACHER_FOLDER [...]")
    main([Path(word) for word in sys.argv[1:]])
