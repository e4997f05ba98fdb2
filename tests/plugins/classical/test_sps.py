from __future__ import annotations

import numpy as np
from tests.plugins.classical.bodies import moving_scene
from tests.plugins.classical.conftest import Solve

from liftbench_plugins.classical.sps import SPS, independent_shapes


def test_independent_shapes_are_some_of_the_frames_and_far_from_dependent() -> None:
    shape = np.random.default_rng(0).standard_normal((30, 6, 3))
    shape[10:] = shape[0]
    found = independent_shapes(shape, 5)
    assert np.linalg.matrix_rank(found.reshape(5, -1)) == 5
    assert all((shape == chosen).all(axis=(1, 2)).any() for chosen in found)


def test_each_shape_is_the_farthest_from_combinations_of_earlier_ones() -> None:
    shape = np.random.default_rng(0).standard_normal((30, 6, 3))
    rest = shape.reshape(30, 18)
    for found in independent_shapes(shape, 4):
        best = int(np.linalg.norm(rest, axis=1).argmax())
        np.testing.assert_array_equal(found, shape[best])
        unit = rest[best] / np.linalg.norm(rest[best])
        rest = rest - np.outer(rest @ unit, unit)


def test_few_active_atoms_bound_the_rank_of_shapes(solve: Solve) -> None:
    scene = moving_scene(3, 60, 16)
    found = solve(SPS, scene.observations, atoms=3, active=1).canonical_3d
    assert found is not None
    rows = found.reshape(60, -1)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert len(np.unique(np.round(np.abs(unit), 6), axis=0)) <= 3
