"""The boxes of points."""

from __future__ import annotations

import numpy as np

from liftbench_datasets.geometry.boxes import point_boxes


def test_boxes_hold_their_points_and_no_more() -> None:
    points = np.array([[[1.0, 5.0], [4.0, 3.0], [2.0, 9.0]], [[0.0, 0.0]] * 3])
    np.testing.assert_array_equal(point_boxes(points), [[1, 3, 3, 6], [0, 0, 0, 0]])
