"""Point trajectory approach: every point moves along a smooth trajectory (PTA)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from liftbench import RunContext
from liftbench.plugin.param_checks import require_all_positive
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.trajectory_cameras import trajectory_cameras
from liftbench_plugins.classical.shapes.dct import dct_basis
from liftbench_plugins.classical.shapes.seen_trajectories import (
    clearest_basis,
    require_distinct,
    trajectory_views,
)
from liftbench_plugins.classical.shapes.shape_rank import shape_rank
from liftbench_plugins.classical.tracks import Factors, Tracks


@dataclass(frozen=True)
class PtaParams:
    """Parameters of PTA; the paper has one K for both.

    Attributes:
        cameras: K of the metric upgrade; None: the largest K up to 10 that W supports.
        trajectories: number K of cosines per point; None: the smooth trajectories with the smallest
            bound of the error.
    """

    cameras: int | None = None
    trajectories: int | None = None

    def __post_init__(self) -> None:
        require_all_positive(self)


def solve_pta(tracks: Tracks, params: PtaParams, context: RunContext) -> Factors:
    """Return cameras, and the shapes of W = R Theta A with cosines Theta.

    Source: Akhter, Sheikh, Khan, Kanade, Trajectory space: a dual representation for nonrigid
    structure from motion, TPAMI 2011.

    Raises:
        ValueError: the frames do not determine cameras and shapes.
    """
    rotation = trajectory_cameras(tracks.rows, shape_rank(params.cameras, tracks))
    if params.trajectories:
        require_distinct(rotation, params.trajectories)
        basis = dct_basis(tracks.frames, params.trajectories)
    else:
        basis = clearest_basis(rotation, tracks.rows)
    motion = trajectory_views(rotation, basis)
    coefficients = cho_solve(cho_factor(motion.T @ motion), motion.T @ tracks.rows)
    shape = np.tensordot(basis, coefficients.reshape(basis.shape[1], 3, -1), axes=1)
    return Factors(rotation, shape.swapaxes(1, 2))


PTA = batch_spec(
    key="pta",
    title="Trajectory space (PTA)",
    reference="Akhter, Sheikh, Khan, Kanade, Trajectory space: a dual representation for nonrigid "
    "structure from motion, TPAMI 2011",
    solve=solve_pta,
    params=PtaParams,
    temporal=True,
)
