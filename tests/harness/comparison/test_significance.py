"""The paired test: by brute force, by its symmetries, and by simulation."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import ttest_1samp

from liftbench.comparison import significance
from liftbench.comparison.significance import FEWEST_CLUSTERS, LEVEL, PairedTest, paired_test
from liftbench.seeds import named_rng
from liftbench.types import Floats

Rng = np.random.Generator
Ints = NDArray[np.int64]


def cluster_totals(differences: Floats, cluster: Floats, weights: Floats) -> list[float]:
    """Return the weighted sum of the differences of each cluster."""
    frames = list(zip(differences, cluster, weights, strict=True))
    return [sum(w * d for d, c, w in frames if c == k) for k in sorted(set(cluster))]


def by_brute_force(
    differences: Floats, cluster: Floats, weights: Floats, supposed: float = 0.0
) -> float:
    """Return the p-value of a supposed mean: the share of all sign patterns at least as extreme."""
    totals = cluster_totals(differences - supposed, cluster, weights)
    observed = abs(sum(totals))
    flipped = [
        abs(sum(sign * total for sign, total in zip(signs, totals, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(totals))
    ]
    return float(np.mean([value >= observed * (1 - 1e-12) for value in flipped]))


@pytest.mark.parametrize("clusters", [2, 5, 6, 8])
def test_p_value_is_that_of_all_sign_patterns(clusters: int) -> None:
    rng = np.random.default_rng(clusters)
    for _ in range(5):
        cluster = np.concatenate([np.arange(clusters), rng.integers(clusters, size=20)])
        differences = rng.standard_normal(len(cluster)) + 0.2
        weights = rng.uniform(0.5, 2, len(cluster))
        found = paired_test(differences, cluster, weights)
        assert found.p == pytest.approx(by_brute_force(differences, cluster, weights))
        assert found.effect == pytest.approx(np.average(differences, weights=weights))
        assert found.clusters == clusters


@pytest.mark.parametrize("clusters", [13, 20])
def test_random_patterns_count_the_observed_one(clusters: int) -> None:
    """p = (1 + hits) / (1 + draws), with hits counted over the very patterns that are drawn."""
    rng = np.random.default_rng(clusters)
    cluster = np.concatenate([np.arange(clusters), rng.integers(clusters, size=20)])
    differences = rng.standard_normal(len(cluster)) + 0.3
    weights = rng.uniform(0.5, 2, len(cluster))
    totals = np.array(cluster_totals(differences, cluster, weights))
    sets = named_rng("sign flips", clusters, 99).integers(2, size=(99, clusters), dtype=np.bool_)
    flipped = np.abs(np.where(sets, -totals, totals).sum(axis=1))
    hits = int((flipped >= abs(totals.sum()) * (1 - 1e-12)).sum())
    assert 0 < hits < 99
    assert paired_test(differences, cluster, weights, draws=99).p == (1 + hits) / 100


def test_p_value_is_never_zero() -> None:
    """Of 40 clusters with the same difference, only the observed pattern is as extreme."""
    assert paired_test(np.ones(40), np.arange(40), draws=99).p == 1 / 100
    assert paired_test(np.ones(40), np.arange(40)).p == 1 / (1 + significance.DRAWS)


def test_interval_holds_exactly_the_means_that_the_test_does_not_reject() -> None:
    rng = np.random.default_rng(0)
    cluster = np.concatenate([np.arange(7), rng.integers(7, size=15)])
    differences, weights = rng.standard_normal(22), rng.uniform(0.5, 2, 22)
    found = paired_test(differences, cluster, weights)
    edge = 1e-6
    for inside in (found.low + edge, found.effect, found.high - edge):
        assert by_brute_force(differences, cluster, weights, inside) > LEVEL
    for outside in (found.low - edge, found.high + edge):
        assert by_brute_force(differences, cluster, weights, outside) <= LEVEL


def test_random_patterns_agree_with_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    differences = rng.standard_normal(12) + 0.5
    exact = paired_test(differences, np.arange(12))
    monkeypatch.setattr(significance, "EXACT_CLUSTERS", 5)
    drawn = paired_test(differences, np.arange(12))
    assert drawn.p == pytest.approx(exact.p, abs=0.01)
    assert (drawn.low, drawn.high) == pytest.approx((exact.low, exact.high), abs=0.02)


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = np.random.default_rng(1).standard_normal(40)
    whole = paired_test(differences, np.arange(40), draws=500)
    monkeypatch.setattr(significance, "_BLOCK", 1)
    assert paired_test(differences, np.arange(40), draws=500).clusters == whole.clusters
    cut = paired_test(differences, np.arange(40), draws=500)
    assert cut.p == pytest.approx(whole.p, abs=0.05)


ERRORS = st.lists(st.tuples(st.floats(-10, 10), st.integers(0, 8)), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(ERRORS, st.randoms(use_true_random=False))
def test_order_and_names_do_not_matter(errors: list[tuple[float, int]], random: object) -> None:
    differences, cluster = np.array(errors).T
    order = np.random.default_rng(len(errors)).permutation(len(errors))
    first = paired_test(differences, cluster)
    again = paired_test(differences[order], 100 - cluster[order])
    assert_same(first, again)


@settings(max_examples=60, deadline=None)
@given(ERRORS)
def test_swapped_sides_give_the_opposite_effect(errors: list[tuple[float, int]]) -> None:
    differences, cluster = np.array(errors).T
    first, turned = paired_test(differences, cluster), paired_test(-differences, cluster)
    assert_same(
        first, PairedTest(-turned.effect, -turned.high, -turned.low, turned.p, turned.clusters)
    )


@settings(max_examples=60, deadline=None)
@given(ERRORS)
def test_interval_and_p_value_never_disagree(errors: list[tuple[float, int]]) -> None:
    found = paired_test(*np.array(errors).T)
    assert found.low <= found.effect + 1e-9
    assert found.effect - 1e-9 <= found.high
    assert found.significant == (not found.low <= 0 <= found.high)


def assert_same(first: PairedTest, second: PairedTest) -> None:
    """Assert that two results agree up to the rounding of sums."""
    assert first.clusters == second.clusters
    for name in ("effect", "low", "high"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), abs=1e-9)


def test_no_difference_at_all() -> None:
    found = paired_test(np.zeros(40), np.arange(40) // 2)
    assert (found.effect, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_fewest_clusters_is_the_smallest_number_that_can_be_significant() -> None:
    fewest = paired_test(np.ones(FEWEST_CLUSTERS), np.arange(FEWEST_CLUSTERS))
    assert fewest.p == 2 / 2**FEWEST_CLUSTERS
    assert fewest.significant
    fewer = paired_test(np.ones(FEWEST_CLUSTERS - 1), np.arange(FEWEST_CLUSTERS - 1))
    assert not fewer.significant
    assert (fewer.low, fewer.high) == (-np.inf, np.inf)


def test_one_cluster_is_no_error() -> None:
    assert paired_test([1.0, 2.0], [0, 0]).p == 1


# --- by simulation -----------------------------------------------------------------------------


def correlated_errors(rng: Rng, clusters: int, gap: float) -> tuple[Floats, Floats, Ints]:
    """Return errors of two methods in frames of sequences of 10 to 40 frames, and the sequences.

    Hard sequences are hard for both, each method has sequences that suit it, and the errors of
    neighbouring frames are similar; the first method's error is larger by `gap`.
    """
    sequence = np.repeat(np.arange(clusters), rng.integers(10, 41, clusters))
    walk: Floats = np.cumsum(rng.standard_normal((2, len(sequence))), axis=1)
    starts = np.searchsorted(sequence, np.arange(clusters))
    walk -= walk[:, starts][:, sequence]  # every sequence starts anew
    hard, suited = rng.gamma(2, 1, clusters), rng.normal(0, 0.5, (2, clusters))
    first, second = 5 + hard[sequence] + suited[:, sequence] + 0.1 * walk
    return first + gap, second, sequence


def rejections(clusters: int, gap: float, runs: int, test: Callable[..., bool]) -> float:
    """Return the share of trials in which a test finds a difference."""
    rng = np.random.default_rng([clusters, int(100 * gap)])
    return float(np.mean([test(*correlated_errors(rng, clusters, gap)) for _ in range(runs)]))


def ours(first: Floats, second: Floats, sequence: Ints) -> bool:
    return paired_test(first - second, sequence, draws=399).significant


@pytest.mark.parametrize("clusters", [8, 12, 40])
def test_false_positive_rate_is_the_level(clusters: int) -> None:
    assert 0.03 <= rejections(clusters, gap=0.0, runs=2500, test=ours) <= 0.07


def test_a_test_over_frames_finds_false_differences() -> None:
    def over_frames(first: Floats, second: Floats, sequence: Ints) -> bool:
        return bool(ttest_1samp(first - second, 0).pvalue <= LEVEL)

    assert rejections(8, gap=0.0, runs=300, test=over_frames) > 0.5


@pytest.mark.parametrize(("clusters", "gap"), [(8, 1.5), (40, 0.5)])
def test_a_true_difference_is_found(clusters: int, gap: float) -> None:
    assert rejections(clusters, gap, runs=300, test=ours) > 0.75


@pytest.mark.parametrize("clusters", [8, 40])
def test_interval_covers_the_true_difference(clusters: int) -> None:
    rng = np.random.default_rng(clusters)
    covered = 0
    for _ in range(1500):
        first, second, sequence = correlated_errors(rng, clusters, gap=0.5)
        found = paired_test(first - second, sequence, draws=399)
        covered += found.low <= 0.5 <= found.high
    assert 0.93 <= covered / 1500 <= 0.97
