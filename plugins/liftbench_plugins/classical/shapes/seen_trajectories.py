"""Smooth trajectories before turning cameras, and how many the cameras distinguish."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.shapes.dct import dct_basis, free_ended_basis

_SINGULAR = 1e8
_GREATEST = 100.0  # a larger condition costs more than the smaller residual of a real W gains
_FRAMES_EACH = 3  # frames per trajectory at least: two equations per unknown


def trajectory_views(rotation: Floats, basis: Floats) -> Floats:
    """Return R (basis ⊗ I) (2F, 3d): the images of points that move along basis trajectories.

    Column 3k + c belongs to a point that moves along coordinate c by trajectory k.

    Args:
        rotation: (F, 3, 3), body to camera.
        basis: (F, d), one trajectory per column.
    """
    columns = rotation[:, :2, None] * basis[:, None, :, None]
    matrix: Floats = columns.reshape(2 * len(basis), -1)
    return matrix


def clearest_basis(rotation: Floats, rows: Floats) -> Floats:
    """Return the smooth trajectories (F, K) with the smallest bound of the error.

    The bound is the condition of their views times the residual of W. The trajectories are cosines,
    or cosines with free ends if their bound is smaller. Few trajectories leave a large residual;
    many are confused with the motion of a camera that turns slowly, which amplifies the residual
    (Park, Shiratori, Matthews, Sheikh, 3D reconstruction of a moving point from a series of 2D
    projections, ECCV 2010).

    Args:
        rotation: (F, 3, 3), body to camera.
        rows: W, (2F, P).

    Raises:
        ValueError: the cameras do not even determine points that stay in place.
    """
    basis, least = _clearest(rotation, rows)
    if least == np.inf:
        raise _indistinct_error(len(rotation), 1)
    return basis


def clearest_cameras(candidates: Sequence[Floats], rows: Floats) -> Floats:
    """Return the candidate cameras (F, 3, 3) with the smallest bound of the error.

    Args:
        candidates: several cameras of the same frames, each (F, 3, 3).
        rows: W, (2F, P).
    """
    return min(candidates, key=lambda rotation: _clearest(rotation, rows)[1])


def _clearest(rotation: Floats, rows: Floats) -> tuple[Floats, float]:
    """Return the trajectories with the smallest bound, and the bound; infinite without any."""
    frames = len(rotation)
    most = max(1, frames // _FRAMES_EACH)
    bases = [make(frames, most) for make in (dct_basis, free_ended_basis)]
    found = [_least_bound(trajectory_views(rotation, basis), rows) for basis in bases]
    best = int(found[1][0] < found[0][0])
    least, count = found[best]
    return bases[best][:, :count], least


def _least_bound(columns: Floats, rows: Floats) -> tuple[float, int]:
    """Return the smallest bound and its number of trajectories, 0 if none is determined."""
    span, upper = np.linalg.qr(columns)
    explained = np.square(span.T @ rows).sum(axis=1).reshape(-1, 3).sum(axis=1).cumsum()
    rest = np.sqrt(np.maximum(1 - explained / np.square(rows).sum(), 0))
    least, best = np.inf, 0
    for count in _counts_up_to(len(rest)):
        grown = _condition(upper[: 3 * count, : 3 * count])
        if grown > (_GREATEST if best else _SINGULAR):
            break
        if grown * rest[count - 1] < least:
            least, best = grown * float(rest[count - 1]), count
    return least, best


def _counts_up_to(most: int) -> list[int]:
    """Return numbers from 1 to `most`: first all, then each a tenth larger than the last."""
    counts = [1]
    while counts[-1] < most:
        counts.append(min(most, max(counts[-1] + 1, round(1.1 * counts[-1]))))
    return counts


def require_distinct(rotation: Floats, count: int) -> None:
    """Raise ValueError unless the cameras distinguish `count` cosines."""
    frames = len(rotation)
    if (
        3 * count > 2 * frames
        or _condition(trajectory_views(rotation, dct_basis(frames, count))) >= _SINGULAR
    ):
        raise _indistinct_error(frames, count)


def _condition(matrix: Floats) -> float:
    """Return the condition number; a singular matrix has a large number, not infinity."""
    values = np.linalg.svd(matrix, compute_uv=False)
    return float(values[0] / max(values[-1], values[0] / _SINGULAR**2))


def _indistinct_error(frames: int, count: int) -> ValueError:
    """Return the error for cameras that do not distinguish `count` trajectories."""
    return ValueError(
        f"the cameras of {frames} frames turn too little to distinguish {count} smooth "
        "trajectories per point"
    )
