"""A normal distribution of shapes, fitted by expectation and maximisation (EM-SfM)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench import RunContext
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.cameras import nearest_rotations
from liftbench_plugins.classical.cameras.prior_free import prior_free_start
from liftbench_plugins.classical.params import RankParams
from liftbench_plugins.classical.shapes.shape_modes import (
    LEAST_NOISE,
    ShapeModes,
    Views,
    expected_shapes,
    maximise,
    posterior,
)
from liftbench_plugins.classical.tracks import Factors, Tracks, frames_of, matrix_of

# At the start the noise counts 1 + this number times. With the paper's 60, and half as many steps,
# the likelihood ends lower on every sequence that we have.
_HEAT = 20.0


@dataclass(frozen=True)
class EmSfmParams(RankParams):
    """Parameters of EM-SfM; a shape is the mean shape plus K modes.

    Attributes:
        steps: number of steps of expectation and maximisation.
    """

    steps: int = 120


def solve_em_sfm(tracks: Tracks, params: EmSfmParams, context: RunContext) -> Factors:
    """Return cameras, and the expected shapes of a normal distribution with K modes.

    Source: Torresani, Hertzmann, Bregler, Nonrigid structure-from-motion: estimating shape and
    motion with hierarchical priors, TPAMI 2008, without their dynamics. In the first half of the
    steps the noise counts more than it is. The paper starts from the cameras of a rigid body, which
    are wrong if most of the motion is a deformation. We start from prior-free cameras, which also
    need no order of frames.

    Raises:
        ValueError: the frames do not determine cameras and shapes.
    """
    start = prior_free_start(params.shapes, tracks)
    views = Views(frames_of(tracks.rows, 2), tracks.visible)
    model = first_modes(start.whole, start.rotation[:, :2], start.rank)
    for step in range(params.steps):
        heat = max(0.0, _HEAT * (1 - 2 * step / params.steps))
        model = maximise(model, posterior(model, views, 1 + heat), views)
    shape = expected_shapes(model, posterior(model, views), views)
    return Factors(nearest_rotations(model.camera), shape)


def first_modes(image: Floats, camera: Floats, count: int) -> ShapeModes:
    """Return the mean shape that explains images best, and modes that explain the residual.

    Modes are found one by one. The coefficients of a mode are the first singular vector of
    pinv(R) (residual), which has one row per frame; the mode is the shape that explains most with
    these coefficients.

    Args:
        image: (F, P, 2), centred, without hidden points.
        camera: (F, 2, 3), with orthonormal rows.
        count: K, the number of modes.
    """
    rest, basis = image, []
    coefficient = np.ones(len(image))
    for _ in range(count + 1):
        moved = (coefficient[:, None, None] * camera).reshape(-1, 3)
        part = np.linalg.lstsq(moved, matrix_of(rest), rcond=None)[0]
        rest = rest - frames_of(moved @ part, 2)
        basis.append(part.T)
        seen = (rest @ camera).reshape(len(rest), -1)
        coefficient = np.linalg.svd(seen, full_matrices=False)[0][:, 0] * np.sqrt(len(rest))
    noise = max(float(np.square(rest).mean()), LEAST_NOISE)
    return ShapeModes(np.stack(basis), camera, np.zeros((len(image), 2)), noise)


EM_SFM = batch_spec(
    key="em_sfm",
    title="Normal distribution of shapes (EM-SfM)",
    reference="Torresani, Hertzmann, Bregler, Nonrigid structure-from-motion: estimating shape and "
    "motion with hierarchical priors, TPAMI 2008",
    solve=solve_em_sfm,
    params=EmSfmParams,
    missing_points=True,
)
