"""Print how long it takes to read a generated Human3.6M of 1.5 million frames.

python benchmarks/reading_h36m.py
"""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from liftbench_datasets.h36m.adapter import H36m, H36mParams
from liftbench_datasets.h36m.skeleton import ACTIONS, SUBJECTS
from stopwatch import wall_and_cpu_seconds

FRAMES = 1_500_000


def main() -> None:
    """Time the test split without and with a cache, and the train split with a cache."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LIFTBENCH_CACHE"] = f"{folder}/cache"
        root = Path(folder)
        _write(root / "h36m" / "data_3d_h36m.npz")
        adapter = H36m(H36mParams())
        for case, split in (("cold", "test"), ("from cache", "test"), ("from cache", "train")):
            wall, cpu = wall_and_cpu_seconds(partial(adapter.load, root, "all", split))
            print(f"read {FRAMES} frames, {split:5s} {case:10s} {wall:6.2f} s, {cpu:6.2f} s of CPU")


def _write(path: Path) -> None:
    """Write a standing person in VideoPose3D's form, one take for each action."""
    subjects = [subject for some in SUBJECTS.values() for subject in some]
    frames = FRAMES // (len(subjects) * len(ACTIONS))
    rng = np.random.default_rng(0)
    pose = rng.uniform(-0.5, 0.5, (32, 3)) + np.array([0.0, 0.0, 1.0])
    positions = {
        subject: {
            f"{action} 1": (pose + rng.normal(0, 0.05, (frames, 32, 3))).astype(np.float32)
            for action in ACTIONS
        }
        for subject in subjects
    }
    path.parent.mkdir()
    np.savez_compressed(path, positions_3d=np.array(positions, dtype=object))
    print(f"wrote {path.stat().st_size / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
