"""Key points about their mean and in their unit, in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from liftbench import Observations
from liftbench.testing import scene
from liftbench_plugins.learned.ttp_points.views import (
    shared_spread,
    sizes_differ,
    spreads,
    views_of,
)


def frames() -> Observations:
    return scene("orthographic", "train", sequences=1, frames=5).observations


def with_points(points: list[list[float]], visible: list[bool]) -> Observations:
    """Return frames that all show the same points."""
    given = frames().take(np.arange(2))
    count = given.points_2d.shape[1]
    places = np.zeros((2, count, 2))
    places[:, : len(points)] = points
    seen = np.zeros((2, count), dtype=bool)
    seen[:, : len(points)] = visible
    return replace(given, points_2d=np.where(seen[..., None], places, np.nan), visible=seen)


def test_the_spread_is_that_of_visible_coordinates_about_their_mean() -> None:
    square = with_points([[1, 1], [3, 1], [3, 3], [1, 3], [50, 50]], [True] * 4 + [False])
    np.testing.assert_allclose(spreads(square), [1, 1])
    assert shared_spread(square) == pytest.approx(1)
    views = views_of(square, None, "cpu")
    np.testing.assert_allclose(views.middle, [[2, 2], [2, 2]])
    np.testing.assert_allclose(views.points[0, :4], [[-1, -1], [1, -1], [1, 1], [-1, 1]])
    assert float(views.points[:, 4:].abs().max()) == 0


def test_points_that_coincide_have_no_spread() -> None:
    one = with_points([[4, 5], [4, 5]], [True, True])
    with pytest.raises(ValueError, match="points that differ"):
        shared_spread(one)
    assert np.isfinite(views_of(one, None, "cpu").points.numpy()).all()


def test_sizes_differ_where_the_camera_or_the_unit_says_so() -> None:
    given = frames()
    assert not sizes_differ(replace(given, camera="orthographic", pixel=None))
    assert sizes_differ(replace(given, camera="weak_perspective", pixel=None))
