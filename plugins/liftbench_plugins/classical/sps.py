"""Compressible shapes: every shape is a combination of few atoms of a dictionary (SPS)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr

from liftbench import RunContext
from liftbench.plugin.param_checks import require_all_positive
from liftbench.types import Floats
from liftbench_plugins.classical.batch import batch_spec
from liftbench_plugins.classical.cameras.prior_free import prior_free_start
from liftbench_plugins.classical.shapes.block_sparsity import learn_atoms, sparse_codes
from liftbench_plugins.classical.shapes.nuclear_norm import least_norm_shape, stack_coordinates
from liftbench_plugins.classical.tracks import Dictionary, Factors, Tracks


@dataclass(frozen=True)
class SpsParams:
    """Parameters of compressible shapes.

    Attributes:
        atoms: number of atoms of the dictionary; None: as many as W supports, at most 10.
        active: largest number of atoms in a shape.
    """

    atoms: int | None = None
    active: int = 2

    def __post_init__(self) -> None:
        require_all_positive(self)


def solve_sps(tracks: Tracks, params: SpsParams, context: RunContext) -> Factors:
    """Return shapes that are combinations of few atoms.

    Block K-SVD factorises W into atoms and blocks c_fk R_f, of which `active` per frame are not
    zero (Kong, Lucey, Prior-less compressible structure from motion, CVPR 2016). The paper lets the
    blocks be any matrices, from a random start; it then finds a corrective and cameras for each
    atom and turns the atoms to one another. On motion capture we found its cameras no better than
    flat bodies. Our cameras are prior-free, our blocks always have the form c_fk R_f, and our first
    atoms are shapes of frames.

    Raises:
        ValueError: the frames do not determine cameras and shapes.
    """
    start = prior_free_start(params.atoms, tracks)
    image, rotation = start.whole, start.rotation
    shape = least_norm_shape(image, tracks.visible, rotation)
    atoms = learn_atoms(image, rotation, independent_shapes(shape, start.rank), params.active)
    codes = sparse_codes(image, rotation, atoms, params.active)
    found = Dictionary(atoms, codes)
    return Factors(rotation, np.einsum("fk,kpc->fpc", codes, atoms), found)


def independent_shapes(shape: Floats, count: int) -> Floats:
    """Return `count` of the shapes (F, P, 3), each farthest from combinations of those before."""
    _, order = qr(stack_coordinates(shape).T, mode="r", pivoting=True)
    chosen: Floats = shape[order[:count]]
    return chosen


SPS = batch_spec(
    key="sps",
    title="Compressible, block-sparse (SPS)",
    reference="Kong, Lucey, Prior-less compressible structure from motion, CVPR 2016",
    solve=solve_sps,
    params=SpsParams,
    dictionary=True,
)
