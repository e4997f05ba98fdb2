"""Dictionaries of shapes: common cameras of blocks, block-sparse codes, the closed form."""

from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from liftbench.cameras import random_rotations, subtract_mean
from liftbench_plugins.classical.cameras.camera_blocks import common_cameras
from liftbench_plugins.classical.cameras.prior_free import camera_factor
from liftbench_plugins.classical.shapes.block_sparsity import learn_atoms, sparse_codes
from liftbench_plugins.classical.sps import independent_shapes
from liftbench_plugins.classical.tracks import matrix_of
from liftbench_plugins.classical.xiao_kanade import basis_block, independent_frames


def dictionary(frames=60, points=14, atoms=4, active=2, seed=0):
    """Return images of shapes that are made of few atoms each, cameras, atoms and codes."""
    rng = np.random.default_rng(seed)
    shapes = subtract_mean(rng.standard_normal((atoms, points, 3)))
    codes = np.zeros((frames, atoms))
    for row in codes:
        used = rng.choice(atoms, active, replace=False)
        row[used] = rng.uniform(0.5, 2, active) * rng.choice([-1, 1], active)
    rotation = random_rotations(rng, frames)
    image = np.einsum("fk,kpc->fpc", codes, shapes) @ rotation[:, :2].swapaxes(1, 2)
    return image, rotation, shapes, codes


def test_codes_of_known_atoms_are_found():
    image, rotation, atoms, codes = dictionary()
    np.testing.assert_allclose(sparse_codes(image, rotation, atoms, 2), codes, atol=1e-6)


def test_a_single_atom_is_the_best_of_all():
    """Brute force over atoms; one active atom leaves nothing greedy."""
    image, rotation, atoms, _ = dictionary(active=2)
    found = sparse_codes(image, rotation, atoms, 1)
    seen = np.einsum("kpc,fac->fkpa", atoms, rotation[:, :2])
    for frame in range(len(image)):
        rests = []
        for k in range(4):
            view = seen[frame, k]
            weight = (view * image[frame]).sum() / np.square(view).sum()
            rests.append(np.square(image[frame] - weight * view).sum())
        assert np.flatnonzero(found[frame]).tolist() == [int(np.argmin(rests))]


def test_as_many_atoms_as_there_are_give_least_squares():
    image, rotation, atoms, _ = dictionary(atoms=3, active=3)
    found = sparse_codes(image + 0.1, rotation, atoms, 7)
    seen = np.einsum("kpc,fac->fkpa", atoms, rotation[:, :2]).reshape(60, 3, -1)
    for frame in range(60):
        expected = np.linalg.lstsq(seen[frame].T, (image[frame] + 0.1).ravel(), rcond=None)[0]
        np.testing.assert_allclose(found[frame], expected, atol=1e-6)


def test_atoms_are_learned_from_nearby():
    image, rotation, atoms, _ = dictionary(frames=200)
    start = atoms + 0.05 * np.random.default_rng(1).standard_normal(atoms.shape)
    learned = learn_atoms(image, rotation, start, 2)
    for given, least in ((start, 0.02), (learned, 0.0)):
        codes = sparse_codes(image, rotation, given, 2)
        made = np.einsum("fk,kpc->fpc", codes, given) @ rotation[:, :2].swapaxes(1, 2)
        rest = np.linalg.norm(image - made) / np.linalg.norm(image)
        assert least <= rest < least + 0.05
    assert rest < 1e-3


def test_independent_shapes_are_some_of_the_frames_and_far_from_dependent():
    shape = np.random.default_rng(0).standard_normal((30, 6, 3))
    shape[10:] = shape[0]
    found = independent_shapes(shape, 5)
    assert np.linalg.matrix_rank(found.reshape(5, -1)) == 5
    assert all((shape == one).all(axis=(1, 2)).any() for one in found)


def turned_blocks(frames=50, count=3, seed=0):
    rng = np.random.default_rng(seed)
    rotation = random_rotations(rng, frames)
    weights = rng.normal(0, 1, (count, frames)) * (rng.random((count, frames)) < 0.8)
    turns = random_rotations(rng, count)
    return weights[:, :, None, None] * (rotation[:, :2] @ turns[:, None]), rotation


def test_blocks_are_turned_to_one_another():
    blocks, rotation = turned_blocks()
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


def test_noisy_blocks_are_turned_to_what_they_all_say():
    blocks, _ = turned_blocks()
    blocks = blocks + 0.3 * np.random.default_rng(1).standard_normal(blocks.shape)
    turned, found = common_cameras(blocks)
    degree = Rotation.from_rotvec(np.radians(1) * np.concatenate([np.eye(3), -np.eye(3)]))
    for block in turned:
        overlaps = [
            np.abs(np.einsum("fac,fac->f", block @ turn, found[:, :2])).sum()
            for turn in (np.eye(3), *degree.as_matrix())
        ]
        assert np.argmax(overlaps) == 0


def moved(frames=40, points=20, rank=2, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((frames, rank))
    basis = subtract_mean(rng.standard_normal((rank, points, 3)))
    rotation = random_rotations(rng, frames)
    image = np.tensordot(weights, basis, axes=1) @ rotation[:, :2].swapaxes(1, 2)
    return matrix_of(image), weights, rotation


def test_independent_frames_span_more_than_others():
    cameras = camera_factor(moved()[0], 2)[0]
    chosen = independent_frames(cameras, 2)
    assert len(set(chosen.tolist())) == 2

    def area(frames):
        rows = cameras[list(frames)].reshape(4, 6)
        return np.linalg.det(rows @ rows.T)

    areas = [area(pair) for pair in combinations(range(40), 2)]
    assert area(chosen) >= np.quantile(areas, 0.95)


@pytest.mark.parametrize("own", [0, 1])
def test_a_basis_block_is_a_camera_in_each_frame_and_zero_in_the_others_of_the_basis(own):
    cameras = camera_factor(moved()[0], 2)[0]
    basis = independent_frames(cameras, 2)
    block = basis_block(cameras, np.delete(basis, own), int(basis[own]))
    gram = block @ block.swapaxes(1, 2)
    np.testing.assert_allclose(gram[:, 0, 0], gram[:, 1, 1], atol=1e-7)
    np.testing.assert_allclose(gram[:, 0, 1], 0, atol=1e-7)
    np.testing.assert_allclose(gram[basis[own]], np.eye(2), atol=1e-7)
    np.testing.assert_allclose(block[np.delete(basis, own)], 0, atol=1e-7)
