"""The prior-free method of Dai, Li and He: the block-matrix method (BMM)."""

from __future__ import annotations

from liftbench import RunContext
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.prior_free import prior_free_start
from liftbench_plugins.classical.params import RankParams
from liftbench_plugins.classical.shapes.nuclear_norm import least_norm_shape, nearest_of_rank
from liftbench_plugins.classical.tracks import Factors, Tracks


def solve_bmm(tracks: Tracks, params: RankParams, context: RunContext) -> Factors:
    """Return prior-free cameras and the shapes of least ‖S#‖_* with R S = W, cut to rank K.

    The paper chooses the signs of cameras so that they change little between frames. We choose the
    signs with which the bodies agree, so frames need no order. Source: Dai, Li, He, A simple
    prior-free method for non-rigid structure-from-motion factorization, CVPR 2012, the block-matrix
    method.

    Raises:
        ValueError: the frames do not determine cameras and shapes.
    """
    start = prior_free_start(params.shapes, tracks)
    shape = least_norm_shape(start.whole, tracks.visible, start.rotation)
    return Factors(start.rotation, nearest_of_rank(shape, start.rank))


BMM = batch_spec(
    key="bmm",
    title="Prior-free, block matrix (BMM)",
    reference="Dai, Li, He, A simple prior-free method for non-rigid structure-from-motion "
    "factorization, CVPR 2012, IJCV 2014",
    solve=solve_bmm,
    params=RankParams,
)
