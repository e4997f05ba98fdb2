"""A paired test of two methods on frames that are alike within their sequences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from liftbench.seeds import named_rng
from liftbench.types import Bools, Floats

LEVEL = 0.05
EXACT_CLUSTERS = 12  # up to so many, every pattern of signs is gone through
DRAWS = 9999  # patterns drawn at random above that
_BLOCK = 2**22  # booleans at once
FEWEST_CLUSTERS = 6  # with 5, the smallest p-value that there can be is 2 / 2^5 > LEVEL

STATEMENT = (
    "Two-sided sign-flip permutation test of whole units: without a difference, the sign of each "
    f"unit's total is a coin's throw (all patterns of signs up to {EXACT_CLUSTERS} units, else "
    f"{DRAWS} random ones); the {1 - LEVEL:.0%} interval holds the differences that this test does "
    "not refuse"
)


@dataclass(frozen=True)
class PairedTest:
    """The outcome of a test.

    Attributes:
        effect: weighted mean difference.
        low, high: ends of the 95 % interval of the effect; infinite with too few clusters.
        p: two-sided p-value of no difference.
        clusters: how many there are.
    """

    effect: float
    low: float
    high: float
    p: float
    clusters: int

    @property
    def significant(self) -> bool:
        """Whether there is a difference at the 5 % level."""
        return self.p <= LEVEL


def paired_test(
    differences: ArrayLike,
    cluster: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    draws: int = DRAWS,
) -> PairedTest:
    """Test whether the weighted mean of paired differences is zero.

    Frames of a cluster are correlated in any way; clusters are independent, and under no
    difference each is as likely to have the opposite sign. For a supposed mean d, flipping the
    clusters of a set S reaches the observed total or more just if d lies between the mean
    difference of S and that of the other clusters. So one pass over the sets gives the p-value,
    which is that of d = 0, and the interval of all d whose p-value is above the level (Hartigan
    1969, "Using subsample values as typical values"); the two can never disagree. A percentile
    bootstrap of clusters would be too narrow where clusters are few.

    Args:
        differences: (F,) of the two methods' errors in the same frames.
        cluster: (F,) what a frame belongs to, such as its sequence.
        weights: (F,) positive weight of a frame in the mean; None means equal ones.
        draws: how many patterns of signs to draw where they are too many to go through.
    """
    given = np.asarray(differences, dtype=np.float64)
    weight = np.ones(len(given)) if weights is None else np.asarray(weights, dtype=np.float64)
    index = np.unique(np.asarray(cluster), return_inverse=True)[1]
    sums = np.bincount(index, weight * given).astype(np.float64)
    sizes = np.bincount(index, weight).astype(np.float64)
    blocks = [_bounds(sums, sizes, sets) for sets in _sets(len(sums), draws)]
    low, high = np.concatenate(blocks, axis=1)
    beyond = int(LEVEL * len(low))
    return PairedTest(
        effect=float(sums.sum() / sizes.sum()),
        low=float(np.sort(low)[beyond]),
        high=float(np.sort(high)[-1 - beyond]),
        p=float(np.mean((low <= 0) & (high >= 0))),
        clusters=len(sums),
    )


def _sets(clusters: int, draws: int) -> Iterator[Bools]:
    """Yield sets of clusters (N, K) in blocks, the empty one among them.

    A set and its complement say the same, so that the last cluster need be in none of all sets.
    """
    if clusters <= EXACT_CLUSTERS:
        yield (np.arange(2 ** (clusters - 1))[:, None] >> np.arange(clusters)) % 2 == 1
        return
    yield np.zeros((1, clusters), dtype=np.bool_)
    rng = named_rng("sign flips", clusters, draws)
    block = max(1, _BLOCK // clusters)
    for start in range(0, draws, block):
        size = (min(block, draws - start), clusters)
        yield rng.integers(2, size=size, dtype=np.bool_)


def _bounds(sums: Floats, sizes: Floats, sets: Bools) -> Floats:
    """Return the lower and the upper (2, N) of the mean differences in each set and outside of it.

    Of the empty set, as of all clusters, every mean lies between the two.
    """
    with np.errstate(invalid="ignore"):
        means = np.stack([part @ sums / (part @ sizes) for part in (sets * 1.0, ~sets * 1.0)])
    whole = np.isnan(means).any(axis=0)
    low = np.where(whole, -np.inf, means.min(axis=0))
    high = np.where(whole, np.inf, means.max(axis=0))
    return np.stack([low, high])
