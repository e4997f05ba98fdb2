"""Print how well points of CUB's birds that a method does not see are found.

On points that a method is given PCK says nothing. So two visible points are taken from each test
bird that has six or more; the method is fitted on the training birds and lifts the others. PCK@0.1
of the points that were taken, and their mean distance in longer edges of the box, over two draws:

python benchmarks/held_out_points.py DATA_ROOT [SEED ...]
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from liftbench import Observations, RunContext
from liftbench.plugin.registry import load_registry
from liftbench.types import Bools
from liftbench_plugins.learned.ttp_points import TTP_POINTS, TtpPointsParams
from stopwatch import wall_and_cpu_seconds

TAKEN, FEWEST = 2, 6
DRAWS = 2
THRESHOLD = 0.1  # of the longer edge of the box
ROWS: dict[str, dict[str, Any]] = {"rigid (K = 0)": {"basis": 0}, "ttp_points": {}}


def main(root: Path, seeds: list[int]) -> None:
    """Fit with and without deformation, and print the scores of every seed."""
    data = load_registry().datasets["cub"].make()
    train, test = (data.load(root, "all", split).observations for split in ("train", "test"))
    print(f"cub, {train.frames} train, {test.frames} test birds, {TAKEN} points taken of each")
    for name, params in ROWS.items():
        for seed in seeds:
            print(f"{name:14} seed {seed}: {_score(train, test, seed, params)}")


def take_points(visible: Bools, draw: int) -> Bools:
    """Return which points (F, P) are taken: two of the visible ones, if there are enough."""
    drawn = np.where(visible, np.random.default_rng(draw).random(visible.shape), np.inf)
    order = drawn.argsort(axis=1)[:, :TAKEN]
    taken = np.zeros_like(visible)
    np.put_along_axis(taken, order, True, axis=1)
    enough: Bools = visible.sum(axis=1, keepdims=True) >= FEWEST
    return taken & visible & enough


def _score(train: Observations, test: Observations, seed: int, params: dict[str, Any]) -> str:
    method = TTP_POINTS.make(**vars(TtpPointsParams(**params)))
    with tempfile.TemporaryDirectory() as scratch:
        context = RunContext(seed, "cpu", 1, 1e6, Path(scratch), lambda *_: None)
        _, cpu = wall_and_cpu_seconds(lambda: method.fit(train, context))
    distances = []
    edge = test.box[:, 2:].max(axis=1) if test.box is not None else np.ones(test.frames)
    for draw in range(DRAWS):
        taken = take_points(test.visible, draw)
        left = test.visible & ~taken
        places = np.where(left[..., None], test.points_2d, np.nan)
        found = method.predict(replace(test, points_2d=places, visible=left)).points_3d[..., :2]
        gap = np.linalg.norm(found - test.points_2d, axis=2) / edge[:, None]
        distances.append(gap[taken])
    every = np.concatenate(distances)
    share = 100 * (every < THRESHOLD).mean()
    return f"PCK {share:.1f}, mean distance {every.mean():.3f}, fit {cpu:.0f} s of CPU"


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]] or [0])
