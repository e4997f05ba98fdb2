"""A Procrustean normal distribution, fitted by expectation and maximisation (EM-PND)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import helmert

from liftbench import RunContext
from liftbench.plugin.param_checks import require_all_positive
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.prior_free import prior_free_start
from liftbench_plugins.classical.shapes.procrustes import align, deformation_basis, procrustes_mean
from liftbench_plugins.classical.tracks import NO_VALUE, Factors, Tracks

# Smallest variance of a deformation if the mean shape has norm 1; it prevents a division by zero.
_LEAST = 1e-12


@dataclass(frozen=True)
class PndParams:
    """Parameters of EM-PND; the rank of the deformations is free.

    Attributes:
        steps: number of steps of expectation and maximisation.
        noise: standard deviation of the noise of an image coordinate, as a share of the root mean
            square of all coordinates.
    """

    steps: int = 40
    noise: float = 0.1

    def __post_init__(self) -> None:
        require_all_positive(self)


@dataclass(frozen=True, eq=False)
class Procrustean:
    """The model W = R y / s + n of images with n ~ N(0, noise I) and Q'y ~ N(0, covariance).

    The part of a shape y outside the span of Q is rigid, and the model leaves it free. Shapes have
    n = P - 1 points: coordinates that are free of translation.

    Attributes:
        mean: mean shape, (n, 3), of norm 1.
        covariance: covariance of Q'y, (3n - 4, 3n - 4); Q is `deformation_basis(mean)`.
        rotation: R, (F, 3, 3), body to camera.
        size: s, (F,), the factor that brings a shape to the size of the mean.
        noise: variance of the noise of an image coordinate.
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
        mean: expected shapes, (F, n, 3).
        covariance: covariance of the coordinates of each shape, (F, 3n, 3n).
    """

    mean: Floats
    covariance: Floats


def solve_pnd(tracks: Tracks, params: PndParams, context: RunContext) -> Factors:
    """Return cameras and the expected shapes of a Procrustean normal distribution.

    Deformations may have any rank, but no deformation changes the size of the mean shape or rotates
    it. The variance of the noise is a parameter: a covariance of full rank explains any image, so
    an estimated variance would fall to zero, and the steps with it. The first cameras are
    prior-free. Source: Lee, Cho, Choi, Oh, Procrustean normal distribution for non-rigid structure
    from motion, CVPR 2013, as described by its successor of the same name (TPAMI 2017).

    Raises:
        ValueError: the frames do not determine cameras and shapes.
    """
    start = prior_free_start(None, tracks)
    basis = helmert(tracks.points)
    image = basis @ start.whole
    model = first_model(image, start.rotation, params.noise**2)
    for _ in range(params.steps):
        model = realign(model, shape_posterior(model, image))
    shape = shape_posterior(model, image).mean / model.size[:, None, None]
    return Factors(model.rotation, basis.T @ shape)


def first_model(image: Floats, rotation: Floats, noise: float) -> Procrustean:
    """Return the model of the shapes that differ least from their mean.

    Args:
        image: (F, n, 2), free of translation.
        rotation: (F, 3, 3), body to camera.
        noise: variance of the noise of an image coordinate.

    Raises:
        ValueError: all cameras look along one axis.
    """
    axis = rotation[:, 2]
    seen = image @ rotation[:, :2]
    # With the depth z = mean · axis, the mean shape is the mean of the images in the body's frame
    # plus its own parts along the axes.
    across = np.eye(3) - axis.T @ axis / len(axis)
    if np.linalg.eigvalsh(across)[0] <= NO_VALUE:
        raise ValueError("all cameras look along one axis, so that depth is not seen")
    mean = np.linalg.solve(across, seen.mean(axis=0).T).T
    shape = seen + (axis @ mean.T)[..., None] * axis[:, None]
    guess = Procrustean(mean, np.eye(1), rotation, np.ones(len(image)), noise)
    spread = noise * np.eye(mean.size) / np.square(np.linalg.norm(mean))
    return realign(
        guess, ShapePosterior(shape, np.broadcast_to(spread, (len(image), *spread.shape)))
    )


def shape_posterior(model: Procrustean, image: Floats) -> ShapePosterior:
    """Return the distribution of shapes given images (F, n, 2).

    The prior precision of y is Q C^-1 Q', which leaves rigid changes free. An image adds R'R, of
    the first two rows of R, to the precision of every point, divided by the noise and the squared
    size.
    """
    basis, count = deformation_basis(model.mean), len(model.mean)
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


def realign(model: Procrustean, found: ShapePosterior) -> Procrustean:
    """Return the model with the mean and the covariance of the aligned expected shapes."""
    mean = procrustes_mean(found.mean, model.mean)
    size, turn = align(found.mean, mean)
    shape = (size[:, None, None] * (found.mean @ turn)).reshape(len(turn), -1)
    second = shape.T @ shape + _sum_turned_covariances(found.covariance, turn * size[:, None, None])
    basis = deformation_basis(mean)
    covariance = basis.T @ second @ basis / len(turn) + _LEAST * np.eye(basis.shape[1])
    return Procrustean(mean, covariance, model.rotation @ turn, model.size * size, model.noise)


def _sum_turned_covariances(covariance: Floats, turn: Floats) -> Floats:
    """Return the sum (3n, 3n) of covariances (F, 3n, 3n) after each point x became x T.

    Args:
        covariance: (F, 3n, 3n).
        turn: T, (F, 3, 3).
    """
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
