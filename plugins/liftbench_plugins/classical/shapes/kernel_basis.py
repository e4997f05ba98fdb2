"""Kernel principal components of frames: smooth functions of the shape."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats

# Share of the kernel's spectrum that the components hold.
_SHARE = 0.99
_HALVINGS = 15
# Range of the variances s^2 that are tried, as shares of the largest dissimilarity.
_NARROW, _WIDE = 1e-5, 1e3


def kernel_basis(dissimilarity: Floats, count: int) -> Floats:
    """Return a constant and the first kernel principal components V e^(1/2) of frames, (F, count).

    The centred kernel exp(-E / 2s^2) has the width s for which the components hold 99 % of its
    spectrum: a wide kernel needs few components (Hamsici, Gotardo, Martinez, Learning
    spatially-smooth mappings in non-rigid structure from motion, ECCV 2012). The paper does not
    centre its kernel; the constant makes a rigid body exact. If a kernel is indefinite, the
    magnitudes of its eigenvalues count.

    Args:
        dissimilarity: E, (F, F), such as squared distances; zero for equal frames.
        count: number of columns, at most F.
    """
    frames = len(dissimilarity)
    constant = np.full((frames, 1), 1 / np.sqrt(frames))
    greatest = float(dissimilarity.max())
    if count == 1 or greatest <= 0:
        return constant
    low, high = np.log(greatest * _NARROW), np.log(greatest * _WIDE)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        values = np.abs(np.linalg.eigvalsh(_centred_kernel(dissimilarity, middle)))
        held = np.sort(values)[-(count - 1) :].sum() / values.sum()
        low, high = (low, middle) if held > _SHARE else (middle, high)
    values, vectors = np.linalg.eigh(_centred_kernel(dissimilarity, high))
    order = np.argsort(np.abs(values))[:-count:-1]
    sizes = np.sqrt(np.abs(values[order]))
    return np.concatenate([constant, vectors[:, order] * (sizes / sizes[0])], axis=1)


def _centred_kernel(dissimilarity: Floats, log_variance: float) -> Floats:
    """Return the kernel exp(-E / 2s^2) with rows and columns of mean zero, given log s^2."""
    kernel = np.exp(-dissimilarity / (2 * np.exp(log_variance)))
    means = kernel.mean(axis=0)
    centred: Floats = kernel - means - means[:, None] + means.mean()
    return centred
