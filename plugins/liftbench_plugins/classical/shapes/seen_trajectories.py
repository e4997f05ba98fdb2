"""Smooth trajectories as turning cameras see them, and how many of them can be told apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.shapes.dct import dct_basis, free_ended_basis

_SINGULAR = 1e8
_GREATEST = 100.0  # which the rest of no real W makes good
_FRAMES_EACH = 3  # at least, that is two equations an unknown


def seen(rotation: Floats, basis: Floats) -> Floats:
    """Return R (basis ⊗ I), (2F, 3d): column 3k + c is a move along coordinate c over time k.

    Args:
        rotation: (F, 3, 3), body to camera.
        basis: (F, d), a column a trajectory.
    """
    columns = rotation[:, :2, None] * basis[:, None, :, None]
    matrix: Floats = columns.reshape(2 * len(basis), -1)
    return matrix


def clearest_basis(rotation: Floats, rows: Floats) -> Floats:
    """Return the smooth trajectories (F, K) whose error has the least bound.

    The bound is their condition times what they leave of W. They are cosines or, where that is
    less, such with free ends. Few leave much of W unexplained;
    many cannot be told from the motion of a camera that turns slowly, which multiplies what is
    left (Park, Shiratori, Matthews, Sheikh, 3D reconstruction of a moving point from a series of
    2D projections, ECCV 2010).

    Args:
        rotation: (F, 3, 3), body to camera.
        rows: W, (2F, P).

    Raises:
        ValueError: not even points that stay in place can be told.
    """
    basis, least = _clearest(rotation, rows)
    if least == np.inf:
        raise _unclear(len(rotation), 1)
    return basis


def clearest_cameras(candidates: Sequence[Floats], rows: Floats) -> Floats:
    """Return that of some cameras (F, 3, 3) under which the bound of the error is least.

    Args:
        candidates: cameras of the same frames.
        rows: W, (2F, P).
    """
    return min(candidates, key=lambda rotation: _clearest(rotation, rows)[1])


def _clearest(rotation: Floats, rows: Floats) -> tuple[Floats, float]:
    """Return the trajectories of the least bound, and the bound; infinite where none is told."""
    frames = len(rotation)
    most = max(1, frames // _FRAMES_EACH)
    bases = [make(frames, most) for make in (dct_basis, free_ended_basis)]
    found = [_least_bound(seen(rotation, basis), rows) for basis in bases]
    best = int(found[1][0] < found[0][0])
    least, count = found[best]
    return bases[best][:, :count], least


def _least_bound(columns: Floats, rows: Floats) -> tuple[float, int]:
    """Return the least bound and its number of trajectories, 0 where none can be told."""
    span, upper = np.linalg.qr(columns)
    explained = np.square(span.T @ rows).sum(axis=1).reshape(-1, 3).sum(axis=1).cumsum()
    rest = np.sqrt(np.maximum(1 - explained / np.square(rows).sum(), 0))
    least, best = np.inf, 0
    for count in _growing(len(rest)):
        grown = _condition(upper[: 3 * count, : 3 * count])
        if grown > (_GREATEST if best else _SINGULAR):
            break
        if grown * rest[count - 1] < least:
            least, best = grown * float(rest[count - 1]), count
    return least, best


def _growing(most: int) -> list[int]:
    """Return numbers from 1 to `most`, at first all and later each a tenth above the last."""
    counts = [1]
    while counts[-1] < most:
        counts.append(min(most, max(counts[-1] + 1, round(1.1 * counts[-1]))))
    return counts


def require_told_apart(rotation: Floats, count: int) -> None:
    """Raise ValueError unless the cameras tell `count` cosines apart at all."""
    frames = len(rotation)
    if 3 * count > 2 * frames or _condition(seen(rotation, dct_basis(frames, count))) >= _SINGULAR:
        raise _unclear(frames, count)


def _condition(matrix: Floats) -> float:
    values = np.linalg.svd(matrix, compute_uv=False)
    return float(values[0] / max(values[-1], values[0] / _SINGULAR**2))


def _unclear(frames: int, count: int) -> ValueError:
    return ValueError(
        f"the cameras of {frames} frames turn too little to tell {count} smooth trajectories a "
        "point apart"
    )
