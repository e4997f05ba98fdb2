"""Print how long it takes to read CMU subject 01 and to score 100 000 frames.

python benchmarks/reading_and_scoring.py DATA_ROOT
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
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
    """Time a cold and a cached reading, and every protocol that compares points."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["LIFTBENCH_CACHE"] = cache
        adapter = Cmu()
        for case in ("cold", "from cache"):
            seconds = wall_seconds(lambda: adapter.load(root, "01", "train"))
            print(f"read 01, {case:10s}  {seconds:6.2f} s")
    rng = np.random.default_rng(0)
    true = rng.standard_normal((FRAMES, POINTS, 3))
    prediction = Reconstruction(true + 0.1 * rng.standard_normal(true.shape))
    truth = GroundTruth(true, "m", np.full(FRAMES, "all"), np.zeros(FRAMES, dtype=np.int64))
    chain = tuple((i, i + 1) for i in range(POINTS - 1))
    skeleton = Skeleton(tuple(str(i) for i in range(POINTS)), chain)
    metrics = {metric.name: metric for metric in BUILTIN_METRICS}
    # The metrics of images and volumes are left out: they need meshes and masks.
    for protocol in (p for p in BUILTIN_PROTOCOLS if p.metric in metrics):
        metric = metrics[protocol.metric]
        work = partial(frame_errors, protocol, metric, prediction, truth, skeleton)
        seconds = wall_seconds(work)
        print(f"score {FRAMES} x {POINTS} {protocol.name:17s} {seconds:6.2f} s")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python benchmarks/reading_and_scoring.py DATA_ROOT")
    main(Path(sys.argv[1]))
