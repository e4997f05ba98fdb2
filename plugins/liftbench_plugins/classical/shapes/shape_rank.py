"""How many basis shapes, or trajectories a coordinate, a method takes: K."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.tracks import NO_VALUE, Tracks

# One K for all sequences; the tables of the papers have 7 to 13.
MOST = 10
# The edge of noise is sharp only for large matrices.
_MARGIN = 1.2


def shape_rank(asked: int | None, tracks: Tracks, filled: Floats | None = None) -> int:
    """Return K: the one that was asked for, or else the greatest up to `MOST` that W bears.

    W bears K if there are 3K frames of 3K points and more than 3(K - 1) of its singular values
    stand out of noise, so that a rigid body has K = 1.

    Args:
        asked: K of the method's parameters; None leaves it to the rule.
        tracks: W.
        filled: W without hidden entries; `tracks.rows` if left out.

    Raises:
        ValueError: too few frames or points, or W of too low a rank, for what was asked or for
            K = 1; a frame whose points lie at one x or one y.
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
    borne = -(-_out_of_noise(values[:rank], rows.shape) // 3)
    return min(MOST, max(borne, 1), tracks.frames // 3, tracks.points // 3)


def _require_extent(rows: Floats) -> None:
    """Raise ValueError where a row of W is zero, which no camera can have."""
    lengths = np.linalg.norm(rows, axis=1)
    if (flat := lengths <= NO_VALUE * lengths.max()).any():
        raise ValueError(
            f"frame {int(flat.argmax()) // 2} has all points at one x or one y and tells no camera"
        )


def _out_of_noise(values: Floats, shape: tuple[int, ...]) -> int:
    """Return how many singular values are greater than noise makes that has the smallest one.

    Those of an (m, n) matrix of noise lie between sqrt(m) - sqrt(n) and sqrt(m) + sqrt(n) times its
    standard deviation (Marchenko and Pastur 1967); those of a smooth deformation fall much further.
    """
    low, high = sorted(np.sqrt(shape))
    if high == low or len(values) < min(shape) - 1:  # centring takes one
        return len(values)
    edge = values[-1] * (high + low) / (high - low)
    return int((values > _MARGIN * edge).sum())
