from __future__ import annotations

import numpy as np
import pytest
from tests.plugins.classical.bodies import MIRROR, observe, random_scene

from liftbench.types import Floats
from liftbench_plugins.classical.cameras.prior_free import (
    camera_factor,
    prior_free_rank,
    prior_free_start,
    rank_three_factor,
)
from liftbench_plugins.classical.tracks import Tracks, matrix_of, tracks_of

SCENE = random_scene(2, 80, 25, mean=True)


def relative(rotation: Floats) -> Floats:
    """Return the rotations from the first camera to each camera."""
    turns: Floats = rotation @ rotation[0].T
    return turns


def test_cameras_are_found_up_to_signs_a_turn_and_a_mirror() -> None:
    start = prior_free_start(2, Tracks(matrix_of(SCENE.image), SCENE.visible, 1.0))
    assert start.rank == 2
    np.testing.assert_array_equal(start.whole, SCENE.image)
    flip = np.diag([-1.0, -1.0, 1.0])
    gaps = [
        np.abs(relative(sign @ start.rotation) - relative(side @ SCENE.rotation @ side)).max()
        for sign in (np.eye(3), flip)
        for side in (np.eye(3), MIRROR)
    ]
    assert min(gaps) < 1e-3


def test_the_camera_factor_spans_w() -> None:
    rows = matrix_of(SCENE.image)
    cameras, values = camera_factor(rows, 2)
    flat = cameras.reshape(len(rows), 6)
    np.testing.assert_allclose(flat.T @ flat, len(rows) * np.eye(6), atol=1e-9)
    np.testing.assert_allclose(flat @ (flat.T @ rows) / len(rows), rows, atol=1e-9)
    assert (np.diff(values) <= 0).all()


def test_the_factor_of_a_gram_matrix_of_rank_three() -> None:
    factor = np.random.default_rng(0).standard_normal((7, 3))
    gram = factor @ factor.T
    found = rank_three_factor(gram)
    np.testing.assert_allclose(found @ found.T, gram, atol=1e-10)


@pytest.mark.parametrize(("frames", "expected"), [(100, 8), (60, 6), (30, 4)])
def test_k_is_no_more_than_the_frames_determine(frames: int, expected: int) -> None:
    """2F equations for the 3K(3K+1)/2 - (2K^2 - K) other unknowns."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((2 * frames, 30)) @ rng.standard_normal((30, 50))
    tracks = Tracks(rows, np.ones((frames, 50), dtype=np.bool_), 1.0)
    found = prior_free_rank(None, tracks)
    assert found == expected
    assert 3 * found * (3 * found + 1) / 2 - (2 * found**2 - found) <= 2 * frames
    more = found + 1
    assert 3 * more * (3 * more + 1) / 2 - (2 * more**2 - more) > 2 * frames
    assert prior_free_rank(9, tracks) == 9


def test_k_that_has_just_enough_frames_is_taken() -> None:
    """For K = 2 the rule needs 30 / 4 frames: 8 do, 7 do not."""
    rng = np.random.default_rng(0)
    for frames, expected in ((8, 2), (7, 1)):
        rows = rng.standard_normal((2 * frames, 6)) @ rng.standard_normal((6, 9))
        tracks = Tracks(rows, np.ones((frames, 9), dtype=np.bool_), 1.0)
        assert prior_free_rank(None, tracks) == expected


def test_hidden_points_are_filled_before_cameras_are_found() -> None:
    visible = np.random.default_rng(1).random(SCENE.visible.shape) < 0.8
    tracks = tracks_of(observe(SCENE.image, visible))
    start = prior_free_start(2, tracks)
    np.testing.assert_allclose(start.whole * tracks.size, SCENE.image, atol=1e-2)
