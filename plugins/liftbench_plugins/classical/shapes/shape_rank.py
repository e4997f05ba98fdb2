"""K: the number of basis shapes, or of trajectories per coordinate, that a method uses."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.tracks import NO_VALUE, Tracks

# One limit of K for all sequences; the tables of the papers have 7 to 13.
MOST = 10
# The edge of the noise is sharp only for large matrices.
_MARGIN = 1.2


def shape_rank(asked: int | None, tracks: Tracks, filled: Floats | None = None) -> int:
    """Return K: the number `asked`, or else the largest K up to `MOST` that W supports.

    W supports K if there are 3K frames and 3K points, and if more than 3(K - 1) singular values of
    W are above the noise. So a rigid body has K = 1.

    Args:
        asked: K of the method's parameters; None: the largest K that W supports.
        tracks: W.
        filled: W with hidden entries filled in; None: `tracks.rows`.

    Raises:
        ValueError: there are too few frames or points, or the rank of W is too low, for `asked` or
            for K = 1; or all points of a frame have one x or one y.
    """
    least = 3 * (asked or 1)
    title = f"K = {asked}" if asked else "a shape"
    if min(tracks.frames, tracks.points) < least:
        raise ValueError(
            f"{title} needs {least} frames of {least} points, "
            f"got {tracks.frames} of {tracks.points}"
        )
    rows = tracks.rows if filled is None else filled
    if filled is not None or tracks.visible.all():
        _require_extent(rows)
    values = np.linalg.svd(rows, full_matrices=False).S
    rank = int((values > NO_VALUE * values[0]).sum())
    if rank < 3:
        raise ValueError(
            f"views of a body with depth that turns are needed: W has rank {rank}, expected 3"
        )
    if asked is not None:
        if 3 * (asked - 1) >= rank:
            raise ValueError(f"K = {asked} needs more than W has, which is of rank {rank}; lower K")
        return asked
    supported = -(-_count_above_noise(values[:rank], rows.shape) // 3)
    return min(MOST, max(supported, 1), tracks.frames // 3, tracks.points // 3)


def _require_extent(rows: Floats) -> None:
    """Raise ValueError if a row of W is zero, which no camera can produce."""
    lengths = np.linalg.norm(rows, axis=1)
    if (flat := lengths <= NO_VALUE * lengths.max()).any():
        raise ValueError(
            f"frame {int(flat.argmax()) // 2} has all points at one x or one y: it has no camera"
        )


def _count_above_noise(values: Floats, shape: tuple[int, ...]) -> int:
    """Return how many singular values are above the noise that explains the smallest one.

    The singular values of an (m, n) matrix of noise lie between sqrt(m) - sqrt(n) and
    sqrt(m) + sqrt(n) times its standard deviation (Marchenko and Pastur 1967). The singular values
    of a smooth deformation fall much further.
    """
    low, high = sorted(np.sqrt(shape))
    if high == low or len(values) < min(shape) - 1:  # centring removes one
        return len(values)
    edge = values[-1] * (high + low) / (high - low)
    return int((values > _MARGIN * edge).sum())
