from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from liftbench.types import Floats
from liftbench_plugins.classical.shapes.depth_consensus import consensus_depths, group_signs
from liftbench_plugins.classical.shapes.point_groups import Groups


def overlapping(frames: int = 5, points: int = 9) -> tuple[Floats, Groups, np.random.Generator]:
    """Return depths of all points, overlapping groups of them, and the source of further draws."""
    rng = np.random.default_rng(0)
    whole = rng.standard_normal((points, frames))
    whole -= whole.mean(axis=0)
    groups = np.sort([rng.permutation(points)[:5] for _ in range(12)], axis=1)
    return whole, groups, rng


def test_mirrored_groups_are_found() -> None:
    whole, groups, rng = overlapping()
    signs = rng.choice([-1.0, 1.0], len(groups))
    depth = signs[:, None, None] * whole[groups] + rng.standard_normal((len(groups), 1, 5))
    found = group_signs(depth + 0.1 * rng.standard_normal(depth.shape), groups)
    np.testing.assert_array_equal(found * found[0], signs * signs[0])


def test_the_consensus_of_groups_that_agree_is_exact_and_holds_out_against_outliers() -> None:
    whole, groups, rng = overlapping()
    depth = whole[groups] + rng.standard_normal((len(groups), 1, 5))
    np.testing.assert_allclose(consensus_depths(depth, groups), whole, atol=1e-3)
    depth[3] = 10 * rng.standard_normal(depth[3].shape)
    np.testing.assert_allclose(consensus_depths(depth, groups), whole, atol=1e-2)


def test_the_consensus_is_the_least_sum_of_departures() -> None:
    whole, groups, rng = overlapping(frames=2, points=7)
    groups = groups[:, :4]
    groups[0] = [0, 2, 4, 6]
    depth = whole[groups % 7] + rng.standard_normal((len(groups), 4, 2))
    groups = np.sort(groups, axis=1)
    found = consensus_depths(depth, groups)
    size, count, points = groups.size, len(groups), whole.shape[0]
    entries = np.zeros((size, points + count))
    entries[np.arange(size), groups.ravel()] = 1
    entries[np.arange(size), points + np.arange(size) // 4] = 1
    for frame in range(2):
        target = depth[:, :, frame].ravel()
        one = np.eye(size)
        program = linprog(
            np.r_[np.zeros(points + count), np.ones(size)],
            A_ub=np.block([[entries, -one], [-entries, -one]]),
            b_ub=np.r_[target, -target],
            bounds=[(None, None)] * (points + count) + [(0, None)] * size,
        )
        left = depth[:, :, frame] - found[groups, frame]
        least = abs(left - np.median(left, axis=1, keepdims=True)).sum()
        assert program.fun - 1e-9 <= least <= 1.01 * program.fun


def test_signs_are_those_of_the_first_eigenvector_of_the_agreement() -> None:
    """The dense matrix of sum_g (projection out of the part of a group that is not z_g)."""
    whole, groups, rng = overlapping(frames=2, points=6)
    groups = groups % 6
    groups = np.stack([np.sort(rng.permutation(6)[:3]) for _ in range(7)])
    depth = rng.standard_normal((7, 3, 2))
    found = group_signs(depth, groups)
    unit = depth - depth.mean(axis=1, keepdims=True)
    unit /= np.linalg.norm(unit, axis=(1, 2), keepdims=True)
    total = np.zeros((12, 12))
    centre = np.eye(6) - 1 / 6
    parts = []
    for z, group in zip(unit, groups, strict=True):
        pick = np.kron((np.eye(3) - 1 / 3) @ np.eye(6)[group], np.eye(2))
        rest = pick - np.outer(z.ravel(), z.ravel()) @ pick
        total += rest.T @ rest
        parts.append(z.ravel() @ pick)
    most = np.bincount(groups.ravel()).max()
    agreement = most * np.kron(centre, np.eye(2)) - total
    best = np.linalg.eigh(agreement)[1][:, -1]
    expected = np.where(np.array(parts) @ best < 0, -1.0, 1.0)
    np.testing.assert_array_equal(found * found[0], expected * expected[0])
    assert whole.shape == (6, 2)


def test_a_group_without_extent_has_no_influence_on_signs() -> None:
    whole, groups, _ = overlapping()
    depth = whole[groups]
    depth[2] = 3.0
    found = group_signs(depth, groups)
    kept = np.delete(np.arange(len(groups)), 2)
    np.testing.assert_array_equal(found[kept], found[kept[0]])


def test_the_mean_depth_is_zero() -> None:
    whole, groups, _ = overlapping()
    found = consensus_depths(whole[groups] + 5.0, groups)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)
