"""The two methods whose coefficients are smooth functions of the shape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.plugins.classical.bodies import mirrored_error, moving_scene, observe
from tests.plugins.classical.conftest import Solve, message_of

from liftbench import MethodSpec, Reconstruction
from liftbench.types import Floats
from liftbench_plugins.classical.ksta import KSTA
from liftbench_plugins.classical.riks import RIKS

both = pytest.mark.parametrize("spec", [KSTA, RIKS], ids=lambda spec: spec.key)
Reconstruct = Callable[..., Reconstruction]


@pytest.fixture
def reconstruct(solve: Solve) -> Reconstruct:
    return lambda spec, image, **given: solve(spec, observe(image), **given)


@both
def test_a_rigid_body_is_exact(spec: MethodSpec, reconstruct: Reconstruct) -> None:
    truth = moving_scene(1, 80, 14).points
    found = reconstruct(spec, 3 * truth[..., :2] + 5).points_3d
    assert mirrored_error(found, 3 * truth) < 1e-6


@both
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_body_of_two_basis_shapes_is_found(
    spec: MethodSpec, noise: float, reconstruct: Reconstruct
) -> None:
    scene = moving_scene(2, 80, 14, noise=noise)
    found = reconstruct(spec, scene.image).points_3d
    assert mirrored_error(found, scene.points) < (0.08 if noise else 0.02)


@both
def test_the_order_of_points_and_a_turn_of_the_image_do_not_matter(
    spec: MethodSpec, reconstruct: Reconstruct
) -> None:
    truth = moving_scene(2, 80, 14).points
    order = np.random.default_rng(0).permutation(14)
    turn = np.array([[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, 1]])
    found = reconstruct(spec, truth[..., :2]).points_3d
    moved = reconstruct(spec, (truth @ turn)[:, order, :2]).points_3d
    assert mirrored_error(moved, (found @ turn)[:, order]) < 0.01


def test_riks_need_no_order_of_frames_and_ksta_says_that_it_does(
    reconstruct: Reconstruct,
) -> None:
    truth = moving_scene(2, 80, 14).points
    order = np.random.default_rng(0).permutation(80)
    assert mirrored_error(reconstruct(RIKS, truth[order, :, :2]).points_3d, truth[order]) < 0.02
    assert KSTA.capabilities.needs_sequences
    assert not RIKS.capabilities.needs_sequences
    assert not KSTA.capabilities.seeded
    assert not RIKS.capabilities.seeded


@both
def test_a_given_k_is_the_rank_of_the_shapes(spec: MethodSpec, reconstruct: Reconstruct) -> None:
    found = reconstruct(spec, moving_scene(4, 80, 14).points[..., :2], shapes=3)
    assert found.canonical_3d is not None
    values = np.linalg.svd(found.canonical_3d.reshape(80, -1), compute_uv=False)
    assert (values > 1e-9 * values[0]).sum() == 3


@both
@pytest.mark.parametrize(
    ("spoil", "params", "message"),
    [
        (lambda image: image[:2], {}, "needs 3 frames of 3 points, got 2 of 14"),
        (lambda image: image[:, :2], {}, "needs 3 frames of 3 points, got 80 of 2"),
        (lambda image: image, {"shapes": 5}, "K = 5 needs 15 frames of 15 points, got 80 of 14"),
        (lambda image: np.ones_like(image), {}, "the points of every frame coincide"),
        (lambda image: image[:1].repeat(80, axis=0), {}, "W has rank 2, expected 3"),
        (lambda image: image, {"shapes": 2}, "K = 2 needs more than W has, which is of rank 3"),
    ],
)
def test_data_that_show_no_shape_are_refused_in_one_line(
    spec: MethodSpec,
    spoil: Callable[[Floats], Floats],
    params: dict[str, int],
    message: str,
    reconstruct: Reconstruct,
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        reconstruct(spec, spoil(moving_scene(1, 80, 14).points[..., :2]), **params)
    assert message_of(caught)
