from __future__ import annotations

import numpy as np
import pytest
from tests.plugins.classical.bodies import moving_scene

from liftbench.types import Floats
from liftbench_plugins.classical.shapes.point_groups import (
    members,
    random_groups,
    squared_distances,
)


def image_of(frames: int, points: int) -> Floats:
    return moving_scene(1, frames, points).points[..., :2]


@pytest.mark.parametrize(("size", "least"), [(5, 1), (5, 20), (10, 8)])
def test_groups_cover_every_point_often_enough_without_repeating_one(size: int, least: int) -> None:
    groups = random_groups(image_of(40, 25), size, least, np.random.default_rng(0))
    assert groups.shape[1] == size
    assert all(len(set(group)) == size for group in groups.tolist())
    assert np.bincount(groups.ravel(), minlength=25).min() >= least
    assert len(np.unique(groups, axis=0)) == len(groups)


def test_shared_points_connect_groups_of_far_clusters() -> None:
    image = 0.01 * image_of(10, 20)
    image[:, 10:] += [1000.0, 0.0]
    groups = random_groups(image, 5, 3, np.random.default_rng(0))
    reached = {0}
    before: set[int] = set()
    while reached != before:
        before = set(reached)
        reached.update(*(group for group in groups.tolist() if reached & set(group)))
    assert reached == set(range(20))


def test_neighbours_are_drawn_together_and_few_points_are_one_group() -> None:
    image = np.random.default_rng(0).standard_normal((30, 1, 2)).repeat(20, axis=1)
    image[:, 10:] *= -1
    image += 1e-2 * np.random.default_rng(1).standard_normal(image.shape)
    image -= image.mean(axis=1, keepdims=True)
    groups = random_groups(image, 4, 5, np.random.default_rng(0))
    halves = (groups < 10).sum(axis=1)
    assert np.isin(halves, [0, 4]).mean() > 0.8
    few = random_groups(image[:, :4], 4, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(few, [[0, 1, 2, 3]])


def test_distances_of_points_see_no_affine_map_of_a_frame() -> None:
    image = image_of(40, 12)
    maps = np.random.default_rng(0).standard_normal((len(image), 2, 2))
    np.testing.assert_allclose(
        squared_distances(image @ maps), squared_distances(image), rtol=1e-6, atol=1e-9
    )


def test_whitened_distances_are_those_of_a_loop() -> None:
    image = image_of(3, 12)
    expected = np.zeros((12, 12))
    for frame in image:
        white = frame @ np.linalg.inv(np.linalg.cholesky(frame.T @ frame / 12)).T
        expected += np.square(white[:, None] - white).sum(axis=2) / 3
    np.testing.assert_allclose(squared_distances(image), expected, atol=1e-9)


def test_a_frame_whose_points_lie_on_a_line_has_one_coordinate() -> None:
    image = np.linspace(-1, 1, 5)[:, None] * np.array([[3.0, 4.0]])
    expected = np.square(np.subtract.outer(np.linspace(-1, 1, 5), np.linspace(-1, 1, 5))) / 0.5
    np.testing.assert_allclose(squared_distances(image[None]), expected, atol=1e-9)


def test_the_chance_of_a_point_falls_with_its_squared_distance() -> None:
    """Groups of two of three points: ratios of counts are those of exp(-1.3 d^2)."""
    image = np.array([[[0.0, 0.0], [1.0, 0.0], [0.2, 1.0]]])
    image = image - image.mean(axis=1, keepdims=True)
    image = np.repeat(image, 2, axis=0)
    image[1] = [[-1.0, 0.5], [0.4, 0.2], [0.6, -0.7]]
    squares = squared_distances(image)
    drawn = random_groups(image, 2, 1, np.random.default_rng(0))
    assert drawn.shape[1] == 2
    counts = np.zeros(3)
    for seed in range(600):
        rng = np.random.default_rng(seed)
        first = int(np.random.default_rng(seed).choice(3))
        pair = set(random_groups(image, 2, 1, rng)[0].tolist())
        if first == 0:
            counts[(pair - {0}).pop()] += 1
    weights = np.exp(-1.3 * squares[0, 1:])
    np.testing.assert_allclose(counts[1:] / counts.sum(), weights / weights.sum(), atol=0.1)


def test_members_pick_the_points_of_groups() -> None:
    groups = np.array([[0, 2], [1, 2]])
    values = np.array([[5.0], [6.0], [7.0]])
    np.testing.assert_array_equal(members(groups) @ values, [[5], [7], [6], [7]])
    assert members(groups).shape == (4, 3)
