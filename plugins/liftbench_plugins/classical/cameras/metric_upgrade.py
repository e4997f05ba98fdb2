"""Metric upgrade: corrective matrices that turn affine cameras into orthographic cameras."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.gauss_newton import Quadratic, damped_gauss_newton


def metric_upgrade(cameras: Floats) -> Floats:
    """Return the (3, 3) A that makes the rows of every `cameras @ A` orthonormal in least squares.

    Solves r1 Q r1' = r2 Q r2' = 1 and r1 Q r2' = 0 for the symmetric Q = A A' (Tomasi and Kanade,
    Shape and motion from image streams under orthography, IJCV 1992).

    Args:
        cameras: (F, 2, 3) affine cameras.
    """
    first, second = cameras[:, 0], cameras[:, 1]
    pairs = ((first, first), (second, second), (first, second))
    system = np.concatenate([quadratic_terms(a, b) for a, b in pairs])
    target = np.repeat([1.0, 1.0, 0.0], len(cameras))
    gram = symmetric(np.linalg.lstsq(system, target, rcond=None)[0])
    values, vectors = np.linalg.eigh(gram)
    # Deforming bodies can make Q indefinite; a small positive eigenvalue keeps A invertible.
    upgrade: Floats = vectors * np.sqrt(np.maximum(values, 1e-6 * values.max()))
    return upgrade


def orthonormality(cameras: Floats) -> Floats:
    """Return the equations (2F, n(n+1)/2) of orthonormal rows, up to one scale per frame.

    The first F equations are r1 Q r1' - r2 Q r2' = 0, the others r1 Q r2' = 0. They act on the
    upper triangle of Q; `symmetric` turns a solution into Q.

    Args:
        cameras: (F, 2, n) affine cameras.
    """
    first, second = cameras[:, 0], cameras[:, 1]
    lengths = quadratic_terms(first, first) - quadratic_terms(second, second)
    return np.concatenate([lengths, quadratic_terms(first, second)])


def refine_corrective(cameras: Floats, start: Floats) -> Floats:
    """Return the corrective (n, 3) near `start` whose camera rows are orthonormal up to scale.

    Minimises the sum over frames of (1 - |r2|^2/|r1|^2)^2 + 4 (r1 r2'/|r1|^2)^2 for the rows of
    `cameras @ G` (Akhter, Sheikh, Khan, In defense of orthonormality constraints for nonrigid
    structure from motion, CVPR 2009; Dai, Li, He, CVPR 2012, by quasi-Newton steps).

    Args:
        cameras: (F, 2, n) affine cameras, none with a first row of length zero.
        start: (n, 3).
    """

    def model(entries: Floats) -> Quadratic:
        corrective = entries.reshape(start.shape)
        residual = _departures(cameras, corrective)
        jacobian = _departure_derivatives(cameras, corrective)
        return float(residual @ residual) / 2, jacobian.T @ residual, jacobian.T @ jacobian

    # The value does not depend on the scale of G; starts of one norm make damping comparable.
    found = damped_gauss_newton(
        model, start.ravel() / np.linalg.norm(start), steps=_STEPS, tolerance=_TOLERANCE
    )
    return found.reshape(start.shape)


def quadratic_terms(a: Floats, b: Floats) -> Floats:
    """Return the coefficients (F, n(n+1)/2) of a' Q b on the upper triangle of a symmetric Q.

    Args:
        a: (F, n).
        b: (F, n).
    """
    size = a.shape[1]
    row, column = np.triu_indices(size)
    terms = a[:, row] * b[:, column]
    terms[:, row != column] += (a[:, column] * b[:, row])[:, row != column]
    return terms


def symmetric(upper: Floats) -> Floats:
    """Return the symmetric matrix (n, n) with the given upper triangle (n(n+1)/2,)."""
    size = int(np.sqrt(2 * len(upper)))
    matrix = np.zeros((size, size))
    matrix[np.triu_indices(size)] = upper
    return matrix + np.triu(matrix, 1).T


def _departures(cameras: Floats, corrective: Floats) -> Floats:
    """Return the residuals (2F,): 1 - |r2|^2/|r1|^2 of each frame, then 2 r1 r2'/|r1|^2 of each."""
    first, second = (cameras @ corrective).swapaxes(0, 1)
    length = _products(first, first)
    return np.concatenate(
        [1 - _products(second, second) / length, 2 * _products(first, second) / length]
    )


def _departure_derivatives(cameras: Floats, corrective: Floats) -> Floats:
    """Return the derivatives (2F, 3n) of `_departures` by the entries of the corrective."""
    first, second = (cameras @ corrective).swapaxes(0, 1)
    length = _products(first, first)[:, None]
    ratio = _products(second, second)[:, None] / length
    slant = _products(first, second)[:, None] / length
    by_first = np.stack([2 * ratio * first, 2 * second - 4 * slant * first]) / length
    by_second = np.stack([-2 * second, 2 * first]) / length
    one, two = cameras.swapaxes(0, 1)
    derivatives: Floats = (
        one[:, :, None] * by_first[:, :, None, :] + two[:, :, None] * by_second[:, :, None, :]
    )
    return derivatives.reshape(-1, corrective.size)


def _products(a: Floats, b: Floats) -> Floats:
    """Return the inner products (F,) of rows (F, 3)."""
    products: Floats = np.einsum("fc,fc->f", a, b)
    return products


_STEPS, _TOLERANCE = 300, 1e-8
