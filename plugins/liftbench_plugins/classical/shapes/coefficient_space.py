"""Shape coefficients that are combinations of basis trajectories; cameras are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.shapes.seen_trajectories import trajectory_views

_GREATEST_CONDITION = 10.0


@dataclass(frozen=True, eq=False)
class CoefficientSpace:
    """The model W = sum over k of R (C_k ⊗ I) S_k with coefficients C = basis X, in m dimensions.

    Coefficients can explain W only in the span of `trajectory_views`, which has m <= 3d dimensions.
    The part of W outside the span is the same for all X, so it is left out.

    Attributes:
        basis: basis trajectories, (F, d).
        views: `trajectory_views` in orthonormal coordinates of its span, (m, 3, d).
        target: W in these coordinates, (m, P).
    """

    basis: Floats
    views: Floats
    target: Floats

    def motion(self, mixing: Floats) -> Floats:
        """Return the motion M (m, 3, K) of the basis shapes for coefficients X (d, K)."""
        moved: Floats = self.views @ mixing
        return moved

    def is_well_conditioned(self, mixing: Floats) -> bool:
        """Return whether a joint fit of all basis shapes of X (d, K) amplifies noise little."""
        motion = self.motion(mixing).reshape(len(self.views), -1)
        return bool(np.linalg.cond(motion) <= _GREATEST_CONDITION)

    def shapes(self, mixing: Floats, parts: Floats) -> Floats:
        """Return the shapes (F, P, 3) for coefficients X (d, K) and basis shapes S (K, 3, P)."""
        return np.tensordot(self.basis @ mixing, parts, axes=1).swapaxes(1, 2)


def coefficient_space(rows: Floats, rotation: Floats, basis: Floats) -> CoefficientSpace:
    """Return the space for W (2F, P), cameras (F, 3, 3) and basis trajectories (F, d)."""
    span, upper = np.linalg.qr(trajectory_views(rotation, basis))
    views = upper.reshape(len(upper), -1, 3).swapaxes(1, 2)
    return CoefficientSpace(basis, np.ascontiguousarray(views), span.T @ rows)
