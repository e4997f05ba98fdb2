"""Random groups of points that move alike, of which each point has a share in many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from liftbench.types import Floats

Groups = NDArray[np.intp]
"""(G, n) indices of points, rising in each group."""

# How fast the chance of a point falls with its squared distance from a member of the group, as in
# the paper for the 260 frames of its shorter sequences.
_FALL = 1.3
# A second singular value below this share of the first is zero.
_FLAT = 1e-9


def random_groups(image: Floats, size: int, least: int, rng: np.random.Generator) -> Groups:
    """Return groups of points (G, `size`) that are near one another in the images.

    Each begins with one of the points that the fewest groups have; the next are drawn with
    probabilities that fall with the mean squared distance from those before, in images of which
    the points have unit covariance (Lee, Cho, Oh, Consensus of non-rigid reconstructions, CVPR
    2016). The paper adds distances up over frames, so that a long sequence has no
    choice; ours are means. All groups hang together by points that they share.

    Args:
        image: (F, P, 2), centred.
        size: points of a group; all points are one group if there are no more.
        least: in how many groups each point is at least.
        rng: draws the points.
    """
    points = image.shape[1]
    if points <= size:
        return np.arange(points)[None]
    chance = -_FALL * squared_distances(image)
    drawn = _Draws(points, size, rng)
    while drawn.count.min() < least:
        drawn.add(chance)
    while not drawn.connected():
        drawn.add(np.zeros_like(chance))
    return np.stack(drawn.groups)


def squared_distances(image: Floats) -> Floats:
    """Return those of points in images of unit covariance, (P, P), mean over frames.

    Args:
        image: (F, P, 2), centred.
    """
    left, values, _ = np.linalg.svd(image, full_matrices=False)
    # A frame whose points lie on a line has no more than the one coordinate.
    white = left * (values > _FLAT * values[:, :1])[:, None] * np.sqrt(image.shape[1])
    rows = white.swapaxes(0, 1).reshape(image.shape[1], -1)
    squares: Floats = cdist(rows, rows, "sqeuclidean") / len(image)
    return squares


def members(groups: Groups) -> csr_array:
    """Return which points groups (G, n) have, a row of one 1 for each of their points, (G n, P)."""
    points = groups.ravel()
    return csr_array((np.ones(len(points)), (np.arange(len(points)), points)))


class _Draws:
    """Groups drawn so far; none comes twice unless the last of its points has no choice."""

    def __init__(self, points: int, size: int, rng: np.random.Generator) -> None:
        self.groups: list[Groups] = []
        self.count = np.zeros(points, dtype=np.int64)
        self.size, self.rng = size, rng
        self.known: set[frozenset[int]] = set()

    def add(self, chance: Floats) -> None:
        """Draw a group, given the logarithms of chances (P, P) of points beside each member."""
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
        """Return a point to add, given the logarithms of chances (P,)."""
        if len(chosen) == self.size - 1:
            known = [frozenset([*chosen, point]) in self.known for point in range(len(chance))]
            if np.isfinite(chance[~np.array(known)]).any():
                chance = np.where(known, -np.inf, chance)
        weight = np.exp(chance - chance.max())
        return int(self.rng.choice(len(chance), p=weight / weight.sum()))

    def connected(self) -> bool:
        """Whether all points hang together by groups that share some."""
        share = np.zeros((len(self.count), len(self.groups)))
        share[np.transpose(self.groups), np.arange(len(self.groups))] = 1
        return bool(connected_components(share @ share.T)[0] == 1)
