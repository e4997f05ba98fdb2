"""Print how long training steps of deep_nrsfm_pp take, beside steps of the plain network.

The networks take turns in one run, because the machine's speed drifts:
python benchmarks/train_step.py
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from liftbench_plugins.learned.consistency import consistency_loss
from liftbench_plugins.learned.deep_nrsfm import DeepNrsfmParams
from liftbench_plugins.learned.deep_nrsfm.network import BlockSparseNetwork
from liftbench_plugins.learned.factorisation import (
    NormalisedViews,
    normalise_views,
    reprojection_loss,
)
from plain_network import plain_loss
from step_times import median_seconds, training_step

POINTS, BATCH = 31, 128
HIDDEN = 0.3


def main() -> None:
    """Time the steps in turn; print their medians and ratios."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    image = 0.1 * torch.randn(POINTS, 2, BATCH, generator=generator)
    visible = (torch.rand(POINTS, BATCH, generator=generator) >= HIDDEN).float()
    complete = normalise_views(image)
    hidden = normalise_views(image, visible, torch.ones(BATCH))
    frames_first = complete.image.permute(2, 0, 1).contiguous()
    plain = _network(columns=2)
    steps = {
        "orthographic, complete": _our_step(complete),
        "plain: conv-transpose and SVD": training_step(
            plain, lambda: plain_loss(plain, frames_first)
        ),
        "perspective, hidden points": _our_step(hidden),
        "orthographic, consistency": _our_step(complete, consistency=0.2),
        "perspective, hidden, consistency": _our_step(hidden, consistency=0.2),
    }
    fastest = {name: 1000 * seconds for name, seconds in median_seconds(steps).items()}
    sizes = DeepNrsfmParams().dictionary_sizes
    print(f"sizes {sizes}, P={POINTS}, batch {BATCH}, 1 thread, CPU time of a step")
    for name, milliseconds in fastest.items():
        print(f"{name:34}{milliseconds:7.2f} ms")
    for name, other in _RATIOS:
        print(f"{name} / {other}: {fastest[name] / fastest[other]:.3f}")


_RATIOS = (
    ("orthographic, complete", "plain: conv-transpose and SVD"),
    ("perspective, hidden points", "orthographic, complete"),
    ("orthographic, consistency", "orthographic, complete"),
    ("perspective, hidden, consistency", "perspective, hidden points"),
)


def _network(columns: int) -> BlockSparseNetwork:
    generator = torch.Generator().manual_seed(0)
    return BlockSparseNetwork(
        POINTS, columns, DeepNrsfmParams().dictionary_sizes, "bst", "projection", 1.0, generator
    )


def _our_step(views: NormalisedViews, consistency: float = 0.0) -> Callable[[], None]:
    network = _network(views.columns.shape[1])
    generator = torch.Generator().manual_seed(0)

    def loss() -> Tensor:
        shape, camera = network(views.columns)
        value = reprojection_loss(views, shape, camera)
        if consistency:
            value = value + consistency * consistency_loss(network.lift, views, shape, generator)
        return value

    return training_step(network, loss)


if __name__ == "__main__":
    main()
