"""Print how much time the pairwise losses of PR-RRN add to a training step of RRN.

The networks take turns in one run, because the machine's speed drifts:
python benchmarks/pairwise_step.py
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch

from liftbench_plugins.learned.factorisation import normalise_views
from liftbench_plugins.learned.pr_rrn import PrRrnParams
from liftbench_plugins.learned.pr_rrn.regularised import RegularisedNetwork
from step_times import median_seconds, training_step

POINTS, BATCH = 31, 128


def main() -> None:
    """Time steps with none, one and both of the losses.

    With both, each loss is used in half of the steps (section 4.4).
    """
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    views = normalise_views(torch.randn(POINTS, 2, BATCH, generator=generator))
    params = PrRrnParams(turn_steps=1)
    rows = {
        "rrn": replace(params, contrast=0.0, consistency=0.0),
        "rrn_contrast": replace(params, consistency=0.0),
        "rrn_consist": replace(params, contrast=0.0),
        "pr_rrn": params,
    }
    steps = {}
    for name, row in rows.items():
        network = RegularisedNetwork(views, row, torch.Generator().manual_seed(0))
        steps[name] = training_step(network, partial(network.loss, views, generator))
    seconds = median_seconds(steps)
    print(f"P={POINTS}, batch {BATCH}, memory {params.memory}, 1 thread, CPU time of a step")
    for name, time in seconds.items():
        print(f"{name:14} {1000 * time:6.2f} ms, ratio {time / seconds['rrn']:.2f}")


if __name__ == "__main__":
    main()
