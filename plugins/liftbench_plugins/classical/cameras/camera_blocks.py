"""Cameras that several basis shapes share, from one block of camera rows per basis shape."""

from __future__ import annotations

import numpy as np

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.cameras import nearest_rotations, with_common_signs
from liftbench_plugins.classical.tracks import Factors, Tracks, frames_of

_ROUNDS = 3


def shapes_of_blocks(tracks: Tracks, blocks: Floats) -> Factors:
    """Return the cameras and shapes that fit W and the blocks of camera rows.

    All blocks determine the cameras R_f together; the weights c_fk bring c_fk R_f nearest to the
    blocks; the basis shapes then explain W in least squares.

    Args:
        tracks: W, without hidden points.
        blocks: (K, F, 2, 3), block k holds c_fk R_f times one unknown rotation per block.
    """
    turned, rotation = common_cameras(blocks)
    rotation = with_common_signs(rotation, frames_of(tracks.rows, 2))
    weights = _overlaps(turned, rotation[:, :2]) / 2
    motion = weights.T[:, None, :, None] * rotation[:, :2, None]
    basis = np.linalg.lstsq(motion.reshape(len(tracks.rows), -1), tracks.rows, rcond=None)[0]
    shape = np.einsum("kf,kcp->fpc", weights, basis.reshape(len(blocks), 3, -1))
    return Factors(rotation, shape)


def common_cameras(blocks: Floats) -> tuple[Floats, Floats]:
    """Return the blocks turned to agree up to signs, and the rotations (F, 3, 3) they share.

    The strongest block comes first. Then the block that overlaps most with the frames that already
    have a camera is turned to these cameras (Kong and Lucey), and so on. In the end all blocks are
    turned to their mean.

    Args:
        blocks: (K, F, 2, 3), zero in frames that do not use basis shape k.
    """
    energy = np.square(blocks).sum(axis=(2, 3))
    turned = blocks.copy()
    known = np.zeros_like(blocks[0])
    left = set(range(len(blocks)))
    while left:
        seen = np.square(known).sum(axis=(1, 2)) if known.any() else np.ones(len(known))
        block = max(left, key=lambda k: float(np.sqrt(energy[k]) @ np.sqrt(seen)))
        turned[block] = _turn_to(known, blocks[block])
        known = known + _match_signs(turned[block], known)
        left.remove(block)
    for _ in range(_ROUNDS):
        rows = nearest_rotations(known)[:, :2]
        turned = np.stack([_turn_to(rows, block) for block in turned])
        known = np.sum([_match_signs(block, rows) for block in turned], axis=0)
    return turned, nearest_rotations(known)


def _turn_to(goal: Floats, block: Floats) -> Floats:
    """Return a block (F, 2, 3) times the rotation that brings it nearest to a goal up to signs.

    The cross product of a frame's two rows does not change with the sign, so it gives a start.
    """
    turn = _rotation(_axes(block).T @ _axes(goal))
    for _ in range(_ROUNDS):
        signed = _match_signs(block @ turn, goal)
        turn = _rotation(turn @ np.einsum("fac,fad->cd", signed, goal))
    return block @ turn


def _match_signs(block: Floats, goal: Floats) -> Floats:
    """Return a block (F, 2, 3) whose frames have the signs that bring it nearer to a goal."""
    return np.where(_overlaps(block, goal) < 0, -1.0, 1.0)[:, None, None] * block


def _overlaps(block: Floats, goal: Floats) -> Floats:
    """Return the inner products (..., F) of the frames of blocks (..., F, 2, 3)."""
    products: Floats = np.einsum("...ac,...ac->...", block, goal)
    return products


def _axes(block: Floats) -> Floats:
    """Return the cross products (F, 3) of the two rows of each frame of a block."""
    return np.cross(block[:, 0], block[:, 1])


def _rotation(correlation: Floats) -> Floats:
    """Return the rotation (3, 3) whose inner product with a matrix is largest."""
    left, _, right = np.linalg.svd(correlation)
    sign = np.array([1.0, 1.0, np.linalg.det(left @ right)])
    rotation: Floats = (left * sign) @ right
    return rotation
