"""The closed form of Xiao, Chai and Kanade: constraints on rotations and on basis shapes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liftbench import RunContext
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.camera_blocks import shapes_of_blocks
from liftbench_plugins.classical.cameras.metric_upgrade import orthonormality
from liftbench_plugins.classical.cameras.prior_free import camera_factor, rank_three_factor
from liftbench_plugins.classical.cameras.semidefinite import null_space
from liftbench_plugins.classical.params import RankParams
from liftbench_plugins.classical.shapes.shape_rank import shape_rank
from liftbench_plugins.classical.tracks import NO_VALUE, Factors, Tracks

# The closed form is sensitive to noise in weak basis shapes. So K is at most 3, and the two
# singular values of half the cameras of each block must have a ratio above 0.8.
_MOST, _ORTHONORMAL = 3, 0.8


def solve_xiao_kanade(tracks: Tracks, params: RankParams, context: RunContext) -> Factors:
    """Return shapes that are combinations of the shapes of K frames.

    Constraints on rotations and on the basis give the corrective of each of the K basis shapes
    (Xiao, Chai, Kanade, A closed-form solution to non-rigid shape and motion recovery, ECCV 2004).
    If K is not given, it is the largest K for which the correctives give orthonormal cameras.

    Raises:
        ValueError: the frames do not determine cameras and shapes.
    """
    rank = shape_rank(params.shapes, tracks)
    blocks = basis_blocks(tracks.rows, rank if params.shapes else min(rank, _MOST))
    while params.shapes is None and len(blocks) > 1 and not _are_cameras(blocks):
        blocks = basis_blocks(tracks.rows, len(blocks) - 1)
    return shapes_of_blocks(tracks, blocks)


def basis_blocks(rows: Floats, rank: int) -> Floats:
    """Return the blocks (K, F, 2, 3) that `basis_block` finds for W (2F, P)."""
    cameras, _ = camera_factor(rows, rank)
    basis = independent_frames(cameras, rank)
    return np.stack([basis_block(cameras, np.delete(basis, k), int(basis[k])) for k in range(rank)])


def _are_cameras(blocks: Floats) -> bool:
    """Return whether half the frames of every block have nearly orthonormal rows."""
    lengths = np.linalg.svd(blocks, full_matrices=False).S
    ratio = lengths[..., 1] / np.maximum(lengths[..., 0], NO_VALUE)
    return bool((np.median(ratio, axis=1) > _ORTHONORMAL).all())


def independent_frames(cameras: Floats, count: int) -> NDArray[np.intp]:
    """Return the indices (count,) of frames whose camera rows are far from dependent.

    Each next frame is the one whose two rows span the largest area outside the span of the rows
    chosen before.

    Args:
        cameras: (F, 2, n), n at least twice the count.
        count: number of frames.
    """
    rest = cameras
    chosen: list[int] = []
    for _ in range(count):
        chosen.append(int(np.linalg.det(rest @ rest.swapaxes(1, 2)).argmax()))
        span = np.linalg.qr(rest[chosen[-1]].T)[0]
        rest = rest - rest @ span @ span.T
    return np.array(chosen)


def basis_block(cameras: Floats, others: NDArray[np.intp], own: int) -> Floats:
    """Return c_fk R_f (F, 2, 3) of basis shape k, which is the shape of one frame of the basis.

    The corrective g_k fulfils the basis constraints M_i g_k = 0 of the other frames i of the basis,
    and g_k g_k' fulfils the rotation constraints of all frames in least squares. The scale of g_k
    makes c_fk = 1 in the frame that is basis shape k.

    Args:
        cameras: M, (F, 2, 3K).
        others: the other K - 1 frames of the basis.
        own: the frame that is basis shape k.

    Raises:
        ValueError: the constraints leave no camera for the frame `own`.
    """
    rows = cameras[others].reshape(-1, cameras.shape[2])
    free = np.linalg.svd(rows, full_matrices=True)[2][len(rows) :].T
    reduced = cameras @ free
    gram = null_space(orthonormality(reduced), 1).matrix(np.ones(1))
    lengths = np.trace(reduced[own] @ gram @ reduced[own].T)
    if abs(lengths) <= NO_VALUE * np.square(reduced[own]).sum():
        raise ValueError(f"frame {own} and {len(others)} others determine no basis shape; lower K")
    block: Floats = reduced @ rank_three_factor(2 * gram / lengths)
    return block


XIAO_KANADE = batch_spec(
    key="xiao_kanade",
    title="Closed form with basis constraints",
    reference="Xiao, Chai, Kanade, A closed-form solution to non-rigid shape and motion recovery, "
    "ECCV 2004",
    solve=solve_xiao_kanade,
    params=RankParams,
)
