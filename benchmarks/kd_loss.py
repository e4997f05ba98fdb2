"""Print how much of a student's training step the loss of KD takes.

The student is that of `kd` in its suites, on random pictures; all steps take turns in one run,
because the machine's speed drifts: python benchmarks/kd_loss.py
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from liftbench_plugins.learned.kd.distillation import Distillation, teacher_frames
from liftbench_plugins.learned.kd.targets import DepthTarget, DistillationTarget, Target
from liftbench_plugins.learned.pictures.backbones import make_backbone
from liftbench_plugins.learned.pictures.integral_regression import (
    HeatMapShape,
    IntegralRegression,
)
from step_times import median_seconds, training_step

POINTS, ATOMS, BATCH, WEIGHT = 17, 256, 32, 0.3
WIDTH, CELL, SIZES = 0.5, 8, (64, 96)
FRAMES = 1000


def main() -> None:
    """Time the loss by itself, steps with it, and steps with the depths of the teacher."""
    torch.set_num_threads(1)
    distillation = _distillation()
    everything = torch.arange(FRAMES)
    taught = DepthTarget(distillation.frames, distillation.teacher_depth(everything))
    steps = {"loss of kd alone": _loss_alone(DistillationTarget(distillation, WEIGHT))}
    for size in SIZES:
        steps[f"kd, {size} px"] = _student_step(DistillationTarget(distillation, WEIGHT), size)
        steps[f"kd_weaksup, {size} px"] = _student_step(taught, size)
    seconds = median_seconds(steps)
    print(f"P={POINTS}, K={ATOMS}, batch {BATCH}, 1 thread, CPU time of a step")
    for name, time in seconds.items():
        print(f"{name:18} {1000 * time:8.2f} ms")
    alone = seconds["loss of kd alone"]
    for size in SIZES:
        print(f"loss of kd / step of kd, {size} px: {alone / seconds[f'kd, {size} px']:.4f}")


def _distillation() -> Distillation:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    dictionary = draw(POINTS, 3, ATOMS)
    dictionary = (dictionary - dictionary.mean(dim=0)).flatten(end_dim=1)
    cameras = torch.linalg.qr(draw(FRAMES, 3, 2)).Q
    shown = torch.ones(FRAMES, POINTS, dtype=torch.bool)
    frames = teacher_frames(draw(FRAMES, ATOMS), cameras, draw(FRAMES, POINTS, 2), shown, 0)
    return Distillation(dictionary, frames)


def _loss_alone(target: Target) -> Callable[[], None]:
    generator = torch.Generator().manual_seed(1)
    coordinates = torch.randn(BATCH, POINTS, 3, generator=generator).requires_grad_()

    def step() -> None:
        torch.autograd.backward(target.loss(coordinates, torch.arange(BATCH)).mean())

    return step


def _student_step(target: Target, size: int) -> Callable[[], None]:
    generator = torch.Generator().manual_seed(2)
    backbone = make_backbone("resnet18", WIDTH, "", generator)
    shape = HeatMapShape(size, CELL, WIDTH, bfloat16=True)
    network = IntegralRegression(backbone, POINTS, shape, generator)
    pictures = torch.randn(BATCH, 3, size, size, generator=generator)

    def loss() -> Tensor:
        return target.loss(network(pictures) / size, torch.arange(BATCH)).mean()

    return training_step(network, loss)


if __name__ == "__main__":
    main()
