"""Closed surfaces of cells, boxes and heaps of triangles."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from liftbench.types import Bools, Floats, Mesh
from liftbench_datasets.geometry import cell_surface as cell_surfaces
from liftbench_datasets.geometry.cell_surface import (
    cell_surface,
    soup_surface,
    union_surface,
)


def volume(mesh: Mesh) -> float:
    """Return the volume within a closed surface; negative if it is inside out."""
    first, second, third = np.moveaxis(mesh.vertices[mesh.faces], 1, 0)
    return float((first * np.cross(second, third)).sum() / 6)


def directed_edges(faces: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def assert_manifold(mesh: Mesh) -> None:
    """Every edge has a triangle on each side, and the triangles at a vertex form one fan."""
    edges = Counter(map(tuple, directed_edges(mesh.faces).tolist()))
    assert set(edges.values()) == {1}
    assert all((b, a) in edges for a, b in edges)
    for vertex in range(len(mesh.vertices)):
        around = [
            np.roll(face, -face.tolist().index(vertex)) for face in mesh.faces if vertex in face
        ]
        after = {int(face[1]): int(face[2]) for face in around}
        start = here = next(iter(after))
        steps = 0
        while steps == 0 or here != start:
            here, steps = after[here], steps + 1
        assert steps == len(around)


def unit_lines(shape: tuple[int, ...]) -> tuple[Floats, Floats, Floats]:
    x, y, z = (np.arange(count + 1.0) for count in shape)
    return x, y, z


def random_cells(seed: int, share: float) -> Bools:
    solid: Bools = np.random.default_rng(seed).random((4, 5, 3)) < share
    return solid


@pytest.mark.parametrize("share", [0.15, 0.5, 0.85])
@pytest.mark.parametrize("seed", range(5))
def test_any_cells_have_a_manifold_surface_that_holds_them(seed: int, share: float) -> None:
    solid = random_cells(seed, share)
    mesh = cell_surface(solid, unit_lines(solid.shape))
    assert_manifold(mesh)
    assert volume(mesh) >= solid.sum() - 1e-9


def test_cells_that_meet_in_faces_keep_their_volume() -> None:
    solid = np.zeros((4, 4, 4), dtype=np.bool_)
    solid[:3, 1, 1] = solid[1, 1:3, 1] = solid[1, 1, 1:] = True
    mesh = cell_surface(solid, unit_lines(solid.shape))
    assert volume(mesh) == pytest.approx(solid.sum())


@pytest.mark.parametrize("second", [(1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)])
def test_cells_that_meet_elsewhere_are_joined(second: tuple[int, int, int]) -> None:
    solid = np.zeros((2, 2, 2), dtype=np.bool_)
    solid[0, 0, 0] = solid[second] = True
    mesh = cell_surface(solid, unit_lines(solid.shape))
    assert volume(mesh) == pytest.approx(2 ** sum(second))


def test_boxes_together_have_the_volume_of_their_union() -> None:
    boxes = np.array([[[-1, -2, 0], [1, 2, 1]], [[-0.5, 0, 0.5], [0.5, 1, 2.25]]])
    mesh = union_surface(boxes, 0.4)
    assert_manifold(mesh)
    assert volume(mesh) == pytest.approx(2 * 4 * 1 + 1 * 1 * 1.25)
    edges = directed_edges(mesh.faces)
    along = np.abs(mesh.vertices[edges[:, 0]] - mesh.vertices[edges[:, 1]]).max(axis=1)
    assert along.max() <= 0.4 + 1e-9
    mirrored = mesh.vertices * (-1, 1, 1)
    gaps = np.linalg.norm(mirrored[:, None] - mesh.vertices, axis=2).min(axis=1)
    assert gaps.max() < 1e-9


def test_a_heap_of_triangles_has_a_closed_surface_that_is_symmetric() -> None:
    """The sides of a box that is not in the middle, each facing any way."""
    boxes = np.array([[[-0.2, -0.5, -0.3], [0.2, 0.5, 0.3]]])
    whole = union_surface(boxes, 0.5)
    rng = np.random.default_rng(0)
    faces = np.array([rng.permutation(face) for face in whole.faces])
    mesh = soup_surface(Mesh(whole.vertices + np.array([0.01, 0, 0]), faces), 0.1)
    assert_manifold(mesh)
    # All cells that the sides meet are solid: at most a cell more at each side.
    assert 0.4 * 1.0 * 0.6 < volume(mesh) < 0.6 * 1.2 * 0.8
    mirrored = mesh.vertices * (-1, 1, 1)
    gaps = np.linalg.norm(mirrored[:, None] - mesh.vertices, axis=2).min(axis=1)
    assert gaps.max() < 1e-9


def test_the_steps_of_cells_are_smoothed_away(monkeypatch: pytest.MonkeyPatch) -> None:
    ball = cell_ball(0.05)
    smooth = soup_surface(ball, 0.1)
    monkeypatch.setattr(cell_surfaces, "_ROUNDS", 0)
    steps = soup_surface(ball, 0.1)
    assert (smooth.faces == steps.faces).all()
    assert volume(smooth) == pytest.approx(volume(steps), rel=0.05)
    spread = [np.linalg.norm(mesh.vertices, axis=1).std() for mesh in (smooth, steps)]
    assert spread[0] < 0.7 * spread[1]


def cell_ball(step: float) -> Mesh:
    """Return a ball of radius 0.7 of cells."""
    count = 2 * round(1 / step)
    lines = np.linspace(-1, 1, count + 1)
    middles = (lines[1:] + lines[:-1]) / 2
    x, y, z = np.meshgrid(middles, middles, middles)
    solid: Bools = np.sqrt(x**2 + y**2 + z**2) < 0.7
    return cell_surface(solid, (lines, lines, lines))
