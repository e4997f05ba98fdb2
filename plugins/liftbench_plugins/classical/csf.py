"""Column space fitting: basis shapes whose coefficients change smoothly (CSF)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench import RunContext
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.trajectory_cameras import trajectory_cameras
from liftbench_plugins.classical.gauss_newton import Quadratic, damped_gauss_newton
from liftbench_plugins.classical.params import SmoothParams
from liftbench_plugins.classical.shapes.coefficient_space import CoefficientSpace, coefficient_space
from liftbench_plugins.classical.shapes.dct import dct_basis
from liftbench_plugins.classical.shapes.seen_trajectories import clearest_basis
from liftbench_plugins.classical.shapes.shape_rank import MOST, shape_rank
from liftbench_plugins.classical.tracks import Factors, Tracks

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class CsfParams(SmoothParams):
    """Parameters of CSF.

    Without `shapes`, K is half the number of smooth trajectories that the cameras distinguish, at
    most 10.
    """

    steps: int = 100


def solve_csf(tracks: Tracks, params: CsfParams, context: RunContext) -> Factors:
    """Return cameras, and shapes whose smooth coefficients explain W best.

    Minimises 1/2 ‖(I - M M^+) W‖^2 over X with M = R (DCT X ⊗ I); S = M^+ W (Gotardo and Martinez,
    TPAMI 2011).

    Raises:
        ValueError: the frames do not determine cameras and shapes.
    """
    supported = shape_rank(params.shapes, tracks)
    rotation = trajectory_cameras(tracks.rows, shape_rank(params.cameras, tracks))
    count = params.shapes or _shape_count(supported, rotation, tracks)
    basis = dct_basis(tracks.frames, params.basis_size(tracks.frames, count))
    space = coefficient_space(tracks.rows, rotation, basis)
    mixing = fit_mixing(space, np.eye(basis.shape[1], count), params.steps)
    return Factors(rotation, space.shapes(mixing, joint_shapes(space, mixing)))


def _shape_count(supported: int, rotation: Floats, tracks: Tracks) -> int:
    """Return K, given the largest K that W supports.

    If W limits it, that is the K of the body. Otherwise take half the number of smooth
    trajectories that the cameras distinguish, because coefficients may change faster than the
    slowest trajectories.
    """
    if supported < min(MOST, tracks.frames // 3, tracks.points // 3):
        return supported
    distinct = int(clearest_basis(rotation, tracks.rows).shape[1])
    return min(supported, max(1, distinct // 2))


def fit_mixing(space: CoefficientSpace, start: Floats, steps: int) -> Floats:
    """Return X (d, K) near `start` that explains W best; its columns are orthonormal."""
    shape = start.shape
    return damped_gauss_newton(
        lambda entries: _misfit(space, entries.reshape(shape)),
        start.ravel(),
        steps=steps,
        tolerance=_TOLERANCE,
        retract=lambda entries: np.linalg.qr(entries.reshape(shape))[0].ravel(),
    ).reshape(shape)


def joint_shapes(space: CoefficientSpace, mixing: Floats) -> Floats:
    """Return the basis shapes S = M^+ W, (K, 3, P)."""
    motion = _matrix(space.motion(mixing))
    parts: Floats = np.linalg.pinv(motion) @ space.target
    return parts.reshape(-1, 3, space.target.shape[1])


def _matrix(motion: Floats) -> Floats:
    """Return motion (m, 3, K) as a matrix (m, 3K) with three columns per basis shape."""
    matrix: Floats = motion.swapaxes(1, 2).reshape(len(motion), -1)
    return matrix


def _misfit(space: CoefficientSpace, mixing: Floats) -> Quadratic:
    """Return half the squared residual of W as a quadratic in X, without derivatives of M^+.

    A change of X_ik changes W by V_i S_k, where V_i are the views of trajectory i. Only the part of
    this change outside the span of M counts.
    """
    (size, count), points = mixing.shape, space.target.shape[1]
    span, upper = np.linalg.qr(_matrix(space.motion(mixing)))
    parts = np.linalg.lstsq(upper, span.T @ space.target, rcond=None)[0]
    rest = space.target - span @ (upper @ parts)
    views = space.views.reshape(len(space.views), -1)
    inside = span.T @ views
    outside = (views.T @ views - inside.T @ inside).reshape(3, size, 3, size)
    gram = (parts @ parts.T).reshape(count, 3, count, 3)
    matrix = np.tensordot(outside, gram, axes=((0, 2), (1, 3))).transpose(0, 2, 1, 3)
    moved = (views.T @ rest).reshape(3, size, points)
    gradient = -np.tensordot(moved, parts.reshape(count, 3, points), axes=((0, 2), (1, 2)))
    size *= count
    return float(np.square(rest).sum()) / 2, gradient.ravel(), matrix.reshape(size, size)


CSF = batch_spec(
    key="csf",
    title="Column space fitting (CSF)",
    reference="Gotardo, Martinez, Computing smooth time-trajectories for camera and deformable "
    "shape in structure from motion with occlusion, TPAMI 2011",
    solve=solve_csf,
    params=CsfParams,
    temporal=True,
)
