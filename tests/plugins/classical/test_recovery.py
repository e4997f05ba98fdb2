"""All classical methods on bodies of low rank, in other orders, and on views without a shape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp
from tests.plugins.classical.bodies import Scene, e3d, observe
from tests.plugins.classical.conftest import Solve, message_of

from liftbench import Observations
from liftbench.cameras import subtract_mean
from liftbench.types import Floats
from liftbench_plugins.classical import CLASSICAL

SPECS = {spec.key: spec for spec in CLASSICAL if not spec.floor}
METHODS = list(SPECS)
ANY_ORDER = [key for key in METHODS if not SPECS[key].capabilities.needs_sequences]
WITH_HIDDEN = [key for key in METHODS if SPECS[key].capabilities.missing_points]
FRAMES, POINTS = 90, 24  # of the bodies whose frames or points are reordered

Reconstruct = Callable[[str, Observations], Floats]


def slow_body(rank: int = 2, frames: int = 150, points: int = 36, seed: int = 0) -> Scene:
    """Return a slow body before a fast camera: a mean shape, and waves of it.

    Smooth trajectories tell body and camera apart only if the camera turns faster than the body
    deforms (Park et al., 3D reconstruction of a moving point from a series of 2D projections).
    """
    rng = np.random.default_rng(seed)
    basis = subtract_mean(rng.standard_normal((rank, points, 3)))
    time = np.linspace(0, 2 * np.pi, frames)
    waves = [0.5 * np.sin((k + 1) * time + rng.uniform(0, 6)) for k in range(rank - 1)]
    weights = np.stack([np.ones(frames), *waves], axis=1)
    knots = np.linspace(0, frames - 1, 7)
    turns = Slerp(knots, Rotation.random(7, random_state=seed))(np.arange(frames)).as_matrix()
    image = np.tensordot(weights, basis, axes=1) @ turns[:, :2].swapaxes(1, 2)
    return Scene(weights, basis, turns, image, np.ones((frames, points), dtype=np.bool_))


@pytest.fixture
def reconstruct(solve: Solve) -> Reconstruct:
    """Return a function that solves under the settings of the conformance kit."""

    def run(key: str, observations: Observations) -> Floats:
        spec = SPECS[key]
        params = vars(spec.params(**spec.conformance.params))
        return solve(spec, observations, **params).points_3d

    return run


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("key", METHODS)
def test_exact_bodies_of_rank_two_are_recovered(
    key: str, seed: int, reconstruct: Reconstruct
) -> None:
    scene = slow_body(seed=seed)
    assert scene.error(reconstruct(key, scene.observations)) < 0.02


@pytest.mark.parametrize("key", METHODS)
def test_noise_of_a_hundredth_costs_little(key: str, reconstruct: Reconstruct) -> None:
    scene = slow_body()
    spread = 0.01 * scene.points.std()
    noise = np.random.default_rng(1).normal(0, spread, scene.image.shape)
    noisy = scene.with_image(scene.image + noise)
    assert scene.error(reconstruct(key, noisy.observations)) < 0.08


@pytest.mark.parametrize("key", METHODS)
def test_rigid_bodies_are_recovered_to_rounding(key: str, reconstruct: Reconstruct) -> None:
    scene = slow_body(1, 60, 20)
    assert scene.error(reconstruct(key, scene.observations)) < 1e-6


@pytest.mark.parametrize("key", WITH_HIDDEN)
def test_hidden_points_cost_little_and_are_found_too(key: str, reconstruct: Reconstruct) -> None:
    scene = slow_body()
    visible = np.random.default_rng(2).random(scene.visible.shape) < 0.8
    found = reconstruct(key, observe(scene.image, visible))
    assert scene.error(found) < 0.03
    gap = (found[..., :2] - scene.image) * visible[..., None]
    np.testing.assert_allclose(gap.sum(axis=1), 0, atol=1e-8)


@pytest.mark.parametrize("key", METHODS)
def test_the_order_of_points_and_the_axes_of_the_image_do_not_matter(
    key: str, reconstruct: Reconstruct
) -> None:
    scene = slow_body(2, FRAMES, POINTS)
    order = np.random.default_rng(3).permutation(POINTS)
    roll = Rotation.from_euler("z", 40, degrees=True).as_matrix()[:2, :2]
    mixed = scene.with_image(scene.image @ roll.T).taken(np.arange(FRAMES), order)
    plain = reconstruct(key, scene.observations)
    assert e3d(reconstruct(key, mixed.observations), plain[:, order]) < 0.02


@pytest.mark.parametrize("key", ANY_ORDER)
def test_methods_that_need_no_sequences_take_frames_in_any_order(
    key: str, reconstruct: Reconstruct
) -> None:
    order = np.random.default_rng(4).permutation(FRAMES)
    scene = slow_body(2, FRAMES, POINTS).taken(order, np.arange(POINTS))
    assert scene.error(reconstruct(key, scene.observations)) < 0.02


IMAGE = slow_body(2, 60, 20).image
BAD = {
    "one place": (np.ones((60, 20, 2)), "coincide"),
    "few frames": (IMAGE[:2], "frames"),
    "few points": (IMAGE[:, :2], "points"),
    "no turn": (np.repeat(IMAGE[:1], 60, axis=0), "rank 2"),
    "a line": (np.linspace(-1, 1, 20)[:, None] * IMAGE[:, :1], "rank 1"),
    "one axis": (IMAGE * [1, 0], "at one x or one y"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("key", METHODS)
def test_views_that_determine_no_shape_are_refused_in_one_line(
    key: str, case: str, reconstruct: Reconstruct
) -> None:
    image, words = BAD[case]
    with pytest.raises(ValueError, match=words) as caught:
        reconstruct(key, observe(image))
    assert message_of(caught)


@pytest.mark.parametrize("key", WITH_HIDDEN)
def test_a_point_that_is_hidden_in_every_frame_is_refused(
    key: str, reconstruct: Reconstruct
) -> None:
    visible = np.ones(IMAGE.shape[:2], dtype=np.bool_)
    visible[:, 5] = False
    with pytest.raises(ValueError, match="point 5 is hidden in every frame"):
        reconstruct(key, observe(IMAGE, visible))
