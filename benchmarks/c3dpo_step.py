"""Print how long a training step of C3DPO takes, beside that of its plain port.

The networks take turns in one run, because the machine's speed drifts:
python benchmarks/c3dpo_step.py
"""

from __future__ import annotations

import torch
from torch import Tensor

from liftbench_plugins.learned.c3dpo import C3dpoParams
from liftbench_plugins.learned.c3dpo.loss import canonicalisation_loss, reprojection_loss
from liftbench_plugins.learned.c3dpo.network import C3dpoNetwork
from plain_c3dpo import plain_loss
from step_times import median_seconds, training_step

POINTS, BATCH = 31, 128


def main() -> None:
    """Time the steps in turn; print their medians and their ratio."""
    torch.set_num_threads(1)
    points = torch.randn(BATCH, POINTS, 2, generator=_seeded())
    visible = torch.ones(BATCH, POINTS)
    params = C3dpoParams()
    ours, plain = _network(params), _network(params)
    generator = _seeded()

    def our_loss() -> Tensor:
        loss, shape = reprojection_loss(ours, points, visible, generator)
        return loss + canonicalisation_loss(ours, shape, generator)

    steps = {
        "ours": training_step(ours, our_loss),
        "plain port": training_step(plain, lambda: plain_loss(plain, points, visible, generator)),
    }
    seconds = median_seconds(steps)
    print(f"width {params.width}, P={POINTS}, batch {BATCH}, 1 thread, CPU time of a step")
    for name, time in seconds.items():
        print(f"{name:12}{1000 * time:7.1f} ms")
    print(f"ours / plain port: {seconds['ours'] / seconds['plain port']:.3f}")


def _network(params: C3dpoParams) -> C3dpoNetwork:
    return C3dpoNetwork(
        POINTS,
        basis=params.basis,
        width=params.width,
        bottleneck=params.bottleneck,
        blocks=params.blocks,
        canonical=True,
        generator=_seeded(),
    )


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


if __name__ == "__main__":
    main()
