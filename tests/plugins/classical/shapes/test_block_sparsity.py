from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tests.plugins.classical.bodies import Scene, scene_of

from liftbench.cameras import random_rotations
from liftbench.types import Floats
from liftbench_plugins.classical.shapes.block_sparsity import learn_atoms, sparse_codes


def sparse_scene(frames: int = 60, points: int = 14, atoms: int = 4, active: int = 2) -> Scene:
    """Return a scene whose shapes combine few of the basis shapes, here called atoms."""
    rng = np.random.default_rng(0)
    codes = np.zeros((frames, atoms))
    for row in codes:
        used = rng.choice(atoms, active, replace=False)
        row[used] = rng.uniform(0.5, 2, active) * rng.choice([-1, 1], active)
    return scene_of(codes, random_rotations(rng, frames), points, rng)


@dataclass(frozen=True)
class Fit:
    """Codes for given atoms, and the share of the image that they do not explain."""

    codes: Floats
    rest: float


def fit_codes(scene: Scene, atoms: Floats, active: int) -> Fit:
    codes = sparse_codes(scene.image, scene.rotation, atoms, active)
    made = np.einsum("fk,kpc->fpc", codes, atoms) @ scene.rotation[:, :2].swapaxes(1, 2)
    rest = np.linalg.norm(scene.image - made) / np.linalg.norm(scene.image)
    return Fit(codes, float(rest))


def test_codes_of_known_atoms_are_found() -> None:
    scene = sparse_scene()
    np.testing.assert_allclose(fit_codes(scene, scene.basis, 2).codes, scene.weights, atol=1e-6)


def test_a_single_atom_is_the_best_of_all() -> None:
    """Brute force over atoms; with one active atom the greedy choice is exact."""
    scene = sparse_scene()
    found = fit_codes(scene, scene.basis, 1).codes
    seen = np.einsum("kpc,fac->fkpa", scene.basis, scene.rotation[:, :2])
    for frame, image in enumerate(scene.image):
        rests = []
        for view in seen[frame]:
            weight = (view * image).sum() / np.square(view).sum()
            rests.append(np.square(image - weight * view).sum())
        assert np.flatnonzero(found[frame]).tolist() == [int(np.argmin(rests))]


def test_all_atoms_together_give_least_squares() -> None:
    scene = sparse_scene(atoms=3, active=3)
    image = scene.image + 0.1
    found = sparse_codes(image, scene.rotation, scene.basis, 7)
    seen = np.einsum("kpc,fac->fkpa", scene.basis, scene.rotation[:, :2]).reshape(60, 3, -1)
    for frame in range(60):
        expected = np.linalg.lstsq(seen[frame].T, image[frame].ravel(), rcond=None)[0]
        np.testing.assert_allclose(found[frame], expected, atol=1e-6)


def test_two_equal_atoms_share_a_weight() -> None:
    scene = sparse_scene(atoms=2, active=1)
    atoms = np.repeat(scene.basis[:1], 2, axis=0)
    found = sparse_codes(scene.image, scene.rotation, atoms, 2).sum(axis=1)
    alone = sparse_codes(scene.image, scene.rotation, atoms[:1], 1)[:, 0]
    np.testing.assert_allclose(found, alone, rtol=1e-5, atol=1e-5)


def test_atoms_are_learned_from_nearby() -> None:
    scene = sparse_scene(frames=200)
    start = scene.basis + 0.05 * np.random.default_rng(1).standard_normal(scene.basis.shape)
    given = start.copy()
    learned = learn_atoms(scene.image, scene.rotation, start, 2)
    np.testing.assert_array_equal(start, given)
    assert fit_codes(scene, start, 2).rest > 0.02
    assert fit_codes(scene, learned, 2).rest < 1e-3


def test_an_atom_that_one_frame_uses_has_no_depth_there() -> None:
    scene = sparse_scene(frames=1, atoms=1, active=1)
    atoms = learn_atoms(scene.image, scene.rotation, scene.basis, 1)
    np.testing.assert_allclose(atoms[0] @ scene.rotation[0, 2], 0, atol=1e-9)
    assert fit_codes(scene, atoms, 1).rest < 1e-6


def test_an_atom_that_no_frame_uses_stays() -> None:
    scene = sparse_scene(atoms=2, active=1)
    unused = np.zeros((1, 14, 3))
    unused[0, 0, 0] = 1e-9
    learned = learn_atoms(scene.image, scene.rotation, np.concatenate([scene.basis, unused]), 1)
    np.testing.assert_array_equal(learned[2], unused[0])
