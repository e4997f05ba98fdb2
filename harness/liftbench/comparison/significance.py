"""A paired test of two methods whose errors are correlated within each sequence.

The frames of a cluster, such as a sequence, may be correlated in any way. Clusters are independent,
and if there is no difference, the total of each is as likely to have the opposite sign.

If the mean were d, flipping the signs of the clusters of a set S would give a total at least as
extreme as the observed one if and only if d lies between the mean difference of S and that of the
other clusters. So one pass over the sets gives the p-value, that of d = 0, and the interval of all
d whose p-value is above the level (Hartigan 1969, "Using subsample values as typical values"); the
two can never disagree. A percentile bootstrap of clusters would give intervals that are too narrow
for few clusters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from liftbench.seeds import named_rng
from liftbench.types import Bools, Floats

LEVEL = 0.05
EXACT_CLUSTERS = 12  # with at most as many clusters, every pattern of signs is tried
DRAWS = 9999  # random patterns of signs for more clusters
_BLOCK = 2**22  # most booleans in memory at once
FEWEST_CLUSTERS = 6  # with 5, even the smallest possible p-value is 2 / 2^5 > LEVEL

STATEMENT = (
    "Two-sided sign-flip permutation test of whole units: without a difference, each unit's total "
    f"is as likely to be positive as negative (all patterns of signs up to {EXACT_CLUSTERS} units, "
    f"else {DRAWS} random patterns and the observed one); the {1 - LEVEL:.0%} interval holds the "
    "differences that this test does not reject"
)


@dataclass(frozen=True)
class PairedTest:
    """The result of a paired test.

    Attributes:
        effect: the weighted mean difference.
        low, high: the ends of the 95 % interval of the effect; infinite with too few clusters.
        p: the two-sided p-value of the hypothesis that there is no difference.
        clusters: the number of clusters.
    """

    effect: float
    low: float
    high: float
    p: float
    clusters: int

    @property
    def significant(self) -> bool:
        """Whether the test rejects the hypothesis of no difference at the 5 % level."""
        return self.p <= LEVEL


def paired_test(
    differences: ArrayLike,
    cluster: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    draws: int = DRAWS,
) -> PairedTest:
    """Test whether the weighted mean of paired differences is zero.

    With at most `EXACT_CLUSTERS` clusters, p is the share of all patterns of signs whose total is
    at least as extreme as the observed one. With more clusters it is p = (1 + hits) / (1 + draws)
    over random patterns: the observed pattern counts as one of them, so that p is never 0 and the
    test keeps its level (Phipson and Smyth 2010, "Permutation p-values should never be zero").

    Args:
        differences: (F,) error of the first method minus error of the second, in each frame.
        cluster: (F,) the cluster of each frame, such as its sequence.
        weights: (F,) the positive weight of each frame in the mean; None weighs them equally.
        draws: the number of random patterns with more than `EXACT_CLUSTERS` clusters.
    """
    difference = np.asarray(differences, dtype=np.float64)
    weight = np.ones(len(difference)) if weights is None else np.asarray(weights, dtype=np.float64)
    index = np.unique(np.asarray(cluster), return_inverse=True)[1]
    sums = np.bincount(index, weight * difference).astype(np.float64)
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
    """Yield the sets of clusters to flip, (N, K), in blocks.

    The empty set, which is the observed pattern, is always among them. A set and its complement
    give the same total but for its sign, so the exact test leaves out sets with the last cluster.
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
    """Return the smaller and the larger (2, N) of the mean differences inside and outside each set.

    For the empty set and for the set of all clusters they are infinite: any mean lies between.
    """
    with np.errstate(invalid="ignore"):
        means = np.stack([part @ sums / (part @ sizes) for part in (sets * 1.0, ~sets * 1.0)])
    whole = np.isnan(means).any(axis=0)
    low = np.where(whole, -np.inf, means.min(axis=0))
    high = np.where(whole, np.inf, means.max(axis=0))
    return np.stack([low, high])
