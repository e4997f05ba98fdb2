"""Groups of points, their weak reconstructions, and the consensus of them."""

import numpy as np
import pytest
from scipy.optimize import linprog

from liftbench.cameras import random_rotations
from liftbench_plugins.classical.cameras.cameras import nearest_rotations
from liftbench_plugins.classical.cameras.group_cameras import group_cameras, least_departure
from liftbench_plugins.classical.cns import CNS, rotations_to_mean
from liftbench_plugins.classical.shapes.depth_consensus import consensus_depths, group_signs
from liftbench_plugins.classical.shapes.group_shapes import group_depths
from liftbench_plugins.classical.shapes.point_groups import random_groups, squared_distances

SMALL = {"group_size": 7, "least_groups": 6}


@pytest.fixture
def body(make_scene):
    """Return a maker of points (F, P, 3) before a camera that turns."""
    return lambda rank=1, frames=40, points=12, seed=0: (
        make_scene(rank, frames, points, seed=seed).points
    )


@pytest.fixture
def reconstructed(solve, observe):
    return lambda image, **given: solve(CNS, observe(image), **(SMALL | given))


def depth_error(found, truth):
    depth, true = found[..., 2] - found[..., 2].mean(axis=1, keepdims=True), truth[..., 2]
    return min(np.linalg.norm(depth - s * true) for s in (1, -1)) / np.linalg.norm(truth)


@pytest.mark.parametrize(("size", "least"), [(5, 1), (5, 20), (10, 8)])
def test_groups_cover_every_point_often_enough_without_repeating_one(size, least, body):
    groups = random_groups(body(points=25)[..., :2], size, least, np.random.default_rng(0))
    assert groups.shape[1] == size
    assert all(len(set(group)) == size for group in groups.tolist())
    assert np.bincount(groups.ravel(), minlength=25).min() >= least
    assert len(np.unique(groups, axis=0)) == len(groups)


def test_groups_of_far_clusters_hang_together(body):
    image = 0.01 * body(points=20, frames=10)[..., :2]
    image[:, 10:] += [1000.0, 0.0]
    groups = random_groups(image, 5, 3, np.random.default_rng(0))
    reached, before = {0}, set()
    while reached != before:
        before = set(reached)
        reached.update(*(group for group in groups.tolist() if reached & set(group)))
    assert reached == set(range(20))


