"""Cameras of deforming bodies without a prior, from a corrective of rank 3 (Dai, Li and He)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.cameras import nearest_rotations, with_common_signs
from liftbench_plugins.classical.cameras.metric_upgrade import orthonormality, refine_corrective
from liftbench_plugins.classical.cameras.semidefinite import least_cost, null_space
from liftbench_plugins.classical.shapes.nuclear_norm import complete_images
from liftbench_plugins.classical.shapes.shape_rank import shape_rank
from liftbench_plugins.classical.tracks import Tracks, frames_of, matrix_of


@dataclass(frozen=True, eq=False)
class PriorFreeStart:
    """The rank, images and cameras that a method starts from.

    Attributes:
        rank: K.
        whole: images (F, P, 2), centred, with hidden points filled in.
        rotation: (F, 3, 3), body to camera.
    """

    rank: int
    whole: Floats
    rotation: Floats


def prior_free_start(asked: int | None, tracks: Tracks) -> PriorFreeStart:
    """Return K, images completed with the least nuclear norm, and prior-free cameras.

    The cameras have the signs with which the bodies agree, so frames need no order.

    Raises:
        ValueError: the frames do not determine cameras.
    """
    whole = complete_images(frames_of(tracks.rows, 2), tracks.visible)
    rows = matrix_of(whole)
    rank = prior_free_rank(asked, tracks, rows)
    rotation = with_common_signs(nearest_rotations(prior_free_motion(rows, rank)), whole)
    return PriorFreeStart(rank, whole, rotation)


def prior_free_rank(asked: int | None, tracks: Tracks, filled: Floats | None = None) -> int:
    """Return K as `shape_rank` does; a K that is not `asked` must also have enough frames.

    The equations of orthonormality have a space of solutions with 2K^2 - K dimensions (Dai, Li,
    He). The 2F equations must determine the other 3K(3K + 1)/2 - (2K^2 - K) unknowns.
    """
    rank = shape_rank(asked, tracks, filled)
    if asked is not None:
        return rank
    while rank > 1 and 5 * rank * (rank + 1) > 4 * tracks.frames:
        rank -= 1
    return rank


def prior_free_motion(rows: Floats, rank: int) -> Floats:
    """Return the first two rows (F, 2, 3) of cameras, each with an unknown scale and sign.

    The Gram matrix Q = G G' of the corrective G of rank 3 is positive semidefinite, fulfils the
    equations of orthonormality and has the least trace; G is then refined (Dai, Li, He, A simple
    prior-free method for non-rigid structure-from-motion factorization, CVPR 2012). The paper
    factorises W with U S^1/2. We take the trace for this factor, but the equations for U, because
    weak columns fulfil any equation. We fix the scale of Q by the mean squared length of camera
    rows; the paper fixes a sum of coordinates, whose signs are the arbitrary ones of singular
    vectors.

    Args:
        rows: W, (2F, P), centred.
        rank: K.

    Raises:
        ValueError: a frame does not determine a camera.
    """
    cameras, values = camera_factor(rows, rank)
    space = null_space(orthonormality(cameras), 2 * rank**2 - rank)
    cost = np.diag(values[0] / np.maximum(values, _WEAKEST * values[0]))
    # The columns of U have one length, so <I, Q> is the mean squared length of camera rows.
    gram = least_cost(space, cost, np.eye(3 * rank))
    return cameras @ refine_corrective(cameras, rank_three_factor(gram))


def camera_factor(rows: Floats, rank: int) -> tuple[Floats, Floats]:
    """Return the first 3K left singular vectors of W (2F, P), as (F, 2, 3K), and values (3K,).

    The vectors are scaled to the length sqrt(2F).
    """
    left, values, _ = np.linalg.svd(rows, full_matrices=False)
    cameras: Floats = left[:, : 3 * rank] * np.sqrt(len(rows))
    return cameras.reshape(-1, 2, 3 * rank), values[: 3 * rank]


def rank_three_factor(gram: Floats) -> Floats:
    """Return the G (n, 3) for which G G' is nearest to a Gram matrix (n, n)."""
    values, vectors = np.linalg.eigh(gram)
    factor: Floats = vectors[:, -3:] * np.sqrt(np.maximum(values[-3:], 0))
    return factor


# Columns weaker than this share of the strongest all have one cost: W may have a rank below 3K.
_WEAKEST = 1e-6
