"""Depths of all points from the depths of overlapping groups, whose offsets and signs differ."""

from __future__ import annotations

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

from liftbench.types import Floats
from liftbench_plugins.classical.shapes.point_groups import Groups, members

_ITERATIONS, _TOLERANCE = 200, 1e-4
_GROWTH = 1.05
_SIGN_TOLERANCE = 1e-4


def group_signs(depth: Floats, groups: Groups) -> Floats:
    """Return signs (G,), 1 or -1, with which the depths of groups agree at shared points.

    They are the signs of z_g' u_g for the depths u of all points, of unit length, that minimise
    sum_g ‖u_g - z_g z_g' u_g‖^2. Here z_g has unit length and u_g is the part of u in group g, both
    centred in each frame (Lee, Cho, Oh, Consensus of non-rigid reconstructions, CVPR 2016).

    Args:
        depth: depths of each group, (G, n, F).
        groups: points of each group, (G, n).
    """
    share = members(groups)
    unit = _centre_groups(depth)
    length = np.linalg.norm(unit, axis=(1, 2), keepdims=True)
    unit = np.divide(unit, length, out=unit, where=length > 0)
    most = float(np.bincount(groups.ravel()).max())
    shape = share.shape[1], depth.shape[2]

    def along(whole: Floats) -> Floats:
        product: Floats = np.einsum("gnf,gnf->g", unit, whole[groups])
        return product

    def agreement(entries: Floats) -> Floats:
        whole = entries.reshape(shape)
        whole = whole - whole.mean(axis=0)
        kept = along(whole)[:, None, None] * unit - _centre_groups(whole[groups])
        agreed: Floats = (most * whole + share.T @ _rows(kept)).ravel()
        return agreed

    size = shape[0] * shape[1]
    operator = LinearOperator((size, size), matvec=agreement, dtype=np.float64)
    start = (share.T @ _rows(unit)).ravel()
    best = eigsh(operator, k=1, which="LA", v0=start, tol=_SIGN_TOLERANCE)[1]
    return np.where(along(best.reshape(shape)) < 0, -1.0, 1.0)


def consensus_depths(depth: Floats, groups: Groups) -> Floats:
    """Return the depths (P, F), of mean zero, that agree best with the depths of the groups.

    In each frame they minimise sum_g |z_g - t_g 1 - z|_1 with an offset t_g for each group, by the
    alternating direction method of multipliers (Lee, Cho, Oh).

    Args:
        depth: depths of each group, (G, n, F).
        groups: points of each group, (G, n).
    """
    fit = _SquareFit(groups)
    threshold = float(np.abs(depth).mean())
    dual = np.zeros_like(depth)
    whole, agreed = fit(depth)
    for _ in range(_ITERATIONS):
        tilted = depth - agreed + dual
        error = tilted - np.clip(tilted, -threshold, threshold)
        whole, agreed = fit(depth - error + dual)
        gap = depth - agreed - error
        dual += gap
        if np.linalg.norm(gap) <= _TOLERANCE * np.linalg.norm(depth):
            break
        threshold /= _GROWTH
        dual /= _GROWTH
    return whole


class _SquareFit:
    """The depths that agree best with the depths of the groups in least squares."""

    def __init__(self, groups: Groups) -> None:
        self.groups, self.share = groups, members(groups)
        of_group = self.share.T @ np.repeat(np.eye(len(groups)), groups.shape[1], axis=0)
        system = np.diag(of_group.sum(axis=1)) - of_group @ of_group.T / groups.shape[1]
        # A common offset of all depths is free; the added constant makes their mean zero.
        self.inverse = np.linalg.inv(system + 1 / len(system))

    def __call__(self, depth: Floats) -> tuple[Floats, Floats]:
        """Return the depths (P, F), and these depths in each group at its offset, (G, n, F)."""
        whole: Floats = self.inverse @ (self.share.T @ _rows(_centre_groups(depth)))
        own = whole[self.groups]
        return whole, own + (depth - own).mean(axis=1, keepdims=True)


def _centre_groups(depth: Floats) -> Floats:
    """Return depths (G, n, F) minus their mean in each group and frame."""
    offset: Floats = depth - depth.mean(axis=1, keepdims=True)
    return offset


def _rows(depth: Floats) -> Floats:
    """Return depths (G, n, F) as rows (G n, F)."""
    return depth.reshape(-1, depth.shape[2])