def test_neighbours_are_drawn_together_and_few_points_are_one_group():
    image = np.random.default_rng(0).standard_normal((30, 1, 2)).repeat(20, axis=1)
    image[:, 10:] *= -1
    image += 1e-2 * np.random.default_rng(1).standard_normal(image.shape)
    image -= image.mean(axis=1, keepdims=True)
    groups = random_groups(image, 4, 5, np.random.default_rng(0))
    halves = (groups < 10).sum(axis=1)
    assert np.isin(halves, [0, 4]).mean() > 0.8
    few = random_groups(image[:, :4], 4, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(few, [[0, 1, 2, 3]])


def test_distances_of_points_see_no_affine_map_of_a_frame(body):
    image = body()[..., :2]
    maps = np.random.default_rng(0).standard_normal((len(image), 2, 2))
    np.testing.assert_allclose(
        squared_distances(image @ maps), squared_distances(image), rtol=1e-6, atol=1e-9
    )


def test_whitened_distances_are_those_of_a_loop(body):
    image = body(frames=3)[..., :2]
    expected = np.zeros((12, 12))
    for frame in image:
        white = frame @ np.linalg.inv(np.linalg.cholesky(frame.T @ frame / 12)).T
        expected += np.square(white[:, None] - white).sum(axis=2) / 3
    np.testing.assert_allclose(squared_distances(image), expected, atol=1e-9)


def test_cameras_of_rigid_groups_are_exact_up_to_one_turn_and_signs():
    rotation = random_rotations(np.random.default_rng(0), 30)
    shapes = np.random.default_rng(1).standard_normal((4, 8, 3))
    shapes -= shapes.mean(axis=1, keepdims=True)
    image = np.einsum("fac,gpc->gfpa", rotation[:, :2], shapes)
    rows = group_cameras(image / np.linalg.norm(image, axis=(2, 3), keepdims=True))
    for found in rows:
        turned = nearest_rotations(found)
        np.testing.assert_allclose(
            found, turned[:, :2] * (np.linalg.norm(found, axis=2, keepdims=True)), atol=1e-6
        )
        # The third rows, free of signs, differ from the true ones by one orthogonal matrix.
        gram = turned[:, 2] @ turned[:, 2].T
        np.testing.assert_allclose(abs(gram), abs(rotation[:, 2] @ rotation[:, 2].T), atol=1e-5)


def test_correctives_have_unit_norm_and_the_cost_of_the_equations():
    motion = np.random.default_rng(0).standard_normal((3, 20, 2, 6))
    start = np.tile(np.eye(6, 3) / np.sqrt(3), (3, 1, 1))
    factor, cost = least_departure(motion, start)
    np.testing.assert_allclose(np.square(factor).sum(axis=(1, 2)), 1)

    def cost_of(corrective):
        first, second = (motion @ corrective[:, None]).transpose(2, 0, 1, 3)
        lengths = np.square(first).sum(axis=2) - np.square(second).sum(axis=2)
        return (lengths**2 + 4 * (first * second).sum(axis=2) ** 2).mean(axis=1)

    np.testing.assert_allclose(cost, cost_of(factor))
    rng = np.random.default_rng(1)
    for _ in range(20):
        near = factor + 0.05 * rng.standard_normal(factor.shape)
        near /= np.linalg.norm(near, axis=(1, 2), keepdims=True)
        assert (cost_of(near) > cost - 1e-9).all()


def test_depths_of_rigid_groups_are_exact_up_to_mirroring(body):
    truth = np.stack([body(points=6, seed=seed) for seed in range(3)])
    found = group_depths(truth[..., :2])
    for depth, true in zip(found, truth[..., 2], strict=True):
        assert min(abs(depth - true).max(), abs(depth + true).max()) < 1e-6


def overlapping(seed=0, frames=5, points=9):
    rng = np.random.default_rng(seed)
    whole = rng.standard_normal((points, frames))
    whole -= whole.mean(axis=0)
    groups = np.sort([rng.permutation(points)[:5] for _ in range(12)], axis=1)
    return whole, groups, rng


def test_mirrored_groups_are_found():
    whole, groups, rng = overlapping()
    signs = rng.choice([-1.0, 1.0], len(groups))
    depth = signs[:, None, None] * whole[groups] + rng.standard_normal((len(groups), 1, 5))
    found = group_signs(depth + 0.1 * rng.standard_normal(depth.shape), groups)
    np.testing.assert_array_equal(found * found[0], signs * signs[0])


def test_the_consensus_of_groups_that_agree_is_exact_and_holds_out_against_outliers():
    whole, groups, rng = overlapping()
    depth = whole[groups] + rng.standard_normal((len(groups), 1, 5))
    np.testing.assert_allclose(consensus_depths(depth, groups), whole, atol=1e-3)
    depth[3] = 10 * rng.standard_normal(depth[3].shape)
    np.testing.assert_allclose(consensus_depths(depth, groups), whole, atol=1e-2)


def test_the_consensus_is_the_least_sum_of_departures():
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


def test_bodies_are_turned_to_their_mean(body):
    truth = body()
    upright = truth @ rotations_to_mean(truth)
    np.testing.assert_allclose(upright, np.broadcast_to(upright[0], upright.shape), atol=1e-6)


def test_a_rigid_body_is_exact_and_keeps_its_image(body, reconstructed):
    truth = body()
    image = 3 * truth[..., :2] + 5
    found = reconstructed(image)
    np.testing.assert_allclose(found.points_3d[..., :2], image, atol=1e-9)
    assert depth_error(found.points_3d, 3 * truth) < 1e-6


def test_a_deforming_body_is_found_whatever_the_seed_the_turn_and_the_order(body, reconstructed):
    truth = body(rank=2)
    order = np.random.default_rng(0).permutation(40)
    flat = np.linalg.norm(truth[..., 2]) / np.linalg.norm(truth)
    turned = truth @ np.array([[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, 1]])
    for seed, view in ((0, truth), (1, truth[order]), (2, turned)):
        found = reconstructed(view[..., :2], seed=seed)
        assert depth_error(found.points_3d, view) < 0.3 * flat


def test_a_seed_gives_one_result(body, reconstructed):
    image = body(rank=2, frames=12)[..., :2]
    first, again, other = (
        reconstructed(image, seed=seed, least_groups=2).points_3d for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other, atol=1e-9)


def collapsed(image):
    image = image.copy()
    image[5] = 1.0
    return image


def collapsed_in_part(image):
    image = image.copy()
    image[5, 1:] = 1.0
    return image


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda image: image[:2], "needs 3 frames of 3 points, got 2 of 12"),
        (lambda image: image[:, :2], "needs 3 frames of 3 points, got 40 of 2"),
        (lambda image: np.ones_like(image), "the points of every frame coincide"),
        (lambda image: image[:1].repeat(40, axis=0), "W has rank 2, expected 3"),
        (lambda image: image[:, :3], "W has rank 2, expected 3"),
        (collapsed, "frame 5 has all points at one x or one y"),
        (collapsed_in_part, "frame 5 has 7 points at one place"),
    ],
)
def test_data_that_show_no_shape_are_refused_in_one_line(spoil, told, body, reconstructed):
    with pytest.raises(ValueError, match=told) as caught:
        reconstructed(spoil(body()[..., :2]))
    assert "\n" not in str(caught.value)


def test_parameters_must_be_positive():
    with pytest.raises(ValueError, match="group_size: expected a positive number, got 0"):
        CNS.make(group_size=0)
