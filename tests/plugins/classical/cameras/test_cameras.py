from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation
from tests.plugins.classical.bodies import random_scene

from liftbench.cameras import random_rotations
from liftbench.types import Floats
from liftbench_plugins.classical.cameras.cameras import (
    common_signs,
    nearest_rotations,
    smooth_signs,
    with_common_signs,
    with_smooth_signs,
)


def smooth_rotations(frames: int = 200, seed: int = 0) -> Floats:
    steps = Rotation.from_rotvec(np.random.default_rng(seed).normal(0, 0.2, (frames, 3)))
    turned = [Rotation.random(random_state=seed)]
    for step in steps[1:]:
        turned.append(step * turned[-1])
    rotation: Floats = Rotation.concatenate(turned).as_matrix()
    return rotation


def flip(rotation: Floats, signs: Floats) -> Floats:
    """Return rotations whose first two rows are multiplied by signs."""
    flipped = rotation.copy()
    flipped[:, :2] *= signs[:, None, None]
    return flipped


def random_signs(count: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).choice([-1.0, 1.0], count)


def test_nearest_rotations_keep_rotations_and_are_the_polar_factor() -> None:
    rotation = random_rotations(np.random.default_rng(0), 20)
    np.testing.assert_allclose(nearest_rotations(rotation[:, :2]), rotation, atol=1e-12)
    rows = np.random.default_rng(1).standard_normal((20, 2, 3))
    found = nearest_rotations(rows)
    np.testing.assert_allclose(found @ found.swapaxes(1, 2), np.eye(3)[None] + 0 * found, atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(found), 1)
    best = np.einsum("fij,fij->f", found[:, :2], rows)
    for other in random_rotations(np.random.default_rng(2), 500):
        assert (np.einsum("ij,fij->f", other[:2], rows) <= best + 1e-9).all()


def test_signs_of_smooth_cameras_are_found_up_to_one() -> None:
    rotation, signs = smooth_rotations(), random_signs(200)
    found = smooth_signs(flip(rotation, signs))
    np.testing.assert_array_equal(found, signs * signs[0])
    np.testing.assert_allclose(
        with_smooth_signs(flip(rotation, signs)), flip(rotation, np.full(200, signs[0]))
    )


def test_signs_are_those_of_a_loop_over_frames() -> None:
    rotation = random_rotations(np.random.default_rng(5), 100)
    before, expected = rotation[0], [1.0]
    for camera in rotation[1:]:
        choices = [flip(camera[None], np.array([sign]))[0] for sign in (1.0, -1.0)]
        angles = [Rotation.from_matrix(choice @ before.T).magnitude() for choice in choices]
        best = int(np.argmin(angles))
        expected.append((1.0, -1.0)[best])
        before = choices[best]
    np.testing.assert_array_equal(smooth_signs(rotation), expected)


def test_one_frame_keeps_its_sign() -> None:
    rotation = random_rotations(np.random.default_rng(5), 1)
    np.testing.assert_array_equal(with_smooth_signs(rotation), rotation)


def test_bodies_agree_with_common_signs_in_any_order() -> None:
    scene = random_scene(2, 30, 12, mean=True)
    signs = random_signs(30)
    found = with_common_signs(flip(scene.rotation, signs), scene.image)
    np.testing.assert_array_equal(found, flip(scene.rotation, np.full(30, signs[0])))


def test_common_signs_are_those_of_the_first_singular_vector_of_each_stack() -> None:
    bodies = np.random.default_rng(0).standard_normal((3, 8, 5, 3))
    found = common_signs(bodies)
    for signs, rows in zip(found, bodies.reshape(3, 8, 15), strict=True):
        first = np.linalg.svd(rows)[0][:, 0]
        np.testing.assert_array_equal(signs * signs[0], np.sign(first * first[0]))


def test_a_body_at_right_angles_to_the_common_part_counts_as_positive() -> None:
    bodies = np.zeros((3, 2, 3))
    bodies[:2, 0, 0] = 1
    assert common_signs(bodies)[2] == 1
