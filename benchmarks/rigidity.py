"""Print how long the rigidity of 256 x 1024 pairs of frames takes, with 50 and with 5000 points.

It is compared with the singular values of every stacked 4xP matrix, timed on a small part of the
pairs: python benchmarks/rigidity.py
"""

from __future__ import annotations

import time

import torch
from torch import Tensor

from liftbench_plugins.learned.pr_rrn.rigidity import minimal_singular_value_ratio

FIRST, SECOND, PART = 256, 1024, 4


def main() -> None:
    """Time both ways for each number of points."""
    torch.set_num_threads(2)
    print(f"{FIRST} x {SECOND} pairs, 2 threads")
    for points in (50, 5000):
        generator = torch.Generator().manual_seed(0)
        first = torch.randn(points, 2, FIRST, generator=generator)
        second = torch.randn(points, 2, SECOND, generator=generator)
        minimal_singular_value_ratio(first, second)
        start = time.perf_counter()
        minimal_singular_value_ratio(first, second)
        ours = time.perf_counter() - start
        start = time.perf_counter()
        by_singular_values(first[..., :PART], second[..., :PART])
        part = time.perf_counter() - start
        whole = part * (FIRST * SECOND) / PART**2
        print(
            f"{points:5d} points: {ours:6.3f} s; by singular values {whole:8.1f} s (extrapolated)"
        )


def by_singular_values(first: Tensor, second: Tensor) -> Tensor:
    """Return eq. 9 of all pairs by the singular values of every stacked matrix."""
    upper = first.permute(2, 1, 0)[:, None].expand(-1, second.shape[2], -1, -1)
    lower = second.permute(2, 1, 0)[None].expand(first.shape[2], -1, -1, -1)
    squares = torch.linalg.svdvals(torch.cat([upper, lower], dim=2)).square()
    ratio: Tensor = squares[..., 3] / squares.sum(dim=-1)
    return ratio


if __name__ == "__main__":
    main()
