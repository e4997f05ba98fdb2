"""Random groups of points that move alike; every point belongs to many groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from liftbench.types import Floats

Groups = NDArray[np.intp]
"""Indices of the points of each group, (G, n), in rising order."""

# The logarithm of a point's chance falls by this number times its squared distance from a member of
# the group. It equals the paper's value for the 260 frames of its shorter sequences.
_FALL = 1.3
# A second singular value below this share of the first counts as zero.
_FLAT = 1e-9


def random_groups(image: Floats, size: int, least: int, rng: np.random.Generator) -> Groups:
    """Return groups (G, `size`) of points that are near one another in the images.

    The first point of a group is one of those that belong to the fewest groups. Each next point is
    drawn with a probability that falls with the mean squared distance from the points before, in
    images whose points have unit covariance (Lee, Cho, Oh, Consensus of non-rigid reconstructions,
    CVPR 2016). The paper sums distances over frames, which leaves no choice in a long sequence; we
    take means. Shared points connect all groups.

    Args:
        image: (F, P, 2), centred.
        size: number of points in a group; if there are no more points, all form one group.
        least: smallest number of groups that a point belongs to.
        rng: source of the draws.
    """
    points = image.shape[1]
    if points <= size:
        return np.arange(points)[None]
    chance = -_FALL * squared_distances(image)
    drawn = _Draws(points, size, rng)
    while drawn.count.min() < least:
        drawn.add(chance)
    while not drawn.is_connected():
        drawn.add(np.zeros_like(chance))
    return np.stack(drawn.groups)


def squared_distances(image: Floats) -> Floats:
    """Return the squared distances (P, P) of points in images of unit covariance, mean over frames.

    Args:
        image: (F, P, 2), centred.
    """
    left, values, _ = np.linalg.svd(image, full_matrices=False)
    # A frame whose points lie on a line has only one coordinate.
    white = left * (values > _FLAT * values[:, :1])[:, None] * np.sqrt(image.shape[1])
    rows = white.swapaxes(0, 1).reshape(image.shape[1], -1)
    squares: Floats = cdist(rows, rows, "sqeuclidean") / len(image)
    return squares


def members(groups: Groups) -> csr_array:
    """Return a matrix (G n, P) of zeros with a 1 at the point that each entry of groups names."""
    points = groups.ravel()
    return csr_array((np.ones(len(points)), (np.arange(len(points)), points)))


class _Draws:
    """The groups drawn so far; a group repeats only if its last point has no other choice."""

    def __init__(self, points: int, size: int, rng: np.random.Generator) -> None:
        self.groups: list[Groups] = []
        self.count = np.zeros(points, dtype=np.int64)
        self.size, self.rng = size, rng
        self.known: set[frozenset[int]] = set()

    def add(self, chance: Floats) -> None:
        """Draw a group, given the logarithms (P, P) of the chance of a point beside each member."""
        chosen = [int(self.rng.choice(np.flatnonzero(self.count == self.count.min())))]
        total = np.zeros(len(chance))
        while len(chosen) < self.size:
            total = total + chance[chosen[-1]]
            total[chosen] = -np.inf
            chosen.append(self._next(chosen, total))
        self.known.add(frozenset(chosen))
        self.count[chosen] += 1
        self.groups.append(np.sort(chosen))

    def _next(self, chosen: list[int], chance: Floats) -> int:
        """Return the point to add, given the logarithms (P,) of chances."""
        if len(chosen) == self.size - 1:
            known = [frozenset([*chosen, point]) in self.known for point in range(len(chance))]
            if np.isfinite(chance[~np.array(known)]).any():
                chance = np.where(known, -np.inf, chance)
        weight = np.exp(chance - chance.max())
        return int(self.rng.choice(len(chance), p=weight / weight.sum()))

    def is_connected(self) -> bool:
        """Return whether shared points connect all groups, which then hold all points."""
        share = np.zeros((len(self.count), len(self.groups)))
        share[np.transpose(self.groups), np.arange(len(self.groups))] = 1
        return bool(connected_components(share @ share.T)[0] == 1)
