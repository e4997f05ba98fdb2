"""Print how long each classical method takes on a real sequence of `nrsfm_classic`.

OMP_NUM_THREADS=2 python benchmarks/classical.py DATA_ROOT [SEQUENCE]
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

from liftbench import Observations, RunContext
from liftbench.plugin.specs import MethodSpec
from liftbench_datasets.nrsfm_classic.adapter import NrsfmClassic
from liftbench_plugins.classical import CLASSICAL
from stopwatch import wall_and_cpu_seconds

# Seconds that a method may take on two cores for `drink`, 1102 frames of 41 points.
LIMITS = {"bmm": 60, "csf2": 60, "pta": 10, "em_sfm": 30, "cns": 600}


def main(root: Path, name: str = "drink") -> None:
    """Time a fit by each method."""
    observations = NrsfmClassic().load(root, name, "all").observations
    frames, points = observations.visible.shape
    print(f"{name}: {frames} frames of {points} points")
    for spec in CLASSICAL:
        wall, cpu = wall_and_cpu_seconds(partial(_fit, spec, observations))
        limit = f", limit {LIMITS[spec.key]} s" if spec.key in LIMITS else ""
        print(f"{spec.key:15s} {wall:7.2f} s, {cpu:7.2f} s of CPU{limit}")


def _fit(spec: MethodSpec, observations: Observations) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        context = RunContext(0, "cpu", 2, 3600.0, Path(scratch), lambda *_: None)
        spec.make().fit(observations, context)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python benchmarks/classical.py DATA_ROOT [SEQUENCE]")
    main(Path(sys.argv[1]), *sys.argv[2:])
