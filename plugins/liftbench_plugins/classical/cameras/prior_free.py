"""Cameras of deforming bodies from a corrective of rank 3, without a prior (Dai, Li and He)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.cameras import agreeing, nearest_rotations
from liftbench_plugins.classical.cameras.metric_upgrade import orthonormality, refined_corrective
from liftbench_plugins.classical.cameras.semidefinite import least_cost, null_space
from liftbench_plugins.classical.shapes.nuclear_norm import completed
from liftbench_plugins.classical.shapes.shape_rank import shape_rank
from liftbench_plugins.classical.tracks import Tracks, frames_of, matrix_of


@dataclass(frozen=True, eq=False)
class PriorFreeStart:
    """What is known of a body before its shapes.

    Attributes:
        rank: K.
        whole: images (F, P, 2), centred, hidden points filled.
        rotation: (F, 3, 3), body to camera.
    """

    rank: int
    whole: Floats
    rotation: Floats


def prior_free_start(asked: int | None, tracks: Tracks) -> PriorFreeStart:
    """Return K, images filled with the least nuclear norm, and the prior-free cameras.

    Their signs are those with which the bodies agree, so that frames need no order.

    Raises:
        ValueError: the frames do not determine them.
    """
    whole = completed(frames_of(tracks.rows, 2), tracks.visible)
    rows = matrix_of(whole)
    rank = prior_free_rank(asked, tracks, rows)
    rotation = agreeing(nearest_rotations(prior_free_motion(rows, rank)), whole)
    return PriorFreeStart(rank, whole, rotation)


def prior_free_rank(asked: int | None, tracks: Tracks, filled: Floats | None = None) -> int:
    """Return K as `shape_rank` does, but by the rule no more than the frames determine.

    The solutions of the equations of orthonormality are a space of 2K^2 - K dimensions (Dai, Li,
    He), if there are 2F of them for the 3K(3K + 1)/2 - (2K^2 - K) other unknowns.
    """
    rank = shape_rank(asked, tracks, filled)
    if asked is not None:
        return rank
    while rank > 1 and 5 * rank * (rank + 1) > 4 * tracks.frames:
        rank -= 1
    return rank


def prior_free_motion(rows: Floats, rank: int) -> Floats:
    """Return the first two rows (F, 2, 3) of cameras, each with a scale and sign of its own.

    The corrective G of rank 3 is found by its Gram matrix Q = G G', which is positive
    semidefinite, meets the equations of orthonormality and has the least trace, and is refined
    (Dai, Li, He, A simple prior-free method for non-rigid structure-from-motion factorization,
    CVPR 2012). Of the paper's factor U S^1/2 of W we take the trace, but the equations of U, as
    weak columns meet any; and we set the scale of Q by the mean squared length of camera rows,
    where the paper has the sum of coordinates, whose signs are those of singular vectors.

    Args:
        rows: W, (2F, P), centred.
        rank: K.

    Raises:
        ValueError: a frame shows too little for a camera.
    """
    cameras, values = camera_factor(rows, rank)
    space = null_space(orthonormality(cameras), 2 * rank**2 - rank)
    cost = np.diag(values[0] / np.maximum(values, _WEAKEST * values[0]))
    # The columns of U have one length, so that the identity gives the mean squared length of rows.
    gram = least_cost(space, cost, np.eye(3 * rank))
    return cameras @ refined_corrective(cameras, rank_three_factor(gram))


def camera_factor(rows: Floats, rank: int) -> tuple[Floats, Floats]:
    """Return the first 3K left singular vectors of W (2F, P) and their values (3K,).

    The vectors come as rows (F, 2, 3K) of frames; their length is the root of 2F.
    """
    left, values, _ = np.linalg.svd(rows, full_matrices=False)
    cameras: Floats = left[:, : 3 * rank] * np.sqrt(len(rows))
    return cameras.reshape(-1, 2, 3 * rank), values[: 3 * rank]


def rank_three_factor(gram: Floats) -> Floats:
    """Return the G (n, 3) with G G' nearest to a Gram matrix (n, n)."""
    values, vectors = np.linalg.eigh(gram)
    factor: Floats = vectors[:, -3:] * np.sqrt(np.maximum(values[-3:], 0))
    return factor


# Weaker columns than this share of the strongest cost no more: W of rank below 3K has some.
_WEAKEST = 1e-6
