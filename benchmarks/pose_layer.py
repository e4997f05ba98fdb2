"""Print how long the layer of To The Point takes, forward and backward, by solver and size.

The solvers take turns in one run, because the machine's speed drifts. `lbfgs` is the paper's
(section 3.2), from a random start as there; its 4 iterations took 125 ms an image (Table 5). The
others start in closed form:
python benchmarks/pose_layer.py
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from liftbench_plugins.learned.ttp.layer.pose_deformation import PoseDeformation, Solver
from liftbench_plugins.learned.ttp.layer.starts import Start
from step_times import median_seconds

POINTS, SHAPES, BATCH, ITERATIONS = 642, 16, 8, 4
CLOSED_FORM: tuple[Start, ...] = ("affine", "twin")


def main() -> None:
    """Time the solvers in turn, then the quickest at other sizes; print medians and ratios."""
    torch.set_num_threads(1)
    print(f"N={POINTS}, K={SHAPES}, batch {BATCH}, {ITERATIONS} iterations, 1 thread, CPU time")
    seconds = median_seconds(
        {
            "alternating": _pass("alternating", BATCH, POINTS),
            "joint": _pass("joint", BATCH, POINTS),
            "lbfgs": _pass("lbfgs", BATCH, POINTS, ("random",)),
            "batch x 4": _pass("alternating", 4 * BATCH, POINTS),
            "points x 4": _pass("alternating", BATCH, 4 * POINTS),
        }
    )
    for name, time in seconds.items():
        print(f"{name:12}{1000 * time:8.1f} ms")
    for name in ("lbfgs", "batch x 4", "points x 4"):
        print(f"alternating / {name}: {seconds['alternating'] / seconds[name]:.3f}")


def _pass(
    solver: Solver, batch: int, points: int, starts: tuple[Start, ...] = CLOSED_FORM
) -> Callable[[], None]:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    template = draw(points, 3)
    basis = (0.1 * draw(SHAPES, points, 3)).requires_grad_()
    positions = (0.5 * template[:, :2] + 0.1 * draw(batch, points, 2)).requires_grad_()
    visible, gamma = torch.ones(batch, points), torch.ones(())
    layer = PoseDeformation(solver, ITERATIONS, starts)

    def step() -> None:
        fit = layer(positions, visible, template, basis, gamma, generator=generator)
        torch.autograd.backward(fit.place(fit.shape).square().sum())

    return step


if __name__ == "__main__":
    main()
