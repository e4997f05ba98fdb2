from dataclasses import replace

import numpy as np
import pytest

from liftbench.cameras import random_rotations
from liftbench_plugins.classical.pnd import (
    PND,
    PndParams,
    Procrustean,
    ShapePosterior,
    first_model,
    realign,
    shape_posterior,
)
from liftbench_plugins.classical.shapes.procrustes import align, deformation_basis, procrustes_mean

FEW = {"steps": 15}


def unit(shape):
    return shape / np.linalg.norm(shape)


def similar_shapes(spread=0.0, frames=30, points=6, seed=0):
    """Return X with s X T = the mean plus deformations, and s, T and the mean."""
    rng = np.random.default_rng(seed)
    mean = unit(rng.standard_normal((points, 3)))
    basis = deformation_basis(mean)
    change = spread * rng.standard_normal((frames, basis.shape[1])) @ basis.T
    turn, size = random_rotations(rng, frames), rng.uniform(0.5, 2, frames)
    shape = (mean + change.reshape(-1, points, 3)) @ turn.swapaxes(1, 2) / size[:, None, None]
    return shape, size, turn, mean


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_shapes_are_brought_back_by_the_similarity_that_moved_them(spread):
    shape, size, turn, mean = similar_shapes(spread)
    found = align(shape, mean)
    np.testing.assert_allclose(found[0], size)
    np.testing.assert_allclose(found[1], turn, atol=1e-9)


def test_mirrored_shapes_are_turned_not_mirrored():
    shape, _, _, mean = similar_shapes()
    mirrored = shape * np.array([1.0, 1.0, -1.0])
    _, turn = align(mirrored, mean)
    np.testing.assert_allclose(np.linalg.det(turn), 1)
    chosen = np.einsum("fpc,fcd,pd->f", mirrored, turn, mean)
    for other in random_rotations(np.random.default_rng(1), 200):
        assert (np.einsum("fpc,cd,pd->f", mirrored, other, mean) <= chosen).all()


def test_what_is_left_of_aligned_shapes_is_a_deformation():
    """Any rest is at right angles to the mean's change of size and to its rotations."""
    rng = np.random.default_rng(3)
    mean = unit(rng.standard_normal((6, 3)))
    shape = mean + 0.1 * rng.standard_normal((20, 6, 3))
    size, turn = align(shape, mean)
    rest = (size[:, None, None] * (shape @ turn) - mean).reshape(20, -1)
    basis = deformation_basis(mean)
    assert basis.shape == (18, 14)
    np.testing.assert_allclose(basis.T @ basis, np.eye(14), atol=1e-12)
    np.testing.assert_allclose(rest @ basis @ basis.T, rest, atol=1e-12)


def test_the_mean_is_that_of_the_shapes_aligned_to_it():
    shape, _, _, mean = similar_shapes(0.05)
    found = procrustes_mean(shape, shape[0])
    size, turn = align(shape, found)
    np.testing.assert_allclose(unit(np.mean(size[:, None, None] * (shape @ turn), 0)), found)
    np.testing.assert_allclose(np.linalg.norm(found), 1)
    _, back = align(mean[None], found)
    assert np.linalg.norm(mean @ back[0] - found) < 0.1


def random_model(frames=4, count=4, seed=0):
    rng = np.random.default_rng(seed)
    half = rng.standard_normal((3 * count - 4, 3 * count))
    model = Procrustean(
        unit(rng.standard_normal((count, 3))),
        half @ half.T / 100,
        random_rotations(rng, frames),
        rng.uniform(0.5, 2, frames),
        0.05,
    )
    return model, rng.standard_normal((frames, count, 2))


def test_the_posterior_is_that_of_a_direct_conditioning():
    """A rigid change with a very great variance stands for one of which nothing is known."""
    model, image = random_model()
    found = shape_posterior(model, image)
    basis = deformation_basis(model.mean)
    wide = 1e6 * (np.eye(12) - basis @ basis.T) + basis @ model.covariance @ basis.T
    for f in range(4):
        seen = np.kron(np.eye(4), model.rotation[f, :2] / model.size[f])
        gain = wide @ seen.T @ np.linalg.inv(seen @ wide @ seen.T + model.noise * np.eye(8))
        np.testing.assert_allclose(
            found.mean[f].ravel(), gain @ image[f].ravel(), rtol=1e-3, atol=1e-4
        )
        np.testing.assert_allclose(
            found.covariance[f], wide - gain @ seen @ wide, rtol=1e-2, atol=1e-3
        )


