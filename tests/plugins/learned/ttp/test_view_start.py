"""Views guessed from masks, on masks of a template seen from known sides."""

from __future__ import annotations

import math

import pytest
import torch
from tests.plugins.learned.conftest import draw
from tests.plugins.learned.ttp.conftest import closed_mesh
from torch import Tensor

from liftbench_plugins.learned.ttp.picture_views import Views
from liftbench_plugins.learned.ttp.rasteriser import rasterise
from liftbench_plugins.learned.ttp.view_start import GuessedViews, guess_views, upright_views

SIZE = 64
SCALES, SHIFTS = (0.5, 0.8, 0.3), ((0.1, -0.2), (0.0, 0.05), (-0.5, 0.6))


def draw_masks(positions: Tensor, faces: Tensor) -> Tensor:
    """Return masks (B, N, N) of vertices (B, V, 3) in half edges from the middle."""
    corners = torch.cat([positions[..., :2] + 1, positions[..., 2:]], dim=2) * (SIZE / 2)
    return rasterise(corners, faces, SIZE, SIZE).covered.double()


def guess(chosen: Tensor) -> tuple[GuessedViews, Tensor, Tensor]:
    """Return what is guessed from masks in chosen views, the true positions, and the masks."""
    vertices, faces = closed_mesh()
    posed = vertices @ upright_views(180).double()[chosen].mT
    posed = posed * torch.tensor(SCALES)[:, None, None]
    posed = posed + torch.nn.functional.pad(torch.tensor(SHIFTS), (0, 1))[:, None]
    masks = draw_masks(posed, faces)
    return guess_views(vertices, faces, masks), posed[..., :2], masks


def test_views_are_rotations_that_go_round_an_upright_template() -> None:
    views = upright_views(180)
    assert len(views) == 24 * 3 * 3
    torch.testing.assert_close(views @ views.mT, torch.eye(3).expand_as(views))
    assert (torch.linalg.det(views) > 0).all()
    # y points down in images.
    assert (views[:, 1, 2] < -(math.cos(math.radians(30)) ** 2) + 1e-6).all()
    level = views[(views[:, 1, 2] + 1).abs() < 1e-6]
    assert len(level) == 24
    front = torch.atan2(level[:, 0, 0], level[:, 2, 0]).sort().values
    torch.testing.assert_close(front.diff(), torch.full((23,), math.pi / 12))


def test_guessed_views_are_no_farther_from_the_front_than_is_said() -> None:
    views = upright_views(90)
    assert len(views) == 13 * 3 * 3
    front = torch.tensor([0.0, -1.0, 0.0])
    level = views[(views[:, 1, 2] + 1).abs() < 1e-6]
    assert ((level @ front)[:, 2] < 1e-6).all()  # the front is nearer to the camera
    assert len(upright_views(0)) == 3 * 3


def test_the_silhouette_of_the_guessed_view_is_that_of_the_mask() -> None:
    """Several views of a symmetric template have the same silhouette."""
    found, _, masks = guess(torch.tensor([4, 62, 130]))
    _, faces = closed_mesh()
    positions = found.positions(torch.arange(3))
    again = draw_masks(
        torch.cat([positions, found.flat.new_zeros(3, len(found.flat[0]), 1)], 2), faces
    )
    # Without depth, the mask of a closed body is still that of all its triangles.
    shared, either = (again * masks).sum((1, 2)), (again + masks).clamp_max(1).sum((1, 2))
    assert (shared / either > 0.85).all()
    assert found.found.all()


def test_scale_and_place_of_the_guess_are_those_of_the_mask() -> None:
    found, true, _ = guess(torch.tensor([4, 62, 130]))
    vertices, _ = closed_mesh()
    unit = found.flat.new_tensor(0.7) / torch.linalg.vector_norm(vertices, dim=1).max()
    torch.testing.assert_close(found.scale * unit, torch.tensor(SCALES).double(), rtol=0.1, atol=0)
    middle = found.positions(torch.arange(3)).mean(dim=1)
    torch.testing.assert_close(middle, true.mean(dim=1), rtol=0, atol=0.06)


def test_an_empty_mask_has_no_guess() -> None:
    vertices, faces = closed_mesh()
    found = guess_views(vertices, faces, torch.zeros(2, SIZE, SIZE).double())
    assert not found.found.any()
    assert found.positions(torch.arange(2)).isfinite().all()


@pytest.mark.parametrize("symmetric", [True, False])
def test_distances_are_those_of_moved_guesses(symmetric: bool) -> None:
    frames, points = 3, 5
    partner = torch.tensor([1, 0, 2, 4, 3]) if symmetric else None
    guessed = GuessedViews(
        draw(4, points, 2),
        torch.tensor([2, 0, 3, 1]),
        draw(4, seed=1),
        draw(4, 2, seed=2),
        torch.tensor([True, True, True, False]),
    )
    linear, shift = draw(frames, 2, 2, seed=3), draw(frames, 2, seed=4)
    linear[:, 0] *= torch.linalg.det(linear).sign()[:, None]
    linear[1] = linear[1].flip(0)  # a mirrored picture
    nothing = torch.empty(0)
    views = Views(nothing, nothing, nothing, nothing, linear, shift)
    positions, chosen = draw(frames, points, 2, seed=5), torch.tensor([1, 0, 3])
    found = guessed.distance(positions, chosen, views, partner)
    for item, frame in enumerate(chosen.tolist()):
        mirrored = float(torch.linalg.det(linear[item])) < 0
        expected = guessed.scale[frame] * guessed.flat[guessed.view[frame]] + guessed.shift[frame]
        moved = expected @ linear[item].T + shift[item]
        if mirrored and partner is not None:
            moved = moved[partner]
        gap = (positions[item] - moved).abs().sum() / points
        counts = frame != 3 and (symmetric or not mirrored)
        torch.testing.assert_close(found[item], gap if counts else torch.zeros_like(gap))
