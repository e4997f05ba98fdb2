"""Complementary rank-3 spaces: basis shapes that explain one what others leave (CSF2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from liftbench import RunContext
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.trajectory_cameras import trajectory_cameras
from liftbench_plugins.classical.csf import fitted_columns, joint_shapes
from liftbench_plugins.classical.params import SmoothParams
from liftbench_plugins.classical.shapes.coefficient_space import CoefficientSpace, coefficient_space
from liftbench_plugins.classical.shapes.dct import dct_basis
from liftbench_plugins.classical.shapes.nuclear_norm import completed
from liftbench_plugins.classical.shapes.shape_rank import shape_rank
from liftbench_plugins.classical.tracks import Factors, Tracks, frames_of, matrix_of

_TOLERANCE = 1e-12
_MEMORY = 30


@dataclass(frozen=True)
class Csf2Params(SmoothParams):
    """Parameters of CSF2; K is the greatest up to 10 that W bears.

    Attributes:
        joint_steps: of the fit of all spaces together that follows, at most.
    """

    steps: int = 300
    joint_steps: int = 30


def solve_csf2(tracks: Tracks, params: Csf2Params, context: RunContext) -> Factors:
    """Return cameras and shapes of coefficients that leave the least of W, a basis shape at a time.

    With M_k = R (DCT X_k ⊗ I) of rank 3, S_k = M_k^+ W_k and W_{k+1} = W_k - M_k S_k: minimises
    ‖W_{K+1}‖^2 over X (Gotardo and Martinez, Non-rigid structure from motion with complementary
    rank-3 spaces, CVPR 2011). A quasi-Newton method with the exact gradient stands for their
    Gauss-Newton steps. Such spaces are exact only at right angles, so that they are fitted together
    afterwards, as by CSF; that fit counts where it tells the basis shapes apart. Hidden points are
    completed by the least nuclear norm of W, where the paper fits a matrix of a low rank.

    Raises:
        ValueError: the frames do not determine them.
    """
    rows = matrix_of(completed(frames_of(tracks.rows, 2), tracks.visible))
    count = shape_rank(params.shapes, tracks, rows)
    rotation = trajectory_cameras(rows, shape_rank(params.cameras, tracks, rows))
    basis = dct_basis(tracks.frames, params.basis_size(tracks.frames, count))
    space = coefficient_space(rows, rotation, basis)
    mixing = complementary_columns(space, np.eye(basis.shape[1], count), params.steps)
    joint = fitted_columns(space, np.linalg.qr(mixing)[0], params.joint_steps)
    if space.tells_apart(joint):
        shape = space.shapes(joint, joint_shapes(space, joint))
    else:
        shape = space.shapes(mixing, deflated(space, mixing).parts)
    return Factors(rotation, shape)


def complementary_columns(space: CoefficientSpace, start: Floats, steps: int) -> Floats:
    """Return X (d, K) near `start` that leaves the least of W."""

    def misfit(entries: Floats) -> tuple[float, Floats]:
        found = deflated(space, entries.reshape(start.shape))
        value = float(np.square(found.rest).sum()) / 2
        return value, found.gradient(space).ravel()

    options = {"maxiter": steps, "maxfun": 2 * steps, "ftol": _TOLERANCE, "maxcor": _MEMORY}
    found = minimize(misfit, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    mixing: Floats = found.x.reshape(start.shape)
    return mixing


@dataclass(frozen=True, eq=False)
class Deflation:
    """What each basis shape explains of what those before it leave.

    Attributes:
        motion: M, (K, m, 3).
        inverse: M_k^+, (K, 3, m).
        parts: S, (K, 3, P).
        left: W_{k+1}, (K, m, P).
    """

    motion: Floats
    inverse: Floats
    parts: Floats
    left: Floats

    @property
    def rest(self) -> Floats:
        """What all leave, (m, P)."""
        last: Floats = self.left[-1]
        return last

    def gradient(self, space: CoefficientSpace) -> Floats:
        """Return that of 1/2 ‖rest‖^2 by X, (d, K).

        Backwards through W_{k+1} = (I - M_k M_k^+) W_k: A, the derivative by W_{k+1}, is projected
        likewise, and M_k gets -(I - M M^+) A S' - W_{k+1} (M^+ A)'.
        """
        by_motion = np.empty_like(self.motion)
        by_left = self.rest
        for k in reversed(range(len(self.motion))):
            along = self.inverse[k] @ by_left
            by_left = by_left - self.motion[k] @ along
            by_motion[k] = -(by_left @ self.parts[k].T) - self.left[k] @ along.T
        by_mixing: Floats = np.tensordot(space.views, by_motion, axes=((0, 1), (1, 2)))
        return by_mixing


def deflated(space: CoefficientSpace, mixing: Floats) -> Deflation:
    """Return the deflation of W by the columns of X (d, K)."""
    motion = np.ascontiguousarray(space.motion(mixing).transpose(2, 0, 1))
    turned = motion.swapaxes(1, 2)
    inverse = np.linalg.inv(turned @ motion) @ turned
    parts = np.empty((len(motion), 3, space.target.shape[1]))
    left = np.empty((len(motion), *space.target.shape))
    rest = space.target
    for k in range(len(motion)):
        parts[k] = inverse[k] @ rest
        rest = left[k] = rest - motion[k] @ parts[k]
    return Deflation(motion, inverse, parts, left)


CSF2 = batch_spec(
    key="csf2",
    title="Complementary rank-3 spaces (CSF2)",
    reference="Gotardo, Martinez, Non-rigid structure from motion with complementary rank-3 "
    "spaces, CVPR 2011",
    solve=solve_csf2,
    params=Csf2Params,
    temporal=True,
    missing_points=True,
)
