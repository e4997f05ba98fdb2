"""What pixels show, against every triangle in turn, and soft masks against finer pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.plugins.learned.conftest import backward, draw
from tests.plugins.learned.ttp.conftest import closed_mesh, posed_meshes
from torch import Tensor

from liftbench_plugins.learned.ttp import rasteriser, silhouette
from liftbench_plugins.learned.ttp.rasteriser import Fragments, rasterise, visible_vertices
from liftbench_plugins.learned.ttp.silhouette import find_edges, soft_silhouette

SIZE = 24


def nearest_by_loop(vertices: Tensor, faces: Tensor, size: int) -> list[list[int]]:
    """Return the nearest triangle at each pixel's middle, -1 where there is none."""
    shown = [[-1] * size for _ in range(size)]
    for row in range(size):
        for column in range(size):
            depth = float("inf")
            for number, corners in enumerate(vertices[faces].numpy()):
                system = np.concatenate([corners[:, :2].T, np.ones((1, 3))])
                weights = np.linalg.solve(system, [column + 0.5, row + 0.5, 1])
                if (weights >= 0).all() and weights @ corners[:, 2] < depth:
                    depth, shown[row][column] = weights @ corners[:, 2], number
    return shown


def test_every_pixel_shows_the_nearest_triangle_at_its_middle() -> None:
    vertices, faces = posed_meshes(2, SIZE, points=30)
    shown = rasterise(vertices, faces, SIZE, SIZE)
    for item in range(2):
        assert shown.face[item].tolist() == nearest_by_loop(vertices[item], faces, SIZE)


def test_groups_of_triangles_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    vertices, faces = posed_meshes(3, SIZE)
    whole = rasterise(vertices, faces, SIZE, SIZE)
    monkeypatch.setattr(rasteriser, "_MOST_PAIRS", 50)
    parts = rasterise(vertices, faces, SIZE, SIZE)
    assert torch.equal(whole.face, parts.face)


def test_weights_interpolate_positions_to_the_middle_of_pixels() -> None:
    vertices, faces = posed_meshes(2, SIZE)
    shown = rasterise(vertices, faces, SIZE, SIZE)
    middles = torch.stack(torch.meshgrid(*[torch.arange(SIZE) + 0.5] * 2, indexing="xy"), dim=2)
    found = shown.interpolate(vertices, faces)[..., :2]
    expected = torch.where(shown.covered[..., None], middles.double(), 0)
    torch.testing.assert_close(found, expected)


def test_weights_have_the_gradient_of_finite_differences() -> None:
    vertices, faces = posed_meshes(1, 12, points=30)
    colours, side = draw(1, 30, 2, seed=3), draw(1, 12, 12, 2, seed=4)

    def value(moved: Tensor) -> Tensor:
        return (rasterise(moved, faces, 12, 12).interpolate(colours, faces) * side).sum()

    moved = vertices.clone().requires_grad_()
    backward(value(moved))
    direction = draw(*vertices.shape, seed=5)
    found = (value(vertices + 1e-6 * direction) - value(vertices - 1e-6 * direction)) / 2e-6
    assert moved.grad is not None
    assert float((moved.grad * direction).sum()) == pytest.approx(float(found), rel=1e-4)


def test_vertices_are_visible_on_the_near_side_of_a_ball() -> None:
    body, faces = closed_mesh(300)
    ball = torch.nn.functional.normalize(body, dim=1) * 45 + 50
    shown = visible_vertices(ball[None], faces, rasterise(ball[None], faces, 100, 100))[0]
    depth = (ball[:, 2] - 50) / 45
    assert bool(shown[depth < -0.3].all())
    assert not bool(shown[depth > 0.3].any())


def test_the_size_of_pixels_hardly_changes_which_vertices_are_visible() -> None:
    vertices, faces = posed_meshes(4, 64, points=642)
    fine = vertices * 8
    shown = visible_vertices(vertices, faces, rasterise(vertices, faces, 64, 64))
    truth = visible_vertices(fine, faces, rasterise(fine, faces, 512, 512))
    assert float((shown == truth).double().mean()) > 0.97


def test_what_lies_before_a_vertex_hides_it() -> None:
    ball, faces = closed_mesh(300)
    ball = torch.nn.functional.normalize(ball, dim=1)
    near, far = 20 * ball + torch.tensor([30.0, 30, 0]), 20 * ball + torch.tensor([45.0, 30, 60])
    both, all_faces = torch.cat([near, far])[None], torch.cat([faces, faces + len(ball)])
    shown = visible_vertices(both, all_faces, rasterise(both, all_faces, 64, 64))[0, len(ball) :]
    alone = visible_vertices(far[None], faces, rasterise(far[None], faces, 64, 64))[0]
    behind = torch.linalg.vector_norm(far[:, :2] - 30, dim=1) < 18
    beside = torch.linalg.vector_norm(far[:, :2] - 30, dim=1) > 22
    assert not bool(shown[behind].any())
    assert bool(alone[behind].any())
    assert (shown == alone)[beside].all()
    outside = far[:, 0] > 64
    assert bool(outside.any())
    assert not bool(alone[outside].any())


