"""The Procrustean normal distribution of shapes, by expectation and maximisation (EM-PND)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import helmert

from liftbench import RunContext
from liftbench.plugin.param_checks import require_all_positive
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.prior_free import prior_free_start
from liftbench_plugins.classical.shapes.procrustes import aligned, deformations, procrustes_mean
from liftbench_plugins.classical.tracks import NO_VALUE, Factors, Tracks

# Variance along a deformation at the least, where the mean shape has norm 1: it is divided by.
_LEAST = 1e-12


@dataclass(frozen=True)
class PndParams:
    """Parameters of EM-PND; the rank of deformations is left free.

    Attributes:
        steps: of expectation and maximisation.
        noise: standard deviation of an image coordinate, as a share of the root mean square of all.
    """

    steps: int = 40
    noise: float = 0.1

    def __post_init__(self) -> None:
        require_all_positive(self)


@dataclass(frozen=True, eq=False)
class Procrustean:
    """W = R y / s + n with n ~ N(0, noise I), and Q'y ~ N(0, covariance) of a shape y.

    Nothing is known of the rest of y, its rigid part. Points are in the n = P - 1
    coordinates that are free of translation.

    Attributes:
        mean: (n, 3), of norm 1.
        covariance: of Q'y, (3n - 4, 3n - 4); Q is `deformations(mean)`.
        rotation: R, (F, 3, 3), body to camera.
        size: s, (F,), which brings a shape to that of the mean.
        noise: variance of an image coordinate.
    """

    mean: Floats
    covariance: Floats
    rotation: Floats
    size: Floats
    noise: float


@dataclass(frozen=True, eq=False)
class ShapePosterior:
    """The normal distribution of the shapes y given their images.

    Attributes:
        mean: (F, n, 3).
        covariance: (F, 3n, 3n).
    """

    mean: Floats
    covariance: Floats


def solve_pnd(tracks: Tracks, params: PndParams, context: RunContext) -> Factors:
    """Return cameras and the expected shapes of a Procrustean normal distribution.

    Source: Lee, Cho, Choi, Oh, Procrustean normal distribution for non-rigid structure from motion,
    CVPR 2013, by what its successor of the same name (TPAMI 2017) says of it. Deformations of any
    rank are normal, but none is a change of size or a rotation of the mean shape. The variance of
    the noise is given, not estimated: covariances of full rank explain any image, so that it falls
    to zero and, with it, the steps do. Cameras at the start are prior-free.

    Raises:
        ValueError: the frames do not determine them.
    """
    start = prior_free_start(None, tracks)
    basis = helmert(tracks.points)
    image = basis @ start.whole
    model = first_model(image, start.rotation, params.noise**2)
    for _ in range(params.steps):
        model = realigned(model, shape_posterior(model, image))
    shape = shape_posterior(model, image).mean / model.size[:, None, None]
    return Factors(model.rotation, basis.T @ shape)


def first_model(image: Floats, rotation: Floats, noise: float) -> Procrustean:
    """Return the model of the shapes that differ least from their mean.

    Args:
        image: (F, n, 2).
        rotation: (F, 3, 3), body to camera.
        noise: variance of an image coordinate.

    Raises:
        ValueError: no camera turns.
    """
    axis = rotation[:, 2]
    seen = image @ rotation[:, :2]
    # With depth z = mean · axis the mean is that of the seen points plus its own part along axes.
    across = np.eye(3) - axis.T @ axis / len(axis)
    if np.linalg.eigvalsh(across)[0] <= NO_VALUE:
        raise ValueError("all cameras look along one axis, so that depth is not seen")
    mean = np.linalg.solve(across, seen.mean(axis=0).T).T
    shape = seen + (axis @ mean.T)[..., None] * axis[:, None]
    guess = Procrustean(mean, np.eye(1), rotation, np.ones(len(image)), noise)
    spread = noise * np.eye(mean.size) / np.square(np.linalg.norm(mean))
    return realigned(
        guess, ShapePosterior(shape, np.broadcast_to(spread, (len(image), *spread.shape)))
    )


def shape_posterior(model: Procrustean, image: Floats) -> ShapePosterior:
    """Return the distribution of shapes given images (F, n, 2); nothing is known of rigid changes.

    Where the precision of y is Q C^-1 Q' before the image is seen, that of an image adds R'R of the
    two rows of R to every point, over the noise and the squared size.
    """
    basis, count = deformations(model.mean), len(model.mean)
    prior = basis @ np.linalg.solve(model.covariance, basis.T)
    camera = model.rotation[:, :2]
    weight = 1 / (np.square(model.size) * model.noise)
    precision = np.repeat(prior[None], len(image), axis=0).reshape(-1, count, 3, count, 3)
    point = np.arange(count)
    precision[:, point, :, point] += weight[:, None, None] * (camera.swapaxes(1, 2) @ camera)
    covariance = np.linalg.inv(precision.reshape(-1, 3 * count, 3 * count))
    pull = (image @ camera) * (weight * model.size)[:, None, None]
    mean = covariance @ pull.reshape(len(image), -1, 1)
    return ShapePosterior(mean.reshape(-1, count, 3), covariance)


def realigned(model: Procrustean, found: ShapePosterior) -> Procrustean:
    """Return the model whose mean is that of the aligned expected shapes, and their covariance."""
    mean = procrustes_mean(found.mean, model.mean)
    size, turn = aligned(found.mean, mean)
    shape = (size[:, None, None] * (found.mean @ turn)).reshape(len(turn), -1)
    second = shape.T @ shape + _turned_sum(found.covariance, turn * size[:, None, None])
    basis = deformations(mean)
    covariance = basis.T @ second @ basis / len(turn) + _LEAST * np.eye(basis.shape[1])
    return Procrustean(mean, covariance, model.rotation @ turn, model.size * size, model.noise)


def _turned_sum(covariance: Floats, turn: Floats) -> Floats:
    """Return the sum of covariances (F, 3n, 3n) of points x T, for T (F, 3, 3)."""
    frames, size = covariance.shape[:2]
    blocks = covariance.reshape(frames, size * size // 3, 3) @ turn
    blocks = blocks.reshape(frames, -1, 3, size).swapaxes(1, 2)
    total = np.einsum("fcnm,fcd->ndm", blocks, turn, optimize=True)
    summed: Floats = total.reshape(size, size)
    return (summed + summed.T) / 2


PND = batch_spec(
    key="pnd",
    title="Procrustean normal distribution (EM-PND)",
    reference="Lee, Cho, Choi, Oh, Procrustean normal distribution for non-rigid structure from "
    "motion, CVPR 2013",
    solve=solve_pnd,
    params=PndParams,
)
