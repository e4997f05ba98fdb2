"""Strips of pictures: where they lie, and what they show."""

from __future__ import annotations

import pytest
import torch
from tests.plugins.learned.conftest import seeded
from torch import Tensor

from liftbench_plugins.learned.pictures.strips import LENGTH, WIDTH, read_strips, strip_places

N = 64
PLACES = torch.tensor([[[20.0, 10.0], [20.0, 50.0], [45.0, 30.0]]])
VISIBLE = torch.ones(1, 3)
EDGES = ((0, 1), (1, 2))


def standardised(values: Tensor) -> Tensor:
    """Return logarithms of brightness as strips have them."""
    logs = torch.log1p(255 * values)
    return (logs - logs.mean()) / (logs.std(correction=0) + 0.05)


def test_a_strip_reaches_beyond_its_edge_and_has_the_width_of_the_person() -> None:
    """The longer side of the box is 40 pixels, along the edge from the first to the second."""
    places = strip_places(PLACES, VISIBLE, torch.tensor([0]), torch.tensor([1]))[0, 0]
    assert places.shape == (LENGTH, WIDTH, 2)
    beyond, half = 0.035 * 40, 0.07 * 40
    torch.testing.assert_close(places[0, 0], torch.tensor([20 + half, 10 - beyond]))
    torch.testing.assert_close(places[-1, -1], torch.tensor([20 - half, 50 + beyond]))
    torch.testing.assert_close(
        places[:, 0, 1], torch.linspace(10 - beyond, 50 + beyond, LENGTH), rtol=1e-5, atol=1e-4
    )


def test_an_edge_without_length_has_a_strip() -> None:
    places = strip_places(PLACES, VISIBLE, torch.tensor([2]), torch.tensor([2]))
    assert places.isfinite().all()
    torch.testing.assert_close(places.mean(dim=(1, 2, 3)), PLACES[:, 2])


def test_strips_show_the_logarithm_of_a_ramp() -> None:
    """Bilinear samples of a ramp are exact; its middles of pixels are at half-integers."""
    ramp = ((torch.arange(N) + 0.5) / N).expand(1, 3, N, N)
    found = read_strips(ramp, PLACES, VISIBLE, EDGES)
    for number, (first, second) in enumerate(EDGES):
        where = strip_places(PLACES, VISIBLE, torch.tensor([first]), torch.tensor([second]))
        expected = standardised(where[0, 0, ..., 0].flatten() / N)
        torch.testing.assert_close(found[0, number], expected, rtol=1e-4, atol=1e-4)


def test_strips_turn_with_the_picture() -> None:
    picture = torch.rand(1, 3, N, N, generator=seeded())
    turned_picture = torch.rot90(picture, 1, dims=(2, 3))  # anticlockwise: x, y become y, N - x
    turned = torch.stack([PLACES[..., 1], N - PLACES[..., 0]], dim=2)
    torch.testing.assert_close(
        read_strips(turned_picture, turned, VISIBLE, EDGES),
        read_strips(picture, PLACES, VISIBLE, EDGES),
        rtol=0,
        atol=1e-4,
    )


@pytest.mark.parametrize("hidden", [0, 1])
def test_the_strip_of_a_hidden_point_is_zero_and_its_place_counts_nowhere(hidden: int) -> None:
    picture = torch.rand(1, 3, N, N, generator=seeded())
    visible = VISIBLE.clone()
    visible[0, hidden] = 0
    found = []
    for far in (0.0, 1e4):
        places = PLACES.clone()
        places[0, hidden] = far
        found.append(read_strips(picture, places, visible, EDGES))
    assert found[0][0, 0].eq(0).all()
    assert found[0][0, 1].any() == (hidden == 0)
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=0)


def test_a_picture_of_one_colour_shows_nothing() -> None:
    assert read_strips(torch.full((1, 3, N, N), 0.3), PLACES, VISIBLE, EDGES).abs().max() < 1e-4


def test_a_skeleton_without_edges_has_no_strips() -> None:
    picture = torch.rand(1, 3, N, N, generator=seeded())
    assert read_strips(picture, PLACES, VISIBLE, ()).shape == (1, 0, LENGTH * WIDTH)
