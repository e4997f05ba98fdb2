from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation
from tests.plugins.classical.bodies import random_scene

from liftbench.cameras import random_rotations
from liftbench.types import Floats
from liftbench_plugins.classical.cameras.camera_blocks import common_cameras, shapes_of_blocks
from liftbench_plugins.classical.tracks import Tracks, matrix_of


def turned_blocks(weights: Floats, rotation: Floats, seed: int = 0) -> Floats:
    """Return blocks c_fk R_f, each turned by its own rotation."""
    turns = random_rotations(np.random.default_rng(seed), len(weights))
    return weights[:, :, None, None] * (rotation[:, :2] @ turns[:, None])


def sparse_blocks(frames: int = 50, count: int = 3) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 1, (count, frames)) * (rng.random((count, frames)) < 0.8)
    rotation = random_rotations(rng, frames)
    return turned_blocks(weights, rotation), rotation


def test_blocks_are_turned_to_one_another() -> None:
    blocks, rotation = sparse_blocks()
    turned, found = common_cameras(blocks)
    used = np.abs(blocks).sum(axis=(0, 2, 3)) > 0
    for block in turned:
        some = np.abs(block).sum(axis=(1, 2)) > 0
        scale = np.linalg.norm(block[some], axis=(1, 2), keepdims=True) / np.sqrt(2)
        gap = np.minimum(
            np.abs(block[some] / scale - found[some, :2]).max(axis=(1, 2)),
            np.abs(block[some] / scale + found[some, :2]).max(axis=(1, 2)),
        )
        assert gap.max() < 1e-6
    third = (found[:, 2] @ found[0, 2], rotation[:, 2] @ rotation[0, 2])
    np.testing.assert_allclose(np.abs(third[0][used]), np.abs(third[1][used]), atol=1e-6)


def test_noisy_blocks_are_turned_to_their_common_part() -> None:
    blocks, _ = sparse_blocks()
    blocks = blocks + 0.3 * np.random.default_rng(1).standard_normal(blocks.shape)
    turned, found = common_cameras(blocks)
    degree = Rotation.from_rotvec(np.radians(1) * np.concatenate([np.eye(3), -np.eye(3)]))
    for block in turned:
        overlaps = [
            np.abs(np.einsum("fac,fac->f", block @ turn, found[:, :2])).sum()
            for turn in (np.eye(3), *degree.as_matrix())
        ]
        assert np.argmax(overlaps) == 0


def test_blocks_of_disjoint_frames_are_joined_by_one_that_has_both() -> None:
    """The weak block of all frames must come before the second of the strong ones."""
    rotation = random_rotations(np.random.default_rng(0), 20)
    weights = np.full((3, 20), 0.1)
    weights[0] = np.where(np.arange(20) < 10, 2.0, 0.0)
    weights[1] = np.where(np.arange(20) < 10, 0.0, 1.0)
    _, found = common_cameras(turned_blocks(weights, rotation))
    cosines = np.abs(found[:, 2] @ found[:, 2].T)
    np.testing.assert_allclose(cosines, np.abs(rotation[:, 2] @ rotation[:, 2].T), atol=1e-6)


def test_shapes_of_exact_blocks_are_those_of_the_body() -> None:
    scene = random_scene(2, 30, 12)
    blocks = turned_blocks(scene.weights.T, scene.rotation)
    tracks = Tracks(matrix_of(scene.image), scene.visible, 1.0)
    found = shapes_of_blocks(tracks, blocks)
    views = found.shape @ found.rotation.swapaxes(1, 2)
    np.testing.assert_allclose(views[..., :2], scene.image, atol=1e-6)
    assert scene.error(views) < 1e-6
