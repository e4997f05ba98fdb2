from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.plugins.classical.bodies import moving_scene, observe
from tests.plugins.classical.conftest import Solve, message_of

from liftbench.cameras import random_rotations
from liftbench_plugins.classical.em_sfm import EM_SFM, first_modes
from liftbench_plugins.classical.tracks import frames_of, tracks_of

FEW = {"steps": 40}


def test_the_first_modes_explain_a_body_of_two_basis_shapes() -> None:
    scene = moving_scene()
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
def test_bodies_of_few_basis_shapes_are_recovered(
    given: dict[str, Any], most: float, solve: Solve
) -> None:
    scene = moving_scene(**given)
    assert scene.error(solve(EM_SFM, scene.observations, **FEW).points_3d) < most


def test_hidden_points_are_recovered(solve: Solve) -> None:
    scene = moving_scene(hidden=0.2, noise=0.002)
    found = solve(EM_SFM, scene.observations, **FEW).points_3d
    assert scene.error(found) < 0.02
    hidden = ~scene.visible
    np.testing.assert_allclose(found[..., :2][hidden], scene.image[hidden], atol=0.1)


def test_a_turn_of_the_image_turns_the_reconstruction(solve: Solve) -> None:
    scene = moving_scene(noise=0.01)
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    straight = solve(EM_SFM, scene.observations, **FEW).points_3d
    turned = solve(EM_SFM, scene.with_image(scene.image @ turn.T).observations, **FEW).points_3d
    np.testing.assert_allclose(turned[..., :2], straight[..., :2] @ turn.T, atol=1e-3)


def test_the_order_of_points_and_frames_has_no_influence(solve: Solve) -> None:
    scene = moving_scene(noise=0.01)
    points, frames = (np.random.default_rng(1).permutation(n) for n in (20, 100))
    mixed = scene.taken(frames, points)
    straight = solve(EM_SFM, scene.observations, **FEW).points_3d[frames][:, points]
    found = solve(EM_SFM, mixed.observations, **FEW).points_3d
    depth, other = straight[..., 2], found[..., 2]
    np.testing.assert_allclose(np.abs(found[..., :2] - straight[..., :2]).max(), 0, atol=1e-3)
    # All frames may be mirrored in depth together.
    np.testing.assert_allclose(other * np.sign((other * depth).sum()), depth, atol=1e-2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"frames": 2}, "needs 3 frames"),
        ({"points": 2}, "needs 3 frames of 3 points"),
        ({"frames": 8, "shapes": 3}, "K = 3 needs 9 frames"),
        ({"rank": 1, "shapes": 2}, "lower K"),
    ],
)
def test_frames_that_do_not_determine_shapes_are_refused(
    given: dict[str, Any], message: str, solve: Solve
) -> None:
    size = {name: value for name, value in given.items() if name != "shapes"}
    with pytest.raises(ValueError, match=message) as caught:
        solve(EM_SFM, moving_scene(**size).observations, shapes=given.get("shapes"))
    assert message_of(caught)


def test_flat_views_and_points_never_seen_are_refused(solve: Solve) -> None:
    scene = moving_scene()
    still = scene.with_image(np.repeat(scene.image[:1], 100, axis=0))
    with pytest.raises(ValueError, match="W has rank 2"):
        solve(EM_SFM, still.observations)
    visible = scene.visible.copy()
    visible[:, 4] = False
    with pytest.raises(ValueError, match="point 4 is hidden in every frame"):
        solve(EM_SFM, observe(scene.image, visible))
