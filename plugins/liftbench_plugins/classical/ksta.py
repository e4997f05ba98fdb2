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
from liftbench_plugins.classical.shapes.grown_columns import grow_factors
from liftbench_plugins.classical.shapes.kernel_basis import kernel_basis
from liftbench_plugins.classical.shapes.nuclear_norm import stack_coordinates
from liftbench_plugins.classical.shapes.shape_rank import shape_rank
from liftbench_plugins.classical.tracks import Factors, Tracks


@dataclass(frozen=True)
class KstaParams(SmoothParams):
    """Parameters of KSTA.

    Without `shapes`, K is the largest K up to 10 whose fit is well conditioned. `smoothness` is
    d/F, the number per frame of cosines in the first fit and of components of the kernel.
    """

    smoothness: float = 0.2


def solve_ksta(tracks: Tracks, params: KstaParams, context: RunContext) -> Factors:
    """Return shapes whose coefficients are smooth functions of the shape itself.

    A first fit with coefficients that are smooth in time gives one shape per frame. The kernel
    principal components of these shapes, under a Gaussian kernel, are the functions (Gotardo,
    Martinez, Kernel non-rigid structure from motion, ICCV 2011). The paper compares coefficients;
    we compare whole shapes, which do not depend on the choice of basis shapes. The first fit's
    shapes are not updated.

    Raises:
        ValueError: the frames do not determine cameras and shapes.
    """
    supported = shape_rank(params.shapes, tracks)
    rotation = trajectory_cameras(tracks.rows, shape_rank(params.cameras, tracks))
    size = params.basis_size(tracks.frames, params.shapes or 1)
    smooth = coefficient_space(tracks.rows, rotation, dct_basis(tracks.frames, size))
    first = grow_factors(smooth, rotation, params.shapes, supported, params.steps)
    rows = stack_coordinates(first.shape)
    basis = kernel_basis(cdist(rows, rows, "sqeuclidean"), size)
    space = coefficient_space(tracks.rows, rotation, basis)
    return grow_factors(space, rotation, params.shapes, supported, params.steps)


KSTA = batch_spec(
    key="ksta",
    title="Kernel shape trajectories (KSTA)",
    reference="Gotardo, Martinez, Kernel non-rigid structure from motion, ICCV 2011",
    solve=solve_ksta,
    params=KstaParams,
    temporal=True,
    most_frames=2000,
)
