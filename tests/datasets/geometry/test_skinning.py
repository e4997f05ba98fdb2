"""Linear blend skinning against rigid motions and a loop over vertices."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from liftbench.types import Floats
from liftbench_datasets.geometry.skinning import skin_vertices, world_rotations

RNG = np.random.default_rng(0)
FRAMES, VERTICES, BONES = 4, 7, 3


def turns(*shape: int) -> Floats:
    drawn: Floats = Rotation.random(int(np.prod(shape)), random_state=0).as_matrix()
    return drawn.reshape(*shape, 3, 3)


def test_vertices_of_one_bone_move_rigidly() -> None:
    vertices = RNG.standard_normal((1, VERTICES, 3))
    weights = np.eye(BONES)[RNG.integers(0, BONES, VERTICES)]
    rest, to = RNG.standard_normal((1, BONES, 3)), RNG.standard_normal((FRAMES, BONES, 3))
    moved = skin_vertices(vertices, weights, turns(FRAMES, BONES), rest, to)
    for f in range(FRAMES):
        for v, bone in enumerate(weights.argmax(axis=1)):
            turn = turns(FRAMES, BONES)[f, bone]
            expected = turn @ (vertices[0, v] - rest[0, bone]) + to[f, bone]
            np.testing.assert_allclose(moved[f, v], expected, atol=1e-12)


def test_vertices_go_to_the_mean_of_where_their_bones_take_them() -> None:
    vertices = RNG.standard_normal((FRAMES, VERTICES, 3))
    weights = RNG.dirichlet(np.ones(BONES), VERTICES)
    rest, to = RNG.standard_normal((2, FRAMES, BONES, 3))
    parts = [
        skin_vertices(vertices, np.eye(BONES)[[bone] * VERTICES], turns(FRAMES, BONES), rest, to)
        for bone in range(BONES)
    ]
    moved = skin_vertices(vertices, weights, turns(FRAMES, BONES), rest, to)
    np.testing.assert_allclose(moved, np.einsum("vb,bfva->fva", weights, parts), atol=1e-12)


def test_bones_turn_with_their_parents() -> None:
    local = turns(FRAMES, 4)
    world = world_rotations((-1, 0, 1, 0), local)
    np.testing.assert_array_equal(world[:, 0], local[:, 0])
    np.testing.assert_allclose(world[:, 2], local[:, 0] @ local[:, 1] @ local[:, 2], atol=1e-12)
    np.testing.assert_allclose(world[:, 3], local[:, 0] @ local[:, 3], atol=1e-12)
