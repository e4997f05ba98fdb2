"""Kernel shape trajectories: coefficients that are smooth functions of the shape (KSTA)."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.spatial.distance import cdist

from liftbench import RunContext
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.trajectory_cameras import trajectory_cameras
from liftbench_plugins.classical.params import SmoothParams
from liftbench_plugins.classical.shapes.coefficient_space import coefficient_space
from liftbench_plugins.classical.shapes.dct import dct_basis
from liftbench_plugins.classical.shapes.grown_columns import grown_factors
from liftbench_plugins.classical.shapes.kernel_basis import kernel_basis
from liftbench_plugins.classical.shapes.nuclear_norm import stacked
from liftbench_plugins.classical.shapes.shape_rank import shape_rank
from liftbench_plugins.classical.tracks import Factors, Tracks


@dataclass(frozen=True)
class KstaParams(SmoothParams):
    """Parameters of KSTA; K is the greatest up to 10 whose basis shapes a fit tells apart.

    `smoothness` is d/F of the cosines of the first fit and of the kernel's components.
    """

    smoothness: float = 0.2


def solve_ksta(tracks: Tracks, params: KstaParams, context: RunContext) -> Factors:
    """Return shapes whose coefficients are smooth functions of where the shape is on its path.

    The path is that of the shapes of a fit with smooth coefficients; functions on it are the
    components of a Gaussian kernel (Gotardo, Martinez, Kernel non-rigid structure from motion, ICCV
    2011). Its points are whole shapes, which no mixing of basis shapes changes, where the paper has
    coefficients; they stay where the first fit has them.

    Raises:
        ValueError: the frames do not determine them.
    """
    borne = shape_rank(params.shapes, tracks)
    rotation = trajectory_cameras(tracks.rows, shape_rank(params.cameras, tracks))
    size = params.basis_size(tracks.frames, params.shapes or 1)
    smooth = coefficient_space(tracks.rows, rotation, dct_basis(tracks.frames, size))
    path = grown_factors(smooth, rotation, params.shapes, borne, params.steps)
    rows = stacked(path.shape)
    basis = kernel_basis(cdist(rows, rows, "sqeuclidean"), size)
    space = coefficient_space(tracks.rows, rotation, basis)
    return grown_factors(space, rotation, params.shapes, borne, params.steps)


KSTA = batch_spec(
    key="ksta",
    title="Kernel shape trajectories (KSTA)",
    reference="Gotardo, Martinez, Kernel non-rigid structure from motion, ICCV 2011",
    solve=solve_ksta,
    params=KstaParams,
    temporal=True,
    most_frames=2000,
)