def test_a_mesh_outside_the_picture_covers_nothing() -> None:
    vertices, faces = posed_meshes(1, SIZE)
    shown = rasterise(vertices + 1e12, faces, SIZE, SIZE)
    assert not shown.covered.any()
    assert not shown.weights.any()


def soft(vertices: Tensor, faces: Tensor, softness: float, size: int = SIZE) -> Tensor:
    shown = rasterise(vertices, faces, size, size)
    return soft_silhouette(vertices, faces, find_edges(faces), shown, softness)


def share_of_pixels(vertices: Tensor, faces: Tensor, size: int) -> Tensor:
    """Return how much of each pixel the meshes cover, by 64 points in each."""
    fine = rasterise(vertices * torch.tensor([8.0, 8.0, 1.0]), faces, 8 * size, 8 * size)
    return fine.covered.double().view(-1, size, 8, size, 8).mean((2, 4))


def test_soft_masks_cover_what_finer_pictures_cover() -> None:
    vertices, faces = posed_meshes(8, 64, points=642)
    found, true = soft(vertices, faces, 0.25, 64), share_of_pixels(vertices, faces, 64)
    overlap = torch.minimum(found, true).sum((1, 2)) / torch.maximum(found, true).sum((1, 2))
    assert float(overlap.min()) > 0.97
    hard = rasterise(vertices, faces, 64, 64).covered.double()
    assert float((found - true).abs().sum()) < 0.6 * float((hard - true).abs().sum())


@pytest.mark.parametrize("softness", [0.25, 3.0])
def test_the_gradient_moves_a_shifted_mesh_back(softness: float) -> None:
    vertices, faces = posed_meshes(2, SIZE)
    target = soft(vertices, faces, softness)
    for axis in (0, 1):
        for shift in (-1.0, 1.0):
            move = torch.zeros(3, dtype=torch.float64)
            move[axis] = shift
            moved = (vertices + move).requires_grad_()
            backward((soft(moved, faces, softness) - target).square().sum())
            assert moved.grad is not None
            slope = moved.grad.sum(dim=1)[:, axis]
            assert bool((slope * shift > 0).all())


def test_a_mesh_beside_the_picture_is_pulled_into_it_by_a_wide_mask() -> None:
    vertices, faces = posed_meshes(1, SIZE)
    moved = (vertices + torch.tensor([SIZE * 1.0, 0.0, 0.0])).requires_grad_()
    backward(-soft(moved, faces, 8.0).sum())
    assert moved.grad is not None
    assert float(moved.grad.sum(dim=1)[0, 0]) > 0


def test_inner_contours_do_not_soften_the_mask() -> None:
    # A small ball before a large one: the small one's contour is inside the mask.
    body, faces = closed_mesh(200)
    ball = torch.nn.functional.normalize(body, dim=1)
    middle = torch.tensor([SIZE / 2, SIZE / 2, 0.0])
    both = torch.cat([ball * 10 + middle, ball * 4 + middle - torch.tensor([0, 0, 20.0])])
    faces = torch.cat([faces, faces + len(ball)])
    alone = soft((ball * 10 + middle)[None], faces[: len(faces) // 2], 0.5)
    torch.testing.assert_close(soft(both[None], faces, 0.5), alone)


@pytest.mark.parametrize(
    ("change", "message"), [("open", "is open"), ("twice", "is not a manifold")]
)
def test_meshes_that_bound_no_body_are_refused(change: str, message: str) -> None:
    _, faces = closed_mesh(30)
    faces = faces[1:] if change == "open" else torch.cat([faces, faces[:1]])
    with pytest.raises(ValueError, match=message):
        find_edges(faces)


def test_pieces_of_contour_are_found_as_by_every_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    vertices, faces = posed_meshes(4, SIZE)
    few = soft(vertices, faces, 2.0)
    monkeypatch.setattr(silhouette, "_CANDIDATES", 10_000)
    torch.testing.assert_close(few, soft(vertices, faces, 2.0), rtol=0, atol=1e-2)


def test_fragments_say_what_is_covered() -> None:
    face = torch.tensor([[[-1, 0], [3, -1]]])
    assert Fragments(face, torch.zeros(1, 2, 2, 3)).covered.tolist() == [
        [[False, True], [True, False]]
    ]
