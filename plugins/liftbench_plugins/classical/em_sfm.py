"""Shapes of a normal distribution of low rank, by expectation and maximisation (EM-SfM)."""

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
    improved,
    posterior,
)
from liftbench_plugins.classical.tracks import Factors, Tracks, frames_of, matrix_of

# How many times greater the noise counts at the start, beside once. With the paper's 60, and half
# as many steps, the likelihood ends lower on every sequence that we have.
_HEAT = 20.0


@dataclass(frozen=True)
class EmSfmParams(RankParams):
    """Parameters of EM-SfM; K modes are added to a mean shape.

    Attributes:
        steps: of expectation and maximisation.
    """

    steps: int = 120


def solve_em_sfm(tracks: Tracks, params: EmSfmParams, context: RunContext) -> Factors:
    """Return cameras, and the expected shapes of a normal distribution with K modes.

    Source: Torresani, Hertzmann, Bregler, Nonrigid structure-from-motion: estimating shape and
    motion with hierarchical priors, TPAMI 2008, without their dynamics. The noise counts
    as greater than it is in the first half of the steps. The paper starts from the cameras of a
    rigid body, which are far off where most of the motion is a deformation; we start from those of
    the prior-free method, also because they need no order of time.

    Raises:
        ValueError: the frames do not determine them.
    """
    start = prior_free_start(params.shapes, tracks)
    views = Views(frames_of(tracks.rows, 2), tracks.visible)
    model = first_modes(start.whole, start.rotation[:, :2], start.rank)
    for step in range(params.steps):
        heat = max(0.0, _HEAT * (1 - 2 * step / params.steps))
        model = improved(model, posterior(model, views, 1 + heat), views)
    shape = expected_shapes(model, posterior(model, views), views)
    return Factors(nearest_rotations(model.camera), shape)


def first_modes(image: Floats, camera: Floats, count: int) -> ShapeModes:
    """Return the mean shape that explains images best, and modes for what it leaves, one by one.

    The coefficients of a mode are the first singular vector of pinv(R) (what is left), a row for
    all coordinates of a frame; the mode is the shape that explains most with them.

    Args:
        image: (F, P, 2), centred, without hidden points.
        camera: (F, 2, 3).
        count: K.
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
