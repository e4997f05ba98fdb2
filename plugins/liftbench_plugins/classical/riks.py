"""Coefficients that are smooth functions of the 2D shape: rotation invariant kernels (RIKs)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftbench import RunContext
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.prior_free import prior_free_start
from liftbench_plugins.classical.params import SmoothParams
from liftbench_plugins.classical.shapes.coefficient_space import coefficient_space
from liftbench_plugins.classical.shapes.grown_columns import grow_factors
from liftbench_plugins.classical.shapes.kernel_basis import kernel_basis
from liftbench_plugins.classical.shapes.shape_rank import shape_rank
from liftbench_plugins.classical.tracks import Factors, Tracks


@dataclass(frozen=True)
class RiksParams(SmoothParams):
    """Parameters of RIKs.

    Without `shapes`, K is the largest K up to 10 whose fit is well conditioned. `smoothness` is
    d/F, the number of components of the kernel per frame.
    """

    smoothness: float = 0.2


def solve_riks(tracks: Tracks, params: RiksParams, context: RunContext) -> Factors:
    """Return shapes whose coefficients are smooth functions of the 2D shapes in the images.

    The functions need no order of frames, so we use prior-free cameras, which need none either.
    Source: Hamsici, Gotardo, Martinez, Learning spatially-smooth mappings in non-rigid structure
    from motion, ECCV 2012, the kernel RIK.

    Raises:
        ValueError: the frames do not determine cameras and shapes.
    """
    supported = shape_rank(params.shapes, tracks)
    start = prior_free_start(params.cameras, tracks)
    size = params.basis_size(tracks.frames, params.shapes or 1)
    basis = kernel_basis(rotation_invariant_distances(start.whole), size)
    space = coefficient_space(tracks.rows, start.rotation, basis)
    return grow_factors(space, start.rotation, params.shapes, supported, params.steps)


def rotation_invariant_distances(image: Floats) -> Floats:
    """Return squared distances (F, F) of 2D shapes of unit norm, each the least over all turns.

    For shapes as complex vectors they are 2 - 2 |z_i* z_j| (Hamsici, Martinez, Rotation invariant
    kernels and their application to shape analysis, TPAMI 2009).

    Args:
        image: (F, P, 2), centred; no frame is zero.
    """
    shape = image[..., 0] + 1j * image[..., 1]
    unit = shape / np.linalg.norm(shape, axis=1, keepdims=True)
    squares: Floats = np.maximum(2 - 2 * np.abs(unit @ unit.conj().T), 0)
    np.fill_diagonal(squares, 0)
    return squares


RIKS = batch_spec(
    key="riks",
    title="Rotation invariant kernels (RIKs)",
    reference="Hamsici, Gotardo, Martinez, Learning spatially-smooth mappings in non-rigid "
    "structure from motion, ECCV 2012",
    solve=solve_riks,
    params=RiksParams,
    most_frames=2000,
)
