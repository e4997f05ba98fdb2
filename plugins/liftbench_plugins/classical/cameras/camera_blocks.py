"""Cameras that several basis shapes share: blocks of motion that differ by a turn and by signs."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.cameras import agreeing, nearest_rotations
from liftbench_plugins.classical.tracks import Factors, Tracks, frames_of

_ROUNDS = 3


def shapes_of_blocks(tracks: Tracks, blocks: Floats) -> Factors:
    """Return the shapes whose basis moves W as blocks of camera rows say.

    Cameras come from all blocks; the weights c_fk are those with which c_fk R_f is nearest to each
    block; the basis shapes explain W in least squares.

    Args:
        tracks: W, without hidden points.
        blocks: (K, F, 2, 3), each c_fk R_f turned by a rotation of its own; zero where c_fk is.
    """
    turned, rotation = common_cameras(blocks)
    rotation = agreeing(rotation, frames_of(tracks.rows, 2))
    weights = _overlaps(turned, rotation[:, :2]) / 2
    motion = weights.T[:, None, :, None] * rotation[:, :2, None]
    basis = np.linalg.lstsq(motion.reshape(len(tracks.rows), -1), tracks.rows, rcond=None)[0]
    shape = np.einsum("kf,kcp->fpc", weights, basis.reshape(len(blocks), 3, -1))
    return Factors(rotation, shape)


def common_cameras(blocks: Floats) -> tuple[Floats, Floats]:
    """Return the blocks turned to agree up to their signs, and the rotations (F, 3, 3) they share.

    From the strongest block on, the one that overlaps most with the frames that have a camera
    already is turned to these (Kong and Lucey); then all are turned to their mean.

    Args:
        blocks: (K, F, 2, 3), zero in frames that a block says nothing of.
    """
    energy = np.square(blocks).sum(axis=(2, 3))
    turned = blocks.copy()
    known = np.zeros_like(blocks[0])
    left = set(range(len(blocks)))
    while left:
        seen = np.square(known).sum(axis=(1, 2)) if known.any() else np.ones(len(known))
        block = max(left, key=lambda k: float(np.sqrt(energy[k]) @ np.sqrt(seen)))
        turned[block] = _turned_to(known, blocks[block])
        known = known + _signed(turned[block], known)
        left.remove(block)
    for _ in range(_ROUNDS):
        rows = nearest_rotations(known)[:, :2]
        turned = np.stack([_turned_to(rows, block) for block in turned])
        known = np.sum([_signed(block, rows) for block in turned], axis=0)
    return turned, nearest_rotations(known)


def _turned_to(goal: Floats, block: Floats) -> Floats:
    """Return a block (F, 2, 3) times the rotation that brings it nearest to a goal up to signs.

    The cross product of the rows has no sign, and shows where to begin.
    """
    turn = _rotation(_axes(block).T @ _axes(goal))
    for _ in range(_ROUNDS):
        signed = _signed(block @ turn, goal)
        turn = _rotation(turn @ np.einsum("fac,fad->cd", signed, goal))
    return block @ turn


def _signed(block: Floats, goal: Floats) -> Floats:
    """Return a block with the signs of its frames that bring it nearer to a goal."""
    return np.where(_overlaps(block, goal) < 0, -1.0, 1.0)[:, None, None] * block


def _overlaps(block: Floats, goal: Floats) -> Floats:
    """Return the products (..., F) of the frames of blocks (..., F, 2, 3)."""
    products: Floats = np.einsum("...ac,...ac->...", block, goal)
    return products


def _axes(block: Floats) -> Floats:
    """Return the cross products (F, 3) of the rows of a block."""
    return np.cross(block[:, 0], block[:, 1])


def _rotation(correlation: Floats) -> Floats:
    """Return the rotation (3, 3) with the greatest product with a matrix."""
    left, _, right = np.linalg.svd(correlation)
    sign = np.array([1.0, 1.0, np.linalg.det(left @ right)])
    rotation: Floats = (left * sign) @ right
    return rotation