def test_realignment_keeps_images_and_takes_the_covariance_of_deformations():
    model, image = random_model(frames=40)
    found = shape_posterior(model, image)
    new = realign(model, found)
    size, turn = align(found.mean, new.mean)
    np.testing.assert_allclose(new.size, model.size * size)
    np.testing.assert_allclose(new.rotation, model.rotation @ turn)
    moved = size[:, None, None] * (found.mean @ turn)
    before = found.mean @ model.rotation.swapaxes(1, 2) / model.size[:, None, None]
    after = moved @ new.rotation.swapaxes(1, 2) / new.size[:, None, None]
    np.testing.assert_allclose(after, before, atol=1e-9)
    np.testing.assert_allclose(unit(moved.mean(axis=0)), new.mean, atol=1e-9)
    basis = deformation_basis(new.mean)
    expected = np.zeros((8, 8))
    for f in range(40):
        change = np.kron(np.eye(4), size[f] * turn[f]).T
        second = change @ found.covariance[f] @ change.T + np.outer(moved[f], moved[f])
        expected += basis.T @ second @ basis / 40
    np.testing.assert_allclose(new.covariance, expected, rtol=1e-6, atol=1e-9)


def test_exact_shapes_leave_no_deformation():
    shape, _, turn, _ = similar_shapes(frames=10)
    model = Procrustean(unit(shape[0]), np.eye(14), turn, np.ones(10), 0.01)
    new = realign(model, ShapePosterior(shape, np.zeros((10, 18, 18))))
    np.testing.assert_allclose(new.covariance, 0, atol=1e-9)


@pytest.mark.parametrize(
    ("given", "most"), [({"rank": 1}, 1e-6), ({}, 0.1), ({"rank": 3, "noise": 0.01}, 0.15)]
)
def test_bodies_are_recovered(given, most, make_scene, solve):
    scene = make_scene(**given)
    assert scene.error(solve(PND, scene.observations, **FEW).points_3d) < most


def test_a_turn_of_the_image_turns_the_reconstruction(make_scene, solve):
    scene = make_scene(noise=0.01)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    straight = solve(PND, scene.observations, **FEW).points_3d
    turned = solve(PND, replace(scene, image=scene.image @ turn.T).observations, **FEW).points_3d
    np.testing.assert_allclose(turned[..., :2], straight[..., :2] @ turn.T, atol=1e-3)


def test_the_order_of_points_and_frames_has_no_influence(make_scene, solve):
    scene = make_scene(noise=0.01)
    points, frames = (np.random.default_rng(1).permutation(n) for n in (20, 100))
    mixed = replace(scene, image=scene.image[frames][:, points])
    straight = solve(PND, scene.observations, **FEW).points_3d[frames][:, points]
    found = solve(PND, mixed.observations, **FEW).points_3d
    np.testing.assert_allclose(found[..., :2], straight[..., :2], atol=1e-3)
    depth = found[..., 2] * np.sign((found[..., 2] * straight[..., 2]).sum())
    np.testing.assert_allclose(depth, straight[..., 2], atol=1e-2)


@pytest.mark.parametrize(
    ("given", "told"),
    [({"frames": 2}, "needs 3 frames"), ({"points": 2}, "needs 3 frames of 3 points")],
)
def test_frames_that_do_not_determine_shapes_are_refused(given, told, make_scene, solve):
    with pytest.raises(ValueError, match=told) as caught:
        solve(PND, make_scene(**given).observations)
    assert "\n" not in str(caught.value)


def test_views_without_depth_are_refused(make_scene, solve):
    scene = make_scene()
    still = replace(scene, image=np.broadcast_to(scene.image[:1], scene.image.shape))
    with pytest.raises(ValueError, match="W has rank 2"):
        solve(PND, still.observations)


def test_cameras_that_look_along_one_axis_are_refused():
    image = np.random.default_rng(0).standard_normal((5, 4, 2))
    with pytest.raises(ValueError, match="all cameras look along one axis"):
        first_model(image, np.broadcast_to(np.eye(3), (5, 3, 3)), 0.01)


@pytest.mark.parametrize("name", ["steps", "noise"])
def test_parameters_are_positive(name):
    with pytest.raises(ValueError, match=name):
        PndParams(**{name: 0})
