import numpy as np
from scipy.spatial.transform import Rotation

from liftbench.cameras import random_rotations
from liftbench_plugins.classical.cameras.cameras import (
    nearest_rotations,
    smooth_signs,
    with_smooth_signs,
)


def smooth(frames=200, seed=0):
    steps = np.random.default_rng(seed).normal(0, 0.2, (frames, 3))
    turned = [Rotation.random(random_state=seed)]
    for step in steps[1:]:
        turned.append(Rotation.from_rotvec(step) * turned[-1])
    return Rotation.concatenate(turned).as_matrix()


def flipped(rotation, signs):
    found = rotation.copy()
    found[:, :2] *= signs[:, None, None]
    return found


def random_signs(count, seed=1):
    return np.random.default_rng(seed).choice([-1.0, 1.0], count)


def test_nearest_rotations_keep_rotations_and_are_the_polar_factor():
    rotation = random_rotations(np.random.default_rng(0), 20)
    np.testing.assert_allclose(nearest_rotations(rotation[:, :2]), rotation, atol=1e-12)
    rows = np.random.default_rng(1).standard_normal((20, 2, 3))
    found = nearest_rotations(rows)
    np.testing.assert_allclose(found @ found.swapaxes(1, 2), np.eye(3)[None] + 0 * found, atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(found), 1)
    best = np.einsum("fij,fij->f", found[:, :2], rows)
    for other in random_rotations(np.random.default_rng(2), 500):
        assert (np.einsum("ij,fij->f", other[:2], rows) <= best + 1e-9).all()


def test_signs_of_smooth_cameras_are_found_up_to_one():
    rotation, signs = smooth(), random_signs(200)
    found = smooth_signs(flipped(rotation, signs))
    np.testing.assert_array_equal(found, signs * signs[0])
    np.testing.assert_allclose(
        with_smooth_signs(flipped(rotation, signs)), flipped(rotation, np.full(200, signs[0]))
    )


def test_signs_are_those_of_a_loop_over_frames():
    rotation = random_rotations(np.random.default_rng(5), 100)
    before, expected = rotation[0], [1.0]
    for camera in rotation[1:]:
        angles = {
            sign: Rotation.from_matrix(
                flipped(camera[None], np.array([sign]))[0] @ before.T
            ).magnitude()
            for sign in (1.0, -1.0)
        }
        expected.append(min(angles, key=angles.get))
        before = flipped(camera[None], np.array([expected[-1]]))[0]
    np.testing.assert_array_equal(smooth_signs(rotation), expected)


def test_one_frame_keeps_its_sign():
    rotation = random_rotations(np.random.default_rng(5), 1)
    np.testing.assert_array_equal(with_smooth_signs(rotation), rotation)
