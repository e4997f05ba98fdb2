"""Print how much of a student's training step its pictures take, and the memory of many pictures.

The student is that of `kd` in its suites, on pictures of noise. Its loss is left out: it takes a
few per cent of a step (`kd_loss.py`). Batches and steps take turns in one run, because the
machine's speed drifts: python benchmarks/picture_batches.py
"""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from liftbench import Images, Observations, Skeleton
from liftbench_plugins.learned.kd import KdParams
from liftbench_plugins.learned.kd.looks import Views, make_network, make_views
from step_times import median_seconds, training_step

POINTS, BATCH = 17, 32
WIDTH, SIZES = 0.5, (64, 96)
EDGE = 96  # of a picture, in pixels
COUNTS = (500, 4000)


def main() -> None:
    """Measure the memory, before networks need more, then time batches and steps."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        os.environ["LIFTBENCH_CACHE"] = f"{name}/cache"
        observations = _draw_frames(max(COUNTS), Path(name))
        for count in COUNTS:
            _read_all(observations.take(np.arange(count)))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            pixels = count * SIZES[0] ** 2 * 3 / 2**20
            print(f"{count} frames, {pixels:.1f} MiB of pixels: peak memory {peak:.1f} MiB")
        few = observations.take(np.arange(min(COUNTS)))
        steps = dict(pair for size in SIZES for pair in _batch_and_step(few, size).items())
        seconds = median_seconds(steps)
    print(f"P={POINTS}, batch {BATCH}, 1 thread, CPU time")
    for key, time in seconds.items():
        print(f"{key:12} {1000 * time:8.2f} ms")
    for size in SIZES:
        share = seconds[f"batch, {size} px"] / seconds[f"step, {size} px"]
        print(f"batch / step, {size} px: {share:.4f}")


def _draw_frames(frames: int, folder: Path) -> Observations:
    """Return frames with random points and pictures."""
    rng = np.random.default_rng(0)
    files = tuple(str(folder / f"{frame}.png") for frame in range(frames))
    for file in files:
        noise = rng.integers(0, 256, (EDGE, EDGE, 3), dtype=np.uint8)
        Image.fromarray(noise).save(file, compress_level=0)
    return Observations(
        points_2d=rng.uniform(0, EDGE, (frames, POINTS, 2)),
        visible=np.ones((frames, POINTS), dtype=bool),
        sequence=np.zeros(frames, dtype=np.int64),
        camera="weak_perspective",
        skeleton=Skeleton(tuple(f"point{point}" for point in range(POINTS))),
        images=Images(files),
        pixel=np.ones(frames),
        origin=np.zeros((frames, 2)),
    )


def _read_all(observations: Observations) -> None:
    """Crop all pictures, then read and change them batch by batch."""
    views, params = _views(observations, SIZES[0])
    for batch in torch.split(torch.arange(observations.frames), BATCH):
        views.lift_changed(_blind, batch, params, torch.Generator().manual_seed(0))


def _batch_and_step(observations: Observations, size: int) -> dict[str, Callable[[], None]]:
    """Return a function that reads and changes a batch, and one that also trains on it."""
    views, params = _views(observations, size)
    generator = torch.Generator().manual_seed(1)
    network = make_network("pictures", params, observations.skeleton, generator)

    def lift(chosen: Any) -> Tensor:  # noqa: ANN401 a network, or `_blind`
        frames = torch.randint(observations.frames, (BATCH,), generator=generator)
        return views.lift_changed(chosen, frames, params, generator)

    return {
        f"batch, {size} px": lambda: cast(None, lift(_blind)),
        f"step, {size} px": training_step(network, lambda: lift(network).abs().mean()),
    }


def _views(observations: Observations, size: int) -> tuple[Views, KdParams]:
    params = KdParams(image_size=size, width=WIDTH, bfloat16=True)
    return make_views("pictures", params, observations, "cpu"), params


def _blind(pictures: Tensor) -> Tensor:
    """Return points (B, P, 3) at once: a network that takes no time."""
    return pictures.new_zeros(len(pictures), POINTS, 3)


if __name__ == "__main__":
    main()
