"""Print what reading CMU subject 01 and scoring 100 000 frames take.

python benchmarks/reading_and_scoring.py DATA_ROOT
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from liftbench.protocols.builtin import BUILTIN_PROTOCOLS
from liftbench.protocols.metrics import BUILTIN_METRICS
from liftbench.protocols.protocol import frame_errors
from liftbench.types import GroundTruth, Reconstruction, Skeleton
from liftbench_datasets.cmu.adapter import Cmu
from stopwatch import wall_seconds

FRAMES, POINTS = 100_000, 31


def main(root: Path) -> None:
    """Time a cold and a cached reading, and every protocol."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["LIFTBENCH_CACHE"] = cache
        adapter = Cmu()
        print(
            f"read 01, cold        {wall_seconds(lambda: adapter.load(root, '01', 'train')):6.2f} s"
        )
        print(
            f"read 01, from cache  {wall_seconds(lambda: adapter.load(root, '01', 'train')):6.2f} s"
        )
    rng = np.random.default_rng(0)
    true = rng.standard_normal((FRAMES, POINTS, 3))
    prediction = Reconstruction(true + 0.1 * rng.standard_normal(true.shape))
    truth = GroundTruth(true, "m", np.full(FRAMES, "all"), np.zeros(FRAMES, dtype=np.int64))
    chain = tuple((i, i + 1) for i in range(POINTS - 1))
    skeleton = Skeleton(tuple(str(i) for i in range(POINTS)), chain)
    metrics = {metric.name: metric for metric in BUILTIN_METRICS}
    for protocol in BUILTIN_PROTOCOLS:
        metric = metrics[protocol.metric]
        seconds = wall_seconds(
            lambda p=protocol, m=metric: frame_errors(p, m, prediction, truth, skeleton)
        )
        print(f"score {FRAMES} x {POINTS} {protocol.name:17s} {seconds:6.2f} s")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python benchmarks/reading_and_scoring.py DATA_ROOT")
    main(Path(sys.argv[1]))
