"""The prior-free method of Dai, Li and He, with the block matrix of all shapes (BMM)."""

from __future__ import annotations

from liftbench import RunContext
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.prior_free import prior_free_start
from liftbench_plugins.classical.params import RankParams
from liftbench_plugins.classical.shapes.nuclear_norm import least_norm_shape, of_rank
from liftbench_plugins.classical.tracks import Factors, Tracks


def solve_bmm(tracks: Tracks, params: RankParams, context: RunContext) -> Factors:
    """Return prior-free cameras and the shapes of least ‖S#‖_* with R S = W, cut to rank K.

    Source: Dai, Li, He, A simple prior-free method for non-rigid structure-from-motion
    factorization, CVPR 2012, the block-matrix method. The paper tells the signs of cameras by
    small steps in time; ours are those with which the bodies agree, so that frames need no order.

    Raises:
        ValueError: the frames do not determine them.
    """
    start = prior_free_start(params.shapes, tracks)
    shape = least_norm_shape(start.whole, tracks.visible, start.rotation)
    return Factors(start.rotation, of_rank(shape, start.rank))


BMM = batch_spec(
    key="bmm",
    title="Prior-free, block matrix (BMM)",
    reference="Dai, Li, He, A simple prior-free method for non-rigid structure-from-motion "
    "factorization, CVPR 2012, IJCV 2014",
    solve=solve_bmm,
    params=RankParams,
)
