"""Shapes of least nuclear norm from hidden points too, after Fragkiadaki et al. (GbNRSfM)."""

from __future__ import annotations

from liftbench import RunContext
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.prior_free import prior_free_start
from liftbench_plugins.classical.params import RankParams
from liftbench_plugins.classical.shapes.nuclear_norm import least_norm_shape
from liftbench_plugins.classical.tracks import Factors, Tracks, frames_of


def solve_gbnrsfm(tracks: Tracks, params: RankParams, context: RunContext) -> Factors:
    """Return prior-free cameras of completed tracks, and the shapes of least ‖S#‖_*.

    Shapes agree with the images at visible points only; their rank is not fixed. The paper
    minimises mu ‖S#‖_* + 1/2 ‖V (W - R S)‖^2; we take the limit of mu -> 0, which leaves no weight
    to choose. Source: Fragkiadaki, Salas, Arbelaez, Malik, Grouping-based low-rank trajectory
    completion and 3D reconstruction, NIPS 2014, for one body.

    Raises:
        ValueError: the frames do not determine cameras and shapes.
    """
    rotation = prior_free_start(params.shapes, tracks).rotation
    image = frames_of(tracks.rows, 2)
    return Factors(rotation, least_norm_shape(image, tracks.visible, rotation))


GBNRSFM = batch_spec(
    key="gbnrsfm",
    title="Low-rank completion and nuclear norm (GbNRSfM)",
    reference="Fragkiadaki, Salas, Arbelaez, Malik, Grouping-based low-rank trajectory completion "
    "and 3D reconstruction, NIPS 2014",
    solve=solve_gbnrsfm,
    params=RankParams,
    missing_points=True,
)
