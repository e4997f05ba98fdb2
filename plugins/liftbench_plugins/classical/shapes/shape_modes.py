"""Shapes as a mean plus modes with normal coefficients: expectation and maximisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Bools, Floats
from liftbench_plugins.classical.cameras.expected_cameras import Moments

# Smallest variance of the noise for images of mean square 1; it prevents a division by zero.
LEAST_NOISE = 1e-13
# Keeps the modes finite at a point that is visible in too few frames.
_RIDGE = 1e-10


@dataclass(frozen=True, eq=False)
class Views:
    """Centred images of F frames.

    Attributes:
        image: (F, P, 2), minus the mean of the visible points; zero at hidden points.
        visible: which points are visible, (F, P).
    """

    image: Floats
    visible: Bools

    @property
    def weight(self) -> Floats:
        """1 at visible points, 0 at hidden points, (F, P)."""
        return self.visible.astype(np.float64)

    @property
    def count(self) -> Floats:
        """The number of visible points of each frame, (F,)."""
        count: Floats = self.weight.sum(axis=1)
        return count


@dataclass(frozen=True, eq=False)
class ShapeModes:
    """The model W = R (mean + sum_k z_k mode_k) + t + n with z ~ N(0, I) and n ~ N(0, noise I).

    Attributes:
        basis: the mean shape and the K modes, (K + 1, P, 3).
        camera: R, (F, 2, 3), with orthonormal rows.
        place: translation t, (F, 2).
        noise: variance of the noise of an image coordinate.
    """

    basis: Floats
    camera: Floats
    place: Floats
    noise: float


@dataclass(frozen=True, eq=False)
class Posterior:
    """The distribution of the coefficients (1, z) given the images.

    Attributes:
        mean: expected coefficients, (F, K + 1).
        second: expected products of coefficients, (F, K + 1, K + 1).
        log_likelihood: log-likelihood of all images under the model.
    """

    mean: Floats
    second: Floats
    log_likelihood: float


def posterior(model: ShapeModes, views: Views, temper: float = 1.0) -> Posterior:
    """Return the posterior of the coefficients (Torresani et al., TPAMI 2008).

    Args:
        model: the shapes, cameras and noise.
        views: the images.
        temper: factor by which the noise counts.
    """
    noise = model.noise * temper
    frames, size = len(model.camera), len(model.basis)
    seen = np.einsum("fac,kpc->fkpa", model.camera, model.basis, optimize=True)
    seen *= views.weight[:, None, :, None]
    seen = seen.reshape(frames, size, -1)
    image = views.image - model.place[:, None] * views.weight[..., None]
    left = image.reshape(frames, -1) - seen[:, 0]
    modes = seen[:, 1:]
    precision = np.eye(size - 1) + modes @ modes.swapaxes(1, 2) / noise
    covariance = np.linalg.inv(precision)
    z = (covariance @ (modes @ left[..., None]))[..., 0] / noise
    rest = left - np.einsum("fk,fkn->fn", z, modes)
    squares = np.square(rest).sum() / noise + np.square(z).sum()
    volume = np.linalg.slogdet(precision)[1].sum()
    entries = 2 * views.count.sum()
    mean = np.pad(z, ((0, 0), (1, 0)), constant_values=1.0)
    second = mean[:, :, None] * mean[:, None]
    second[:, 1:, 1:] += covariance
    return Posterior(
        mean, second, -0.5 * float(squares + volume + entries * np.log(2 * np.pi * noise))
    )


def maximise(model: ShapeModes, found: Posterior, views: Views) -> ShapeModes:
    """Return the model after one maximisation step, which never lowers the expected likelihood.

    The step updates the basis, then cameras and translations, then the noise (Torresani et al.).
    """
    basis = _fit_basis(model, found, views)
    moments, centre = _moments(basis, found, views)
    camera = moments.nearer(model.camera)
    noise = moments.misfit(camera).sum() / (2 * views.count.sum())
    place = -(camera @ centre[..., None])[..., 0]
    return ShapeModes(basis, camera, place, max(float(noise), LEAST_NOISE))


def expected_shapes(model: ShapeModes, found: Posterior, views: Views) -> Floats:
    """Return the expected shapes (F, P, 3), minus the mean of their visible points."""
    shape = np.tensordot(found.mean, model.basis, axes=1)
    offset: Floats = shape - _visible_mean(shape, views)[:, None]
    return offset


def _fit_basis(model: ShapeModes, found: Posterior, views: Views) -> Floats:
    """Return the mean shape and modes (K + 1, P, 3) of least expected misfit."""
    camera, size = model.camera, 3 * len(model.basis)
    gram = camera.swapaxes(1, 2) @ camera
    system = np.einsum("fkl,fcd->fkcld", found.second, gram).reshape(len(camera), -1)
    system = (views.weight.T @ system).reshape(-1, size, size)
    image = (views.image - model.place[:, None]) * views.weight[..., None]
    target = np.einsum("fk,fpc->pkc", found.mean, image @ camera, optimize=True)
    ridge = _RIDGE * np.trace(system, axis1=1, axis2=2)[:, None, None] / size
    entries = np.linalg.solve(system + ridge * np.eye(size), target.reshape(-1, size, 1))
    return np.ascontiguousarray(entries.reshape(*target.shape).swapaxes(0, 1))


def _moments(basis: Floats, found: Posterior, views: Views) -> tuple[Moments, Floats]:
    """Return the moments that determine cameras, and the expected mean (F, 3) of visible points."""
    products = np.einsum("kpc,lpd->pklcd", basis, basis).reshape(basis.shape[1], -1)
    products = (views.weight @ products).reshape(len(views.image), len(basis) ** 2, 9)
    second = found.second.reshape(len(products), 1, -1) @ products
    shape = np.tensordot(found.mean, basis, axes=1)
    centre = _visible_mean(shape, views)
    drift = views.count[:, None, None] * centre[:, :, None] * centre[:, None]
    moments = Moments(
        np.square(views.image).sum(axis=(1, 2)),
        views.image.swapaxes(1, 2) @ shape,
        second.reshape(-1, 3, 3) - drift,
    )
    return moments, centre


def _visible_mean(shape: Floats, views: Views) -> Floats:
    """Return the mean (F, 3) of the visible points of shapes (F, P, 3)."""
    mean: Floats = np.einsum("fp,fpc->fc", views.weight, shape) / views.count[:, None]
    return mean
