"""The losses of whole pictures, on meshes whose picture is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import roma
import torch
from tests.plugins.learned.conftest import draw, seeded
from tests.plugins.learned.ttp.conftest import closed_mesh
from torch import Tensor

from liftbench import Mesh, Template
from liftbench_plugins.learned.ttp import LossWeights
from liftbench_plugins.learned.ttp.appearance import colour_distance
from liftbench_plugins.learned.ttp.layer.pose_deformation import Fit
from liftbench_plugins.learned.ttp.mesh import CategoryMesh, prepare
from liftbench_plugins.learned.ttp.picture_views import Views
from liftbench_plugins.learned.ttp.rasteriser import rasterise
from liftbench_plugins.learned.ttp.training_loss import (
    Prediction,
    equivariance_losses,
    point_losses,
    rendering_losses,
    sample_masks,
    texture_loss,
    turned_rotations,
)

SIZE, B = 32, 3


def category_mesh() -> CategoryMesh:
    vertices, faces = closed_mesh(80)
    points = torch.eye(80)[:5].double().numpy()
    return prepare(Template(Mesh(vertices.numpy(), faces.numpy()), points), "cpu")


def exact_prediction(mesh: CategoryMesh) -> Prediction:
    """Return poses of the template, with positions and visibilities that agree with them."""
    fit = Fit(
        _turns(B),
        0.1 * draw(B, 2, seed=4).float(),
        torch.full((B,), 0.4),
        torch.zeros(B, 0),
        mesh.vertices.expand(B, -1, -1),
        torch.ones(B, dtype=torch.bool),
    )
    return Prediction(fit.project(fit.shape), torch.ones(B, len(mesh.vertices)), fit)


def _turns(count: int) -> Tensor:
    turns: Tensor = roma.unitquat_to_rotmat(
        torch.nn.functional.normalize(draw(count, 4, seed=3).float())
    )
    return turns


def views_of(found: Prediction, mesh: CategoryMesh) -> Views:
    posed = found.fit.place(found.fit.shape)
    corners = torch.cat([posed[..., :2] + 1, posed[..., 2:]], dim=2) * SIZE / 2
    masks = rasterise(corners, mesh.faces, SIZE, SIZE).covered.float()
    return Views(
        draw(B, 3, SIZE, SIZE, seed=5).float().sigmoid(),
        masks,
        found.fit.project(mesh.points @ found.fit.shape),
        torch.ones(B, 5, dtype=torch.bool),
        torch.eye(2).expand(B, 2, 2),
        torch.zeros(B, 2),
    )


def losses_of(
    found: Prediction,
    views: Views,
    mesh: CategoryMesh,
    weights: LossWeights | None = None,
    softness: float = 0.5,
) -> dict[str, Tensor]:
    return point_losses(found, views, mesh, seeded(0)) | rendering_losses(
        found, views, mesh, weights or LossWeights(), colour_distance, softness
    )


def test_exact_predictions_lose_nothing_but_the_softness_of_the_edge() -> None:
    mesh = category_mesh()
    found = exact_prediction(mesh)
    losses = losses_of(found, views_of(found, mesh), mesh, softness=1e-3)
    assert {name: loss.shape for name, loss in losses.items()} == dict.fromkeys(losses, (B,))
    for name in ("cycle", "keypoints", "texture"):
        assert losses[name].max() < 1e-3, name
    assert losses["mask"].max() < 1e-3
    assert losses["consistency"].max() < 1 / SIZE
    assert losses["coverage"].max() < 0.2
    moved = replace(found, positions=found.positions + 0.3)
    worse = losses_of(moved, views_of(found, mesh), mesh, softness=1e-3)
    for name in ("cycle", "texture", "consistency", "coverage"):
        assert (worse[name] > losses[name]).all(), name


def test_a_weight_of_zero_leaves_a_loss_out() -> None:
    mesh = category_mesh()
    found = exact_prediction(mesh)
    views = views_of(found, mesh)
    assert set(losses_of(found, views, mesh)) >= {"mask", "visibility", "texture"}
    without = LossWeights(mask=0, visibility=0, texture=0)
    assert not {"mask", "visibility", "texture"} & set(losses_of(found, views, mesh, without))


def test_an_empty_mask_gives_finite_losses() -> None:
    mesh = category_mesh()
    found = exact_prediction(mesh)
    views = views_of(found, mesh)
    empty = replace(views, masks=views.masks * torch.tensor([1.0, 0.0, 1.0])[:, None, None])
    losses = losses_of(found, empty, mesh)
    for name in ("mask", "coverage", "consistency", "texture"):
        assert float(losses[name][1]) == 0, name


def test_places_are_drawn_in_the_mask() -> None:
    masks = torch.zeros(2, 6, 8, dtype=torch.bool)
    masks[0, 2:4, 5:7] = True
    places, drawn = sample_masks(masks, seeded(0))
    assert drawn.tolist() == [True, False]
    found = {tuple(place) for place in places[0].tolist()}
    assert found == {(x + 0.5, y + 0.5) for x in (5, 6) for y in (2, 3)}


def test_colours_are_looked_up_at_the_interpolated_positions() -> None:
    mesh = category_mesh()
    found = exact_prediction(mesh)
    views = views_of(found, mesh)
    posed = found.fit.place(found.fit.shape)
    corners = torch.cat([posed[..., :2] + 1, posed[..., 2:]], dim=2) * SIZE / 2
    fragments = rasterise(corners, mesh.faces, SIZE, SIZE)
    flat = replace(views, pictures=torch.full_like(views.pictures, 0.4))
    lone = replace(mesh, partner=None)
    moved = found.positions + 0.2
    assert texture_loss(moved, fragments, lone, flat, colour_distance).max() < 1e-6
    shifted = texture_loss(found.positions + 2 / SIZE, fragments, lone, views, colour_distance)
    assert (shifted > 0.01).all()
    partner = torch.arange(len(mesh.vertices)).flip(0)
    both = replace(mesh, partner=partner)
    exact = texture_loss(found.positions, fragments, lone, views, colour_distance)
    other = texture_loss(found.positions[:, partner], fragments, lone, views, colour_distance)
    average = texture_loss(found.positions, fragments, both, views, colour_distance)
    torch.testing.assert_close(average, (exact + other) / 2)
    assert (other > exact + 0.01).all()


def changes(mirrored: bool) -> tuple[Tensor, Tensor]:
    angle = torch.tensor([0.3, -1.1, 2.0])
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    linear = torch.tensor([0.8, 1.0, 1.3])[:, None, None] * turn
    return linear * torch.tensor([-1.0 if mirrored else 1.0, 1.0]), 0.2 * draw(3, 2).float()


@pytest.mark.parametrize("mirrored", [False, True])
def test_poses_turn_with_the_picture(mirrored: bool) -> None:
    """The picture of a body after a change is that of the turned, perhaps mirrored, body."""
    linear, _ = changes(mirrored)
    rotation, body = _turns(3), draw(3, 9, 3).float()
    after = turned_rotations(rotation, linear)
    torch.testing.assert_close(torch.linalg.det(after), torch.ones(3))
    side = torch.tensor([-1.0 if mirrored else 1.0, 1.0, 1.0])
    size = torch.linalg.det(linear).abs().sqrt()[:, None, None]
    expected = (body @ rotation.mT)[..., :2] @ linear.mT
    found = size * ((body * side) @ after.mT)[..., :2]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("mirrored", [False, True])
def test_predictions_that_move_with_the_picture_lose_nothing(mirrored: bool) -> None:
    mesh = category_mesh()
    one = exact_prediction(mesh)
    linear, shift = changes(mirrored)
    partner = torch.arange(len(mesh.vertices)).flip(0)
    moved = one.positions @ linear.mT + shift[:, None]
    moved = moved[:, partner] if mirrored else moved
    two = Prediction(
        moved, one.visibility, replace(one.fit, rotation=turned_rotations(one.fit.rotation, linear))
    )
    before = views_of(one, mesh)
    after = replace(before, linear=linear @ before.linear, shift=shift)
    losses = equivariance_losses(one, two, before, after, partner)
    assert losses["equivariance"].max() < 1e-5
    assert losses["turn"].max() < 5e-3
    without = equivariance_losses(one, two, before, after, None)
    assert without["equivariance"].max() < 1e-5
    other = replace(two, positions=two.positions + 0.1)
    gap = equivariance_losses(one, other, before, after, partner)["equivariance"]
    torch.testing.assert_close(gap, torch.full((3,), 0.2))
