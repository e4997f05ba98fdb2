"""The consensus of many groups of points; see `shapes` for its steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.plugins.classical.bodies import moving_scene, observe
from tests.plugins.classical.conftest import Solve, message_of

from liftbench import Reconstruction
from liftbench.cameras import subtract_mean
from liftbench.types import Floats
from liftbench_plugins.classical import cns
from liftbench_plugins.classical.cns import CNS, rotations_to_mean

SMALL = {"group_size": 7, "least_groups": 6}
Reconstruct = Callable[..., Reconstruction]


@pytest.fixture
def reconstruct(solve: Solve) -> Reconstruct:
    return lambda image, **given: solve(CNS, observe(image), **(SMALL | given))


def depth_error(found: Floats, truth: Floats) -> float:
    depth, true = subtract_mean(found)[..., 2], truth[..., 2]
    gap = min(np.linalg.norm(depth - s * true) for s in (1, -1))
    return float(gap / np.linalg.norm(truth))


def test_bodies_are_turned_to_their_mean() -> None:
    truth = moving_scene(1, 40, 12).points
    upright = truth @ rotations_to_mean(truth)
    np.testing.assert_allclose(upright, np.broadcast_to(upright[0], upright.shape), atol=1e-6)


def test_a_rigid_body_is_exact_and_keeps_its_image(reconstruct: Reconstruct) -> None:
    truth = moving_scene(1, 40, 12).points
    image = 3 * truth[..., :2] + 5
    found = reconstruct(image)
    np.testing.assert_allclose(found.points_3d[..., :2], image, atol=1e-9)
    assert depth_error(found.points_3d, 3 * truth) < 1e-6


def test_a_deforming_body_is_found_whatever_the_seed_the_turn_and_the_order(
    reconstruct: Reconstruct,
) -> None:
    truth = moving_scene(2, 40, 12).points
    order = np.random.default_rng(0).permutation(40)
    flat = np.linalg.norm(truth[..., 2]) / np.linalg.norm(truth)
    turned = truth @ np.array([[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, 1]])
    for seed, view in ((0, truth), (1, truth[order]), (2, turned)):
        found = reconstruct(view[..., :2], seed=seed)
        assert depth_error(found.points_3d, view) < 0.3 * flat


def test_a_seed_gives_one_result(reconstruct: Reconstruct) -> None:
    image = moving_scene(2, 12, 12).points[..., :2]
    first, again, other = (
        reconstruct(image, seed=seed, least_groups=2).points_3d for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other, atol=1e-9)


def collapse(image: Floats) -> Floats:
    image = image.copy()
    image[5] = 1.0
    return image


def collapse_in_part(image: Floats) -> Floats:
    image = image.copy()
    image[5, 1:] = 1.0
    return image


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda image: image[:2], "needs 3 frames of 3 points, got 2 of 12"),
        (lambda image: image[:, :2], "needs 3 frames of 3 points, got 40 of 2"),
        (lambda image: np.ones_like(image), "the points of every frame coincide"),
        (lambda image: image[:1].repeat(40, axis=0), "W has rank 2, expected 3"),
        (lambda image: image[:, :3], "W has rank 2, expected 3"),
        (collapse, "frame 5 has all points at one x or one y"),
        (collapse_in_part, "frame 5 has 7 points at one place"),
    ],
)
def test_data_that_show_no_shape_are_refused_in_one_line(
    spoil: Callable[[Floats], Floats], message: str, reconstruct: Reconstruct
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        reconstruct(spoil(moving_scene(1, 40, 12).points[..., :2]))
    assert message_of(caught)


def test_groups_are_solved_in_blocks_without_an_influence(
    reconstruct: Reconstruct, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = moving_scene(2, 12, 12).points[..., :2]
    together = reconstruct(image, least_groups=2).points_3d
    monkeypatch.setattr(cns, "_BLOCK", 3 * 12 * 7 * 2)
    np.testing.assert_allclose(reconstruct(image, least_groups=2).points_3d, together, atol=1e-4)
