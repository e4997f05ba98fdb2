"""Complementary rank-3 spaces: each basis shape explains what those before it leave (CSF2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from liftbench import RunContext
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.trajectory_cameras import trajectory_cameras
from liftbench_plugins.classical.csf import fit_mixing, joint_shapes
from liftbench_plugins.classical.params import SmoothParams
from liftbench_plugins.classical.shapes.coefficient_space import CoefficientSpace, coefficient_space
from liftbench_plugins.classical.shapes.dct import dct_basis
from liftbench_plugins.classical.shapes.nuclear_norm import complete_images
from liftbench_plugins.classical.shapes.shape_rank import shape_rank
from liftbench_plugins.classical.tracks import Factors, Tracks, frames_of, matrix_of

_TOLERANCE = 1e-12
_MEMORY = 30


@dataclass(frozen=True)
class Csf2Params(SmoothParams):
    """Parameters of CSF2; without `shapes`, K is the largest K up to 10 that W supports.

    Attributes:
        joint_steps: limit on the steps of the joint fit of all spaces, which comes second.
    """

    steps: int = 300
    joint_steps: int = 30


def solve_csf2(tracks: Tracks, params: Csf2Params, context: RunContext) -> Factors:
    """Return cameras, and shapes whose coefficients explain W one basis shape after another.

    With M_k = R (DCT X_k ⊗ I) of rank 3, S_k = M_k^+ W_k and W_{k+1} = W_k - M_k S_k: minimises
    ‖W_{K+1}‖^2 over X (Gotardo and Martinez, Non-rigid structure from motion with complementary
    rank-3 spaces, CVPR 2011). We use a quasi-Newton method with the exact gradient in place of
    their Gauss-Newton steps. Such spaces are exact only if they are orthogonal, so we then fit all
    of them together, as CSF does, and take this joint fit if it is well conditioned. Hidden points
    are completed by the least nuclear norm of W; the paper fits a matrix of low rank.

    Raises:
        ValueError: the frames do not determine cameras and shapes.
    """
    rows = matrix_of(complete_images(frames_of(tracks.rows, 2), tracks.visible))
    count = shape_rank(params.shapes, tracks, rows)
    rotation = trajectory_cameras(rows, shape_rank(params.cameras, tracks, rows))
    basis = dct_basis(tracks.frames, params.basis_size(tracks.frames, count))
    space = coefficient_space(rows, rotation, basis)
    mixing = fit_complementary_mixing(space, np.eye(basis.shape[1], count), params.steps)
    joint = fit_mixing(space, np.linalg.qr(mixing)[0], params.joint_steps)
    if space.is_well_conditioned(joint):
        shape = space.shapes(joint, joint_shapes(space, joint))
    else:
        shape = space.shapes(mixing, deflate(space, mixing).parts)
    return Factors(rotation, shape)


def fit_complementary_mixing(space: CoefficientSpace, start: Floats, steps: int) -> Floats:
    """Return X (d, K) near `start` whose deflation leaves the least residual of W."""

    def misfit(entries: Floats) -> tuple[float, Floats]:
        found = deflate(space, entries.reshape(start.shape))
        value = float(np.square(found.rest).sum()) / 2
        return value, found.gradient(space).ravel()

    options = {"maxiter": steps, "maxfun": 2 * steps, "ftol": _TOLERANCE, "maxcor": _MEMORY}
    found = minimize(misfit, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    mixing: Floats = found.x.reshape(start.shape)
    return mixing


@dataclass(frozen=True, eq=False)
class Deflation:
    """W explained by one basis shape after another, each fitted to the residual before it.

    Attributes:
        motion: M_k of each basis shape, (K, m, 3).
        inverse: M_k^+, (K, 3, m).
        parts: the basis shapes S_k, (K, 3, P).
        left: the residual W_{k+1} after each basis shape, (K, m, P).
    """

    motion: Floats
    inverse: Floats
    parts: Floats
    left: Floats

    @property
    def rest(self) -> Floats:
        """The residual after all basis shapes, (m, P)."""
        last: Floats = self.left[-1]
        return last

    def gradient(self, space: CoefficientSpace) -> Floats:
        """Return the gradient (d, K) of 1/2 ‖rest‖^2 by X.

        Backwards through W_{k+1} = (I - M_k M_k^+) W_k: A, the derivative by W_{k+1}, is projected
        in the same way, and the derivative by M_k is -(I - M M^+) A S' - W_{k+1} (M^+ A)'.
        """
        by_motion = np.empty_like(self.motion)
        by_left = self.rest
        for k in reversed(range(len(self.motion))):
            along = self.inverse[k] @ by_left
            by_left = by_left - self.motion[k] @ along
            by_motion[k] = -(by_left @ self.parts[k].T) - self.left[k] @ along.T
        by_mixing: Floats = np.tensordot(space.views, by_motion, axes=((0, 1), (1, 2)))
        return by_mixing


def deflate(space: CoefficientSpace, mixing: Floats) -> Deflation:
    """Return W explained by the basis shapes of the columns of X (d, K), one after another."""
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
