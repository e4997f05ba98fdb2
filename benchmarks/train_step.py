"""Print what a training step of deep_nrsfm_pp costs beside the plain network.

Both take turns in one run, since the machine's speed drifts: python benchmarks/train_step.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from liftbench_plugins.deep_nrsfm import DeepNrsfmParams
from liftbench_plugins.deep_nrsfm.network import BlockSparseNetwork, reprojection_loss
from plain_network import plain_loss

POINTS, BATCH, ROUNDS, STEPS = 31, 128, 12, 10


def main() -> None:
    """Time steps of both networks in turn and print the ratio of their medians."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    image = 0.1 * torch.randn(POINTS, 2, BATCH, generator=generator)
    frames_first = image.permute(2, 0, 1).contiguous()
    fast, plain = _network(), _network()
    steps = {
        "fast": _step(fast, lambda: reprojection_loss(image, *fast(image))),
        "plain": _step(plain, lambda: plain_loss(plain, frames_first)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            start = time.process_time()
            for _ in range(STEPS):
                step()
            seconds[name].append((time.process_time() - start) / STEPS)
    fastest = {name: 1000 * median(times[1:]) for name, times in seconds.items()}
    print(f"sizes {DeepNrsfmParams().sizes}, P={POINTS}, batch {BATCH}, 1 thread, CPU time a step")
    print(f"liftbench                 {fastest['fast']:6.2f} ms")
    print(f"conv-transpose and SVD    {fastest['plain']:6.2f} ms")
    print(f"ratio                     {fastest['fast'] / fastest['plain']:6.3f}")


def _network() -> BlockSparseNetwork:
    generator = torch.Generator().manual_seed(0)
    return BlockSparseNetwork(POINTS, DeepNrsfmParams().sizes, "bst", "projection", generator)


def _step(network: BlockSparseNetwork, loss: Callable[[], Tensor]) -> Callable[[], None]:
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()

    return step


if __name__ == "__main__":
    main()
