"""The prior-free method as revisited by Kumar: smooth cameras, a weighted nuclear norm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench import RunContext
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.cameras import nearest_rotations, with_smooth_signs
from liftbench_plugins.classical.cameras.prior_free import prior_free_motion, prior_free_rank
from liftbench_plugins.classical.cameras.rotation_smoothing import smooth_rotations
from liftbench_plugins.classical.params import RankParams
from liftbench_plugins.classical.shapes.nuclear_norm import least_norm_shape, stack_coordinates
from liftbench_plugins.classical.tracks import Factors, Tracks, frames_of


@dataclass(frozen=True)
class BmmRevisitedParams(RankParams):
    """Parameters of the revisited method.

    Attributes:
        weight_floor: number added to each singular value before its inverse is the weight, as a
            share of the largest value. In the paper it only prevents a division by zero.
    """

    weight_floor: float = 1e-3


def solve_bmm_revisited(tracks: Tracks, params: BmmRevisitedParams, context: RunContext) -> Factors:
    """Return smooth prior-free cameras and the shapes of least sum_i w_i s_i(S#) with R S = W.

    Each weight is the inverse of a singular value of the shapes of least ‖S#‖_*, so strong
    deformations are shrunk less than weak ones. Source: Kumar, Non-rigid structure from motion:
    prior-free factorization method revisited, WACV 2020. The smoothing of cameras is our own, see
    `smooth_rotations`.

    Raises:
        ValueError: the frames do not determine cameras and shapes.
    """
    rank = prior_free_rank(params.shapes, tracks)
    image = frames_of(tracks.rows, 2)
    rotation = smooth_cameras(prior_free_motion(tracks.rows, rank))
    plain = least_norm_shape(image, tracks.visible, rotation)
    values = np.linalg.svd(stack_coordinates(plain), compute_uv=False)
    weights = 1 / (values / values[0] + params.weight_floor)
    return Factors(rotation, least_norm_shape(image, tracks.visible, rotation, weights))


def smooth_cameras(motion: Floats) -> Floats:
    """Return smooth rotations (F, 3, 3) that are near scaled camera rows (F, 2, 3).

    The uncertainty of a camera is the distance of its rows from orthonormal rows.
    """
    rotation = nearest_rotations(motion)
    scale = np.einsum("fac,fac->f", motion, rotation[:, :2]) / 2
    departure = motion / scale[:, None, None] - rotation[:, :2]
    return smooth_rotations(with_smooth_signs(rotation), np.linalg.norm(departure, axis=(1, 2)))


BMM_REVISITED = batch_spec(
    key="bmm_revisited",
    title="Prior-free, revisited",
    reference="Kumar, Non-rigid structure from motion: prior-free factorization method revisited, "
    "WACV 2020",
    solve=solve_bmm_revisited,
    params=BmmRevisitedParams,
    temporal=True,
)
