"""The prior-free method revisited by Kumar: smooth cameras, a weighted nuclear norm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench import RunContext
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.cameras import chained, nearest_rotations
from liftbench_plugins.classical.cameras.prior_free import prior_free_motion, prior_free_rank
from liftbench_plugins.classical.cameras.rotation_smoothing import smoothed
from liftbench_plugins.classical.params import RankParams
from liftbench_plugins.classical.shapes.nuclear_norm import least_norm_shape, stacked
from liftbench_plugins.classical.tracks import Factors, Tracks, frames_of


@dataclass(frozen=True)
class BmmRevisitedParams(RankParams):
    """Parameters of the revisited method.

    Attributes:
        weight_floor: what is added to singular values before they weigh, as a share of the
            greatest; the paper has a number that is to prevent division by zero alone.
    """

    weight_floor: float = 1e-3


def solve_bmm_revisited(tracks: Tracks, params: BmmRevisitedParams, context: RunContext) -> Factors:
    """Return smooth prior-free cameras and the shapes of least sum_i w_i s_i(S#) with R S = W.

    Each weight is one over a singular value of the shapes of least ‖S#‖_*, so that the strong
    deformations of a smooth body are not shrunk for the weak ones. Source: Kumar, Non-rigid
    structure from motion: prior-free factorization method revisited, WACV 2020; how cameras are
    made smooth is our own, see `smoothed`.

    Raises:
        ValueError: the frames do not determine them.
    """
    rank = prior_free_rank(params.shapes, tracks)
    image = frames_of(tracks.rows, 2)
    rotation = smooth_cameras(prior_free_motion(tracks.rows, rank))
    plain = least_norm_shape(image, tracks.visible, rotation)
    values = np.linalg.svd(stacked(plain), compute_uv=False)
    weights = 1 / (values / values[0] + params.weight_floor)
    return Factors(rotation, least_norm_shape(image, tracks.visible, rotation, weights))


def smooth_cameras(motion: Floats) -> Floats:
    """Return rotations (F, 3, 3), chained and smoothed, of scaled camera rows (F, 2, 3).

    A camera is uncertain by as much as its rows depart from orthonormal ones.
    """
    rotation = nearest_rotations(motion)
    scale = np.einsum("fac,fac->f", motion, rotation[:, :2]) / 2
    departure = motion / scale[:, None, None] - rotation[:, :2]
    return smoothed(chained(rotation), np.linalg.norm(departure, axis=(1, 2)))


BMM_REVISITED = batch_spec(
    key="bmm_revisited",
    title="Prior-free, revisited",
    reference="Kumar, Non-rigid structure from motion: prior-free factorization method revisited, "
    "WACV 2020",
    solve=solve_bmm_revisited,
    params=BmmRevisitedParams,
    temporal=True,
)
