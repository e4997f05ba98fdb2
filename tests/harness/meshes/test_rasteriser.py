"""What pixels show of a surface, against a plain loop over rays, and what it covers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from liftbench.meshes.rasteriser import covered_pixels, rasterise
from liftbench.seeds import named_rng
from liftbench.types import Floats
from liftbench_datasets.geometry.ray_mesh import crossings


def hull(seed: int, count: int = 24) -> tuple[Floats, np.ndarray]:
    """Return the outward faces of a convex body in an image of 30 x 40 pixels."""
    points = named_rng("hull", seed).uniform((-6, -6, 40), (46, 36, 80), (count, 3))
    body = ConvexHull(points)
    faces = body.simplices.astype(np.int64)
    normals = np.cross(*np.moveaxis(np.diff(points[faces], axis=1), 1, 0))
    inward = (normals * body.equations[:, :3]).sum(axis=1) < 0
    faces[inward] = faces[inward][:, ::-1]
    return points, faces


def test_pixels_show_the_nearest_face() -> None:
    """Of two bodies in one image, the nearest face is what a ray along z crosses first."""
    (a, first), (b, second) = hull(1), hull(2)
    vertices = np.concatenate([a, b + np.array([0, 0, 25])])
    faces = np.concatenate([first, second + len(a)])
    seen = rasterise(vertices, faces, (30, 40))
    expected = {}
    far = 1e5  # rays from a far eye are nearly along z
    for row in range(30):
        for column in range(40):
            eye = np.array([column, row, -far])
            ray = np.array([[0.0, 0.0, far]])
            at = crossings(ray[None], (vertices - eye)[faces][None])[0, 0]
            if not np.isnan(at).all():
                expected[row, column] = int(np.nanargmin(at))
    found = dict(
        zip(zip(seen.row.tolist(), seen.column.tolist(), strict=True), seen.face, strict=True)
    )
    assert len(found) == len(seen.face) > 300
    assert len(found.keys() ^ expected.keys()) < 4
    differ = [at for at in found.keys() & expected.keys() if found[at] != expected[at]]
    assert len(differ) < 4


def test_values_between_corners_are_those_of_the_plane() -> None:
    vertices, faces = hull(3)
    seen = rasterise(vertices, faces, (30, 40))
    np.testing.assert_allclose(seen.weights.sum(axis=1), 1)
    assert (seen.weights >= 0).all()
    places = seen.between(vertices, faces)
    np.testing.assert_allclose(places[:, 0], seen.column, atol=1e-9)
    np.testing.assert_allclose(places[:, 1], seen.row, atol=1e-9)
    first, second, third = np.moveaxis(vertices[faces[seen.face]], 1, 0)
    normals = np.cross(second - first, third - first)
    np.testing.assert_allclose(np.einsum("nc,nc->n", places - first, normals), 0, atol=1e-6)
    assert (normals[:, 2] < 0).all()


def test_a_square_fills_the_pixels_whose_middle_it_holds() -> None:
    vertices = np.array([[1.5, 2.5, 0], [5.5, 2.5, 0], [5.5, 4.5, 0], [1.5, 4.5, 0]])
    seen = rasterise(vertices, np.array([[0, 3, 2], [0, 2, 1]]), (8, 9))
    shown = set(zip(seen.row.tolist(), seen.column.tolist(), strict=True))
    assert shown == {(row, column) for row in (3, 4) for column in (2, 3, 4, 5)}
    assert not len(rasterise(vertices, np.array([[0, 2, 3], [0, 1, 2]]), (8, 9)).face)


@pytest.mark.parametrize("shift", [-100.0, 100.0])
def test_what_lies_outside_shows_nowhere(shift: float) -> None:
    vertices, faces = hull(4)
    assert not len(rasterise(vertices + np.array([shift, 0, 0]), faces, (30, 40)).face)


def test_a_surface_covers_the_pixels_whose_middle_it_contains() -> None:
    corners = np.array([[1.6, 2.6], [5.4, 2.6], [5.4, 7.4], [1.6, 7.4]])
    expected = np.zeros((10, 8), dtype=bool)
    expected[3:8, 2:6] = True
    for faces in (
        [[0, 1, 2], [0, 2, 3]],
        [[2, 1, 0], [0, 2, 3]],
        [[0, 1, 2], [0, 2, 3], [1, 1, 1]],
    ):
        np.testing.assert_array_equal(covered_pixels(corners, np.array(faces), (10, 8)), expected)


@pytest.mark.parametrize("seed", [4, 5])
def test_a_closed_surface_covers_what_its_fragments_show(seed: int) -> None:
    vertices, faces = hull(seed)
    seen = rasterise(vertices, faces, (30, 40))
    mask = covered_pixels(vertices, faces, (30, 40))
    assert mask[seen.row, seen.column].all()
    assert mask.sum() == len(seen.row)
