from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from liftbench.cameras import random_rotations
from liftbench_plugins.classical.cameras.expected_cameras import Moments
from liftbench_plugins.classical.em_sfm import EM_SFM, EmSfmParams, first_modes
from liftbench_plugins.classical.shapes.shape_modes import ShapeModes, Views, maximise, posterior
from liftbench_plugins.classical.tracks import frames_of, tracks_of

FEW = {"steps": 40}


def model_and_views(frames=6, points=5, modes=2, hidden=0.2, seed=0):
    rng = np.random.default_rng(seed)
    model = ShapeModes(
        rng.standard_normal((modes + 1, points, 3)),
        random_rotations(rng, frames)[:, :2],
        rng.standard_normal((frames, 2)),
        0.3,
    )
    visible = rng.random((frames, points)) >= hidden
    visible[:, 0] = True
    image = rng.standard_normal((frames, points, 2)) * visible[..., None]
    image -= image.sum(axis=1, keepdims=True) / visible.sum(axis=1)[:, None, None]
    return model, Views(image * visible[..., None], visible)


def test_the_posterior_is_that_of_conditioning_the_joint_normal_distribution():
    model, views = model_and_views()
    found = posterior(model, views)
    total = 0.0
    for f in range(6):
        shown = views.visible[f]
        seen = (model.basis[:, shown] @ model.camera[f].T).reshape(3, -1)
        mean = seen[0] + np.tile(model.place[f], shown.sum())
        covariance = seen[1:].T @ seen[1:] + model.noise * np.eye(len(mean))
        image = views.image[f, shown].ravel()
        gain = seen[1:] @ np.linalg.inv(covariance)
        z = gain @ (image - mean)
        np.testing.assert_allclose(found.mean[f], [1, *z])
        spread = np.eye(2) - gain @ seen[1:].T
        np.testing.assert_allclose(found.second[f, 1:, 1:], spread + np.outer(z, z))
        np.testing.assert_allclose(found.second[f, 0], [1, *z])
        total += multivariate_normal(mean, covariance).logpdf(image)
    assert found.log_likelihood == pytest.approx(total)


def test_heat_counts_the_noise_as_greater():
    model, views = model_and_views()
    hot = posterior(model, views, 4.0)
    np.testing.assert_allclose(hot.mean, posterior(replace(model, noise=1.2), views).mean)


@pytest.mark.parametrize("hidden", [0.0, 0.3])
def test_the_likelihood_never_falls(hidden):
    model, views = model_and_views(frames=12, points=9, hidden=hidden)
    values = []
    for _ in range(40):
        found = posterior(model, views)
        values.append(found.log_likelihood)
        model = maximise(model, found, views)
    assert (np.diff(values) >= -1e-7 * np.abs(values[:-1])).all()
    assert values[-1] > values[0] + 10
    gram = model.camera @ model.camera.swapaxes(1, 2)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(2), gram.shape), atol=1e-9)


def test_cameras_come_nearer_and_reach_the_exact_ones():
    rng = np.random.default_rng(0)
    camera = random_rotations(rng, 8)[:, :2]
    shape = rng.standard_normal((8, 10, 3))
    gram = shape.swapaxes(1, 2) @ shape
    image = shape @ camera.swapaxes(1, 2)
    moments = Moments(np.square(image).sum(axis=(1, 2)), image.swapaxes(1, 2) @ shape, gram)
    np.testing.assert_allclose(moments.misfit(camera), 0, atol=1e-9)
    np.testing.assert_allclose(moments.nearer(camera), camera, atol=1e-9)
    other = random_rotations(rng, 8)[:, :2]
    expected = np.square(image - shape @ other.swapaxes(1, 2)).sum(axis=(1, 2))
    np.testing.assert_allclose(moments.misfit(other), expected)
    assert (moments.misfit(moments.nearer(other)) < expected).all()


def test_the_first_modes_explain_a_body_of_two_basis_shapes(make_scene):
    scene = make_scene()
    image = frames_of(tracks_of(scene.observations).rows, 2)
    rigid, one, two = (
        first_modes(image, random_rotations(np.random.default_rng(0), 100)[:, :2], count)
        for count in (0, 1, 2)
    )
    assert len(rigid.basis) == 1
    assert len(two.basis) == 3
    assert rigid.noise > one.noise > two.noise
    np.testing.assert_array_equal(two.basis[:2], one.basis)


@pytest.mark.parametrize(
    ("given", "most"),
    [({"rank": 1}, 1e-6), ({}, 1e-3), ({"rank": 3}, 2e-2), ({"noise": 0.01}, 0.02)],
)
def test_bodies_of_few_basis_shapes_are_recovered(given, most, make_scene, solve):
    scene = make_scene(**given)
    assert scene.error(solve(EM_SFM, scene.observations, **FEW).points_3d) < most


def test_hidden_points_are_recovered(make_scene, solve):
    scene = make_scene(hidden=0.2, noise=0.002)
    found = solve(EM_SFM, scene.observations, **FEW).points_3d
    assert scene.error(found) < 0.02
    hidden = ~scene.visible
    np.testing.assert_allclose(found[..., :2][hidden], scene.image[hidden], atol=0.1)


def test_a_turn_of_the_image_turns_the_reconstruction(make_scene, solve):
    scene = make_scene(noise=0.01)
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    straight = solve(EM_SFM, scene.observations, **FEW).points_3d
    turned = solve(EM_SFM, replace(scene, image=scene.image @ turn.T).observations, **FEW).points_3d
    np.testing.assert_allclose(turned[..., :2], straight[..., :2] @ turn.T, atol=1e-3)


def test_the_order_of_points_and_frames_has_no_influence(make_scene, solve):
    scene = make_scene(noise=0.01)
    points, frames = (np.random.default_rng(1).permutation(n) for n in (20, 100))
    mixed = replace(
        scene,
        image=scene.image[frames][:, points],
        visible=scene.visible[frames][:, points],
    )
    straight = solve(EM_SFM, scene.observations, **FEW).points_3d[frames][:, points]
    found = solve(EM_SFM, mixed.observations, **FEW).points_3d
    depth, other = straight[..., 2], found[..., 2]
    np.testing.assert_allclose(np.abs(found[..., :2] - straight[..., :2]).max(), 0, atol=1e-3)
    # All frames may be mirrored in depth together.
    np.testing.assert_allclose(other * np.sign((other * depth).sum()), depth, atol=1e-2)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"frames": 2}, "needs 3 frames"),
        ({"points": 2}, "needs 3 frames of 3 points"),
        ({"frames": 8, "shapes": 3}, "K = 3 needs 9 frames"),
        ({"rank": 1, "shapes": 2}, "lower K"),
    ],
)
def test_frames_that_do_not_determine_shapes_are_refused(given, told, make_scene, solve):
    params = {"shapes": given.pop("shapes")} if "shapes" in given else {}
    with pytest.raises(ValueError, match=told) as caught:
        solve(EM_SFM, make_scene(**given).observations, **params)
    assert "\n" not in str(caught.value)


def test_flat_views_and_points_never_seen_are_refused(make_scene, solve):
    scene = make_scene()
    still = replace(scene, image=np.broadcast_to(scene.image[:1], scene.image.shape))
    with pytest.raises(ValueError, match="W has rank 2"):
        solve(EM_SFM, still.observations)
    visible = scene.visible.copy()
    visible[:, 4] = False
    with pytest.raises(ValueError, match="point 4 is hidden in every frame"):
        solve(EM_SFM, replace(scene, visible=visible).observations)
    with pytest.raises(ValueError, match="steps"):
        EmSfmParams(steps=0)
