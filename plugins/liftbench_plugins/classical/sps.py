"""Compressible shapes: every frame is made of few atoms of a dictionary (Kong and Lucey)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr

from liftbench import RunContext
from liftbench.plugin.param_checks import require_all_positive
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.prior_free import prior_free_start
from liftbench_plugins.classical.shapes.block_sparsity import learned_atoms, sparse_codes
from liftbench_plugins.classical.shapes.nuclear_norm import least_norm_shape, stacked
from liftbench_plugins.classical.tracks import Factors, Tracks


@dataclass(frozen=True)
class SpsParams:
    """Parameters of compressible shapes.

    Attributes:
        atoms: of the dictionary; None takes as many as the data bear, at most 10.
        active: atoms that a frame is made of at most.
    """

    atoms: int | None = None
    active: int = 2

    def __post_init__(self) -> None:
        require_all_positive(self)


def solve_sps(tracks: Tracks, params: SpsParams, context: RunContext) -> Factors:
    """Return shapes that are combinations of few atoms each.

    W is factorised into blocks c_fk R_f and atoms, of which `active` a frame are not zero, by
    block K-SVD (Kong, Lucey, Prior-less compressible structure from motion, CVPR 2016). The paper
    leaves blocks free, from a random start, and then finds a corrective and cameras of each atom
    and turns atoms to one another. On motion capture we found these no better than flat bodies:
    ours are prior-free, blocks keep the form that the paper derives for them, and atoms start from
    the shapes of frames.

    Raises:
        ValueError: the frames do not determine them.
    """
    start = prior_free_start(params.atoms, tracks)
    image, rotation = start.whole, start.rotation
    shape = least_norm_shape(image, tracks.visible, rotation)
    atoms = learned_atoms(image, rotation, independent_shapes(shape, start.rank), params.active)
    codes = sparse_codes(image, rotation, atoms, params.active)
    return Factors(rotation, np.einsum("fk,kpc->fpc", codes, atoms))


def independent_shapes(shape: Floats, count: int) -> Floats:
    """Return some of the shapes (F, P, 3), each the farthest from combinations of those before."""
    _, order = qr(stacked(shape).T, mode="r", pivoting=True)
    chosen: Floats = shape[order[:count]]
    return chosen


SPS = batch_spec(
    key="sps",
    title="Compressible, block-sparse (SPS)",
    reference="Kong, Lucey, Prior-less compressible structure from motion, CVPR 2016",
    solve=solve_sps,
    params=SpsParams,
)
