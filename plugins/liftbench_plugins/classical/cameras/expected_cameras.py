"""Cameras that fit the images best in expectation, given mean and covariance of the shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Floats

_ROUNDS = 10


@dataclass(frozen=True, eq=False)
class Moments:
    """The sums that determine the expected misfit E ‖W - R X‖^2 of F frames; W is centred.

    Attributes:
        image: sum of squares of the visible image points w, (F,).
        mixed: sum over visible points of w E[x]', (F, 2, 3).
        shape: sum over visible points of E[x x'] about their expected mean, (F, 3, 3).
    """

    image: Floats
    mixed: Floats
    shape: Floats

    def misfit(self, camera: Floats) -> Floats:
        """Return the expected misfit (F,) of cameras (F, 2, 3), each at its best translation."""
        overlap = np.einsum("fac,fac->f", self.mixed, camera)
        length = np.einsum("fac,fac->f", camera @ self.shape, camera)
        left: Floats = self.image - 2 * overlap + length
        return left

    def nearer(self, camera: Floats) -> Floats:
        """Return orthonormal cameras (F, 2, 3) whose expected misfit is no larger in any frame.

        With b the largest eigenvalue of `shape`, tr R (b I - shape) R' is convex in R, so its
        tangent gives an upper bound of the misfit. The orthonormal rows that minimise the bound are
        a polar factor. Torresani et al. (TPAMI 2008) lower the misfit by one step along the twist
        of the rotation; the bound needs no step length.
        """
        bound = np.linalg.eigvalsh(self.shape)[:, -1, None, None] * np.eye(3) - self.shape
        for _ in range(_ROUNDS):
            left, _, right = np.linalg.svd(self.mixed + camera @ bound, full_matrices=False)
            camera = left @ right
        return camera
