from __future__ import annotations

import numpy as np
from tests.plugins.classical.bodies import moving_scene

from liftbench_plugins.classical.riks import rotation_invariant_distances


def test_distances_are_the_least_over_all_turns() -> None:
    image = moving_scene(1, 6, 14).points[..., :2]
    unit = image / np.linalg.norm(image, axis=(1, 2), keepdims=True)
    angles = np.linspace(0, 2 * np.pi, 3600)
    turns = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]])
    turned = np.einsum("abk,fpb->fkpa", turns, unit)
    least = np.square(unit[:, None, None] - turned).sum(axis=(3, 4)).min(axis=2)
    np.testing.assert_allclose(rotation_invariant_distances(image), least, atol=1e-5)


def test_distances_do_not_depend_on_turn_size_or_order_of_points() -> None:
    image, rng = moving_scene(1, 20, 14).points[..., :2], np.random.default_rng(0)
    angle = rng.uniform(0, 6, 20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = np.einsum("abf,fpb->fpa", turn, image)[:, rng.permutation(14)]
    moved *= rng.uniform(0.5, 2, (20, 1, 1))
    np.testing.assert_allclose(
        rotation_invariant_distances(moved), rotation_invariant_distances(image), atol=1e-9
    )
