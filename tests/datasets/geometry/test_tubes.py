"""Tubes of rings: closed surfaces, whose vertices and weights are those of their rings."""

from __future__ import annotations

import numpy as np
import pytest

from liftbench_datasets.geometry.tubes import (
    SIDES,
    Ring,
    bone_weights,
    outward_faces,
    ring_vertices,
    tube_faces,
)


def test_the_faces_of_a_tube_close_it_and_tubes_share_none() -> None:
    """Each edge belongs to two faces, in opposite directions; every tube is a sphere."""
    faces = tube_faces([4, 3])
    ends = np.concatenate([faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    edges = set(map(tuple, ends.tolist()))
    assert len(edges) == len(ends)
    assert edges == {(b, a) for a, b in edges}
    for first, rings in ((0, 4), (4, 3)):
        of_tube = faces[(faces // SIDES >= first).all(axis=1)]
        of_tube = of_tube[(of_tube // SIDES < first + rings).all(axis=1)]
        assert len(of_tube) == 2 * SIDES * (rings - 2)
        assert len(np.unique(of_tube)) - len(of_tube) / 2 == 2  # Euler's number of a sphere
    assert len(faces) == 2 * SIDES * (2 + 1)


def test_faces_go_around_the_same_way() -> None:
    """A straight tube along z has the volume of the prisms and pyramids that it is made of."""
    heights, radii = np.array([0.0, 1.0, 3.0, 4.0]), np.array([0.0, 0.5, 0.5, 0.0])
    middles = np.stack([0 * heights, 0 * heights, heights], axis=1)[None]
    halves = np.stack([radii, radii], axis=1)[None]
    vertices = ring_vertices(middles, halves, np.ones(4, dtype=np.bool_))[0]
    volume = np.linalg.det(vertices[tube_faces([4])]).sum() / 6
    polygon = SIDES / 2 * np.sin(2 * np.pi / SIDES) * 0.5**2
    assert volume == pytest.approx(polygon * (2 + 2 * 1 / 3))


def test_tubes_that_are_inside_out_are_turned() -> None:
    """Tubes upwards and downwards: one of them is inside out, wherever the origin lies."""
    for shift in (0.0, 7.0):
        up, radii = np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.5, 0.0])
        heights = np.concatenate([up, up[::-1]])
        middles = np.stack([0 * heights, heights, 0 * heights + shift], axis=1)[None]
        halves = np.stack([np.tile(radii, 2)] * 2, axis=1)[None]
        vertices = ring_vertices(middles, halves, np.zeros(6, dtype=np.bool_))[0]
        faces = tube_faces([3, 3])
        tube = faces[:, 0] // (3 * SIDES)
        turned = outward_faces(vertices, faces, tube)
        volumes = np.bincount(tube, weights=np.linalg.det(vertices[turned]))
        np.testing.assert_allclose(volumes, volumes.max())
        assert volumes.min() > 0
        changed = (turned != faces).any(axis=1)
        assert set(tube[changed].tolist()) in ({0}, {1})
        np.testing.assert_array_equal(np.sort(turned), np.sort(faces))


def test_rings_lie_around_their_middles() -> None:
    middles = np.array([[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]])
    halves = np.array([[[0.5, 0.25], [2.0, 1.0]]])
    across = ring_vertices(middles, halves, np.array([False, True])).reshape(2, SIDES, 3)
    quarter = SIDES // 4
    # Depths run along z, or along y in a ring across z.
    np.testing.assert_allclose(across[0, 0], [1.5, 2, 3])
    np.testing.assert_allclose(across[0, quarter], [1, 2, 3.25])
    np.testing.assert_allclose(across[0, 2 * quarter], [0.5, 2, 3])
    np.testing.assert_allclose(across[1, 0], [2, 0, 0])
    np.testing.assert_allclose(across[1, quarter], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(across[1, 3 * quarter], [0, -1, 0], atol=1e-12)


def test_a_ring_follows_its_bone_and_the_share_of_another() -> None:
    rings = [
        Ring("leg", (0, 0, 0), (1, 1)),
        Ring("foot", (0, 0, 0), (1, 1), other="leg", share=0.3),
    ]
    weights = bone_weights(rings, ("foot", "leg"))
    assert weights.shape == (2 * SIDES, 2)
    np.testing.assert_allclose(weights[:SIDES], [[0, 1]] * SIDES)
    np.testing.assert_allclose(weights[SIDES:], [[0.7, 0.3]] * SIDES)
