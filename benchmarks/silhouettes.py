"""Print what a soft silhouette costs, forward and backward, and how like a fine picture it is.

The overlap is with masks of eight times the resolution, averaged over each pixel:
python benchmarks/silhouettes.py
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d
from torch.profiler import ProfilerActivity, profile

from liftbench_datasets.cub.synthetic.template import mean_bird
from liftbench_plugins.learned.ttp.mesh import CategoryMesh, prepare
from liftbench_plugins.learned.ttp.rasteriser import rasterise
from liftbench_plugins.learned.ttp.silhouette import soft_silhouette
from step_times import median_seconds

SIZE, BATCH, FINER = 64, 8, 8
SOFTNESS = 0.15  # pixels


def main() -> None:
    """Time one pass over birds from random sides; print memory and overlap beside it."""
    torch.set_num_threads(1)
    mesh = prepare(mean_bird(), "cpu")
    posed = _posed(mesh).requires_grad_()

    def step() -> None:
        torch.autograd.backward(_mask(mesh, posed).sum())

    seconds = median_seconds({"mask": step})["mask"]
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        step()
    used = sum(max(0, event.self_cpu_memory_usage) for event in record.events())
    print(f"{SIZE} px, {len(mesh.faces)} triangles, batch {BATCH}, 1 thread")
    print(f"forward + backward: {1000 * seconds:.1f} ms of CPU")
    print(f"memory asked for, all of it together: {used / 2**20:.0f} MiB")
    print(f"overlap with {FINER}x finer masks (IoU): {_overlap(mesh, posed.detach()):.3f}")


def _posed(mesh: CategoryMesh) -> Tensor:
    """Return vertices (B, V, 3) in pixels."""
    generator = torch.Generator().manual_seed(0)
    turns = torch.linalg.qr(torch.randn(BATCH, 3, 3, generator=generator)).Q
    turns = turns * torch.linalg.det(turns)[:, None, None]
    turned: Tensor = mesh.vertices @ turns.mT
    far = turned.abs().amax(dim=(1, 2), keepdim=True)
    placed: Tensor = turned * (0.45 * SIZE / far) + torch.tensor([SIZE / 2, SIZE / 2, 0.0])
    return placed


def _mask(mesh: CategoryMesh, posed: Tensor) -> Tensor:
    fragments = rasterise(posed, mesh.faces, SIZE, SIZE)
    return soft_silhouette(posed, mesh.faces, mesh.edges, fragments, SOFTNESS)


def _overlap(mesh: CategoryMesh, posed: Tensor) -> float:
    soft = _mask(mesh, posed)
    edge = FINER * SIZE
    fine = rasterise(FINER * posed, mesh.faces, edge, edge).covered.float()
    true = avg_pool2d(fine[:, None], FINER)[:, 0]
    return float((torch.minimum(soft, true).sum() / torch.maximum(soft, true).sum()).item())


if __name__ == "__main__":
    main()
