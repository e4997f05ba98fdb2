from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.plugins.classical.bodies import moving_scene, similar_shapes, unit
from tests.plugins.classical.conftest import Solve, message_of

from liftbench.cameras import random_rotations
from liftbench.types import Floats
from liftbench_plugins.classical.pnd import (
    PND,
    Procrustean,
    ShapePosterior,
    first_model,
    realign,
    shape_posterior,
)
from liftbench_plugins.classical.shapes.procrustes import align, deformation_basis

FEW = {"steps": 15}


def random_model(frames: int = 4, count: int = 4) -> tuple[Procrustean, Floats]:
    """Return a random model and images that it did not make."""
    rng = np.random.default_rng(0)
    half = rng.standard_normal((3 * count - 4, 3 * count))
    model = Procrustean(
        unit(rng.standard_normal((count, 3))),
        half @ half.T / 100,
        random_rotations(rng, frames),
        rng.uniform(0.5, 2, frames),
        0.05,
    )
    return model, rng.standard_normal((frames, count, 2))


def test_the_posterior_is_that_of_a_direct_conditioning() -> None:
    """A rigid change with a very large variance approximates a flat prior."""
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


def test_realignment_keeps_images_and_takes_the_covariance_of_deformations() -> None:
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


def test_exact_shapes_leave_no_deformation() -> None:
    given = similar_shapes(frames=10)
    model = Procrustean(unit(given.shape[0]), np.eye(14), given.turn, np.ones(10), 0.01)
    new = realign(model, ShapePosterior(given.shape, np.zeros((10, 18, 18))))
    np.testing.assert_allclose(new.covariance, 0, atol=1e-9)


@pytest.mark.parametrize(
    ("given", "most"), [({"rank": 1}, 1e-6), ({}, 0.1), ({"noise": 0.01}, 0.1)]
)
def test_bodies_are_recovered(given: dict[str, Any], most: float, solve: Solve) -> None:
    scene = moving_scene(frames=80, points=18, **given)
    assert scene.error(solve(PND, scene.observations, **FEW).points_3d) < most


def test_a_turn_of_the_image_turns_the_reconstruction(solve: Solve) -> None:
    scene = moving_scene(2, 60, 14, noise=0.01)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    straight = solve(PND, scene.observations, **FEW).points_3d
    turned = solve(PND, scene.with_image(scene.image @ turn.T).observations, **FEW).points_3d
    np.testing.assert_allclose(turned[..., :2], straight[..., :2] @ turn.T, atol=1e-3)


def test_the_order_of_points_and_frames_has_no_influence(solve: Solve) -> None:
    scene = moving_scene(2, 60, 14, noise=0.01)
    points, frames = (np.random.default_rng(1).permutation(n) for n in (14, 60))
    mixed = scene.taken(frames, points)
    straight = solve(PND, scene.observations, **FEW).points_3d[frames][:, points]
    found = solve(PND, mixed.observations, **FEW).points_3d
    np.testing.assert_allclose(found[..., :2], straight[..., :2], atol=1e-3)
    depth = found[..., 2] * np.sign((found[..., 2] * straight[..., 2]).sum())
    np.testing.assert_allclose(depth, straight[..., 2], atol=1e-2)


@pytest.mark.parametrize(
    ("given", "message"),
    [({"frames": 2}, "needs 3 frames"), ({"points": 2}, "needs 3 frames of 3 points")],
)
def test_frames_that_do_not_determine_shapes_are_refused(
    given: dict[str, Any], message: str, solve: Solve
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        solve(PND, moving_scene(**given).observations)
    assert message_of(caught)


def test_views_without_depth_are_refused(solve: Solve) -> None:
    scene = moving_scene()
    still = scene.with_image(np.repeat(scene.image[:1], 100, axis=0))
    with pytest.raises(ValueError, match="W has rank 2"):
        solve(PND, still.observations)


def test_cameras_that_look_along_one_axis_are_refused() -> None:
    image = np.random.default_rng(0).standard_normal((5, 4, 2))
    with pytest.raises(ValueError, match="all cameras look along one axis"):
        first_model(image, np.broadcast_to(np.eye(3), (5, 3, 3)), 0.01)
