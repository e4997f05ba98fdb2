"""The best scale and offset from points to positions, against a general least-squares solver."""

from __future__ import annotations

import numpy as np

from liftbench_datasets.adapting.image_maps import best_origin, best_pixel


def test_the_map_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    points, positions = rng.standard_normal((3, 7, 2)), rng.standard_normal((3, 7, 2))
    positions += 8 * points + [5, -3]
    pixel = best_pixel(points, positions)
    origin = best_origin(points, positions, pixel)
    for frame in range(3):
        x, y = points[frame].T
        ones, zeros = np.ones(7), np.zeros(7)
        rows = np.concatenate([np.stack([x, ones, zeros]), np.stack([y, zeros, ones])], axis=1).T
        scale, *offset = np.linalg.lstsq(rows, positions[frame].T.ravel())[0]
        np.testing.assert_allclose(1 / pixel[frame], scale)
        np.testing.assert_allclose(origin[frame], offset)


def test_the_best_offset_at_a_given_scale_keeps_the_mean() -> None:
    rng = np.random.default_rng(1)
    points, positions = rng.standard_normal((4, 5, 2)), rng.standard_normal((4, 5, 2))
    pixel = rng.uniform(0.5, 2, 4)
    origin = best_origin(points, positions, pixel)
    moved = points / pixel[:, None, None] + origin[:, None]
    np.testing.assert_allclose(moved.mean(axis=1), positions.mean(axis=1))
