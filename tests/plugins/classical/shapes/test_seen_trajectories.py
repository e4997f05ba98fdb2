from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.plugins.classical.bodies import scene_of, turning_cameras

from liftbench.types import Floats
from liftbench_plugins.classical.shapes.dct import dct_basis, free_ended_basis
from liftbench_plugins.classical.shapes.seen_trajectories import (
    _counts_up_to,
    clearest_basis,
    clearest_cameras,
    require_distinct,
    trajectory_views,
)
from liftbench_plugins.classical.tracks import matrix_of


def noisy_rows(rotation: Floats, basis: Floats) -> Floats:
    rng = np.random.default_rng(0)
    rows = matrix_of(scene_of(basis, rotation, 15, rng).image)
    return rows + 1e-4 * rng.standard_normal(rows.shape)


def test_columns_are_images_of_moves_of_a_point() -> None:
    rotation, basis = turning_cameras(30), dct_basis(30, 4)
    columns = trajectory_views(rotation, basis)
    moves = np.random.default_rng(0).standard_normal((4, 3))
    expected = np.einsum("fac,fc->fa", rotation[:, :2], basis @ moves)
    np.testing.assert_allclose(columns @ moves.ravel(), expected.ravel())


@pytest.mark.parametrize(("made_of", "count"), [(dct_basis, 5), (free_ended_basis, 6)])
def test_the_clearest_basis_is_the_one_that_the_trajectories_are_made_of(
    made_of: Callable[[int, int], Floats], count: int
) -> None:
    rotation = turning_cameras(120, turns=6)
    basis = made_of(120, count)
    found = clearest_basis(rotation, noisy_rows(rotation, basis))
    np.testing.assert_allclose(found, basis, atol=1e-12)


def test_a_third_of_the_frames_is_the_largest_number_of_trajectories() -> None:
    """Noise of all frequencies in place of W, and cameras that turn by a right angle a frame."""
    angles = np.arange(30) * np.pi / 2
    zero, one = 0 * angles, 1 + 0 * angles
    rows = [[np.cos(angles), zero, np.sin(angles)], [zero, one, zero]]
    first = np.moveaxis(np.array(rows), 2, 0)
    rotation = np.concatenate([first, np.cross(first[:, :1], first[:, 1:])], axis=1)
    noise = np.random.default_rng(0).standard_normal((60, 9))
    assert 1 <= clearest_basis(rotation, noise).shape[1] <= 10


def test_the_true_cameras_are_clearer_than_others() -> None:
    rotation = turning_cameras(120, turns=6)
    rows = noisy_rows(rotation, dct_basis(120, 5))
    others = [rotation[::-1], np.broadcast_to(np.eye(3), (120, 3, 3))]
    for order in ([0, 1, 2], [1, 2, 0], [2, 0, 1]):
        candidates = [[rotation, *others][k] for k in order]
        assert clearest_cameras(candidates, rows) is rotation


def test_cameras_that_stand_still_determine_no_trajectories() -> None:
    still = np.broadcast_to(np.eye(3), (40, 3, 3))
    with pytest.raises(
        ValueError,
        match="the cameras of 40 frames turn too little to distinguish 3 smooth trajectories",
    ):
        require_distinct(still, 3)
    with pytest.raises(ValueError, match="turn too little to distinguish 1 smooth"):
        clearest_basis(still, np.random.default_rng(0).standard_normal((80, 9)))


def test_trajectories_need_two_equations_per_unknown_at_least() -> None:
    require_distinct(turning_cameras(40), 3)
    with pytest.raises(ValueError, match="turn too little"):
        require_distinct(turning_cameras(40), 27)


def test_counts_grow_by_a_tenth() -> None:
    counts = _counts_up_to(50)
    assert counts[:15] == list(range(1, 16))
    assert counts[15:] == [16, 18, 20, 22, 24, 26, 29, 32, 35, 38, 42, 46, 50]
    assert _counts_up_to(1) == [1]
