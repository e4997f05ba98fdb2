"""The rotations of viewpoints: proper, and what each angle means."""

from __future__ import annotations

import numpy as np
import pytest

from liftbench.seeds import named_rng
from liftbench_datasets.geometry.viewpoints import viewpoint_rotations


def test_rotations_are_proper() -> None:
    rng = named_rng("viewpoints")
    turns = viewpoint_rotations(*rng.uniform(-180, 360, (3, 300)))
    np.testing.assert_allclose(
        turns @ turns.swapaxes(1, 2), np.tile(np.eye(3), (300, 1, 1)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(turns), 1)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "nearest", "right"),
    [
        (0, 0, [0, -1, 0], [1, 0, 0]),  # before the front
        (90, 0, [1, 0, 0], [0, 1, 0]),
        (180, 0, [0, 1, 0], [-1, 0, 0]),
        (0, 90, [0, 0, 1], [1, 0, 0]),  # from above
    ],
)
def test_viewpoints_see_the_side_they_name(
    azimuth: float, elevation: float, nearest: list[int], right: list[int]
) -> None:
    turn = viewpoint_rotations(*(np.array([float(x)]) for x in (azimuth, elevation, 0)))[0]
    np.testing.assert_allclose(turn @ nearest, [0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(turn @ right, [1, 0, 0], atol=1e-12)


def test_what_is_up_is_at_the_top_of_the_image() -> None:
    turn = viewpoint_rotations(np.array([30.0]), np.array([10.0]), np.array([0.0]))[0]
    assert (turn @ [0, 0, 1])[1] < -0.9


def test_theta_turns_counter_clockwise_as_seen() -> None:
    right = viewpoint_rotations(np.array([0.0]), np.array([0.0]), np.array([90.0]))[0] @ [1, 0, 0]
    np.testing.assert_allclose(right, [0, -1, 0], atol=1e-12)  # y is down, so -1 is up
