import numpy as np
import pytest

from liftbench.types import Floats
from liftbench_plugins.classical.shapes.shape_rank import shape_rank
from liftbench_plugins.classical.tracks import Tracks


def tracks(frames=50, points=40, rank=None, noise=0.0) -> Tracks:
    rng = np.random.default_rng(0)
    rank = rank or min(2 * frames, points)
    rows: Floats = rng.standard_normal((2 * frames, rank)) @ rng.standard_normal((rank, points))
    rows += noise * rng.standard_normal(rows.shape)
    return Tracks(rows, np.ones((frames, points), dtype=bool), 1.0)


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
    ],
)
def test_k_is_what_the_data_bears(given, expected):
    assert shape_rank(None, tracks(**given)) == expected


def test_k_that_is_asked_for_is_taken():
    assert shape_rank(13, tracks()) == 13
    assert shape_rank(2, tracks(rank=6)) == 2


@pytest.mark.parametrize(
    ("asked", "given", "told"),
    [
        (12, {"points": 35}, "K = 12 needs 36 frames of 36 points, got 50 of 35"),
        (12, {"frames": 20}, "K = 12 needs 36 frames of 36 points, got 20 of 40"),
        (None, {"points": 2}, "a shape needs 3 frames of 3 points, got 50 of 2"),
        (None, {"rank": 2}, "W has rank 2, expected 3"),
        (3, {"rank": 6}, "K = 3 needs more than W has, which is of rank 6; lower K"),
    ],
)
def test_data_that_do_not_bear_k_are_refused_in_one_line(asked, given, told):
    with pytest.raises(ValueError, match=told) as caught:
        shape_rank(asked, tracks(**given))
    assert "\n" not in str(caught.value)
