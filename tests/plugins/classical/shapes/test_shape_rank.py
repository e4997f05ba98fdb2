from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.plugins.classical.conftest import message_of

from liftbench.types import Floats
from liftbench_plugins.classical.shapes.shape_rank import shape_rank
from liftbench_plugins.classical.tracks import Tracks


def tracks(
    frames: int = 50, points: int = 40, rank: int | None = None, noise: float = 0.0
) -> Tracks:
    rng = np.random.default_rng(0)
    rank = rank or min(2 * frames, points)
    rows: Floats = rng.standard_normal((2 * frames, rank)) @ rng.standard_normal((rank, points))
    rows += noise * rng.standard_normal(rows.shape)
    return Tracks(rows, np.ones((frames, points), dtype=np.bool_), 1.0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, 10),
        ({"points": 20}, 6),
        ({"frames": 16}, 5),
        ({"rank": 3}, 1),
        ({"rank": 6}, 2),
        ({"rank": 5}, 2),
        ({"rank": 6, "noise": 1e-3}, 2),
        ({"rank": 7}, 3),
    ],
)
def test_k_is_the_largest_that_w_supports(given: dict[str, Any], expected: int) -> None:
    assert shape_rank(None, tracks(**given)) == expected


def test_a_given_k_is_used() -> None:
    assert shape_rank(13, tracks()) == 13
    assert shape_rank(2, tracks(rank=6)) == 2


@pytest.mark.parametrize(
    ("k", "given", "message"),
    [
        (12, {"points": 35}, "K = 12 needs 36 frames of 36 points, got 50 of 35"),
        (12, {"frames": 20}, "K = 12 needs 36 frames of 36 points, got 20 of 40"),
        (None, {"points": 2}, "a shape needs 3 frames of 3 points, got 50 of 2"),
        (None, {"rank": 2}, "W has rank 2, expected 3"),
        (3, {"rank": 6}, "K = 3 needs more than W has, which is of rank 6; lower K"),
    ],
)
def test_data_that_do_not_support_k_are_refused_in_one_line(
    k: int | None, given: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        shape_rank(k, tracks(**given))
    assert message_of(caught)


def test_filled_rows_count_instead_of_the_tracks() -> None:
    assert shape_rank(None, tracks(), tracks(rank=6).rows) == 2


def test_a_frame_whose_points_have_one_x_or_one_y_is_refused() -> None:
    for row, frame in ((0, 0), (7, 3)):
        given = tracks(rank=6)
        given.rows[row] = 0
        with pytest.raises(ValueError, match=f"frame {frame} has all points at one x or one y"):
            shape_rank(None, given)
        hidden = Tracks(given.rows, np.arange(2000).reshape(50, 40) > 0, 1.0)
        assert shape_rank(None, hidden) == 2
        with pytest.raises(ValueError, match=f"frame {frame} has all"):
            shape_rank(None, hidden, given.rows)


def test_a_square_matrix_has_no_edge_of_noise() -> None:
    assert shape_rank(None, tracks(20, 40, noise=1.0)) == 6
