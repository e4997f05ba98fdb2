"""Shape coefficients that are combinations of basis trajectories, before known cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.shapes.seen_trajectories import seen

_GREATEST_CONDITION = 10.0


@dataclass(frozen=True, eq=False)
class CoefficientSpace:
    """W = sum over k of R (C_k ⊗ I) S_k with coefficients C = basis X, free of the frames.

    All that coefficients can explain lies in the 3d dimensions that `seen` spans; what is left of
    W is the same for all X.

    Attributes:
        basis: (F, d).
        views: (m, 3, d), `seen` in orthonormal coordinates of its span.
        target: (m, P), W in these coordinates.
    """

    basis: Floats
    views: Floats
    target: Floats

    def motion(self, mixing: Floats) -> Floats:
        """Return M (m, 3, K) of X (d, K): how each basis shape moves in the image."""
        moved: Floats = self.views @ mixing
        return moved

    def tells_apart(self, mixing: Floats) -> bool:
        """Whether a joint fit of all basis shapes of X (d, K) amplifies noise but little."""
        motion = self.motion(mixing).reshape(len(self.views), -1)
        return bool(np.linalg.cond(motion) <= _GREATEST_CONDITION)

    def shapes(self, mixing: Floats, parts: Floats) -> Floats:
        """Return the shapes (F, P, 3) of X (d, K) and basis shapes S (K, 3, P)."""
        return np.tensordot(self.basis @ mixing, parts, axes=1).swapaxes(1, 2)


def coefficient_space(rows: Floats, rotation: Floats, basis: Floats) -> CoefficientSpace:
    """Return the space of W (2F, P), cameras (F, 3, 3) and basis trajectories (F, d)."""
    span, upper = np.linalg.qr(seen(rotation, basis))
    views = upper.reshape(len(upper), -1, 3).swapaxes(1, 2)
    return CoefficientSpace(basis, np.ascontiguousarray(views), span.T @ rows)
