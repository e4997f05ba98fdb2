"""All classical methods on bodies of low rank, on bodies that say nothing, and in other orders."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from liftbench import GroundTruth, Skeleton
from liftbench.protocols.builtin import BUILTIN_PROTOCOLS
from liftbench.protocols.metrics import BUILTIN_METRICS
from liftbench.protocols.protocol import frame_errors
from liftbench_plugins.classical import CLASSICAL

E3D = next(p for p in BUILTIN_PROTOCOLS if p.name == "e3d")
METRIC = next(m for m in BUILTIN_METRICS if m.name == E3D.metric)
METHODS = [pytest.param(spec, id=spec.key) for spec in CLASSICAL if not spec.floor]
ANY_ORDER = [p for p in METHODS if not p.values[0].capabilities.needs_sequences]
WITH_HIDDEN = [p for p in METHODS if p.values[0].capabilities.missing_points]


def body(rank=2, frames=150, points=36, seed=0):
    """Return points (F, P, 3) of a slow body before a fast camera, a mean and waves of it.

    Smooth trajectories tell body and camera apart only where the camera turns faster than the body
    deforms (Park et al., 3D reconstruction of a moving point from a series of 2D projections).
    """
    rng = np.random.default_rng(seed)
    basis = rng.standard_normal((rank, points, 3))
    time = np.linspace(0, 2 * np.pi, frames)
    waves = [0.5 * np.sin((k + 1) * time + rng.uniform(0, 6)) for k in range(rank - 1)]
    shape = np.tensordot(np.stack([np.ones(frames), *waves], axis=1), basis, axes=1)
    knots = np.linspace(0, frames - 1, 7)
    turns = Slerp(knots, Rotation.random(7, random_state=seed))(np.arange(frames)).as_matrix()
    return (shape - shape.mean(axis=1, keepdims=True)) @ turns.swapaxes(1, 2)


@pytest.fixture
def reconstructed(solve):
    """Return a function that solves under the settings of the conformance kit."""
    return lambda spec, observations: solve(
        spec, observations, **vars(spec.params(**spec.conformance.params))
    )


def error(found, points_3d):
    frames = len(points_3d)
    truth = GroundTruth(points_3d, "m", np.full(frames, "a"), np.zeros(frames, dtype=np.int64))
    skeleton = Skeleton(tuple(map(str, range(points_3d.shape[1]))))
    return float(frame_errors(E3D, METRIC, found, truth, skeleton).mean())


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("spec", METHODS)
def test_exact_bodies_of_rank_two_are_recovered(spec, seed, observe, reconstructed):
    points_3d = body(seed=seed)
    found = reconstructed(spec, observe(points_3d[..., :2]))
    assert error(found, points_3d) < 0.02


@pytest.mark.parametrize("spec", METHODS)
def test_noise_of_a_hundredth_costs_little(spec, observe, reconstructed):
    points_3d = body()
    noise = np.random.default_rng(1).normal(0, 0.01 * points_3d.std(), (*points_3d.shape[:2], 2))
    found = reconstructed(spec, observe(points_3d[..., :2] + noise))
    assert error(found, points_3d) < 0.08


@pytest.mark.parametrize("spec", METHODS)
def test_rigid_bodies_are_recovered_to_rounding(spec, observe, reconstructed):
    points_3d = body(rank=1, frames=60, points=20)
    assert error(reconstructed(spec, observe(points_3d[..., :2])), points_3d) < 1e-6


@pytest.mark.parametrize("spec", WITH_HIDDEN)
def test_hidden_points_cost_little_and_are_found_too(spec, observe, reconstructed):
    points_3d = body()
    visible = np.random.default_rng(2).random(points_3d.shape[:2]) < 0.8
    found = reconstructed(spec, observe(points_3d[..., :2], visible))
    assert error(found, points_3d) < 0.03
    shown = found.points_3d[..., :2] - points_3d[..., :2]
    np.testing.assert_allclose((shown * visible[..., None]).sum(axis=1), 0, atol=1e-8)


@pytest.mark.parametrize("spec", METHODS)
def test_the_order_of_points_and_the_axes_of_the_image_do_not_matter(spec, observe, reconstructed):
    points_3d = body(frames=90, points=24)
    order = np.random.default_rng(3).permutation(24)
    roll = Rotation.from_euler("z", 40, degrees=True).as_matrix()
    plain = reconstructed(spec, observe(points_3d[..., :2]))
    other = reconstructed(spec, observe((points_3d @ roll.T)[:, order, :2]))
    assert error(other, plain.points_3d[:, order]) < 0.02


@pytest.mark.parametrize("spec", ANY_ORDER)
def test_methods_that_need_no_sequences_take_frames_in_any_order(spec, observe, reconstructed):
    points_3d = body(frames=90, points=24)
    order = np.random.default_rng(4).permutation(90)
    found = reconstructed(spec, observe(points_3d[order, :, :2]))
    assert error(found, points_3d[order]) < 0.02


STILL = np.broadcast_to(np.random.default_rng(0).standard_normal((20, 2)), (60, 20, 2))
LINE = np.linspace(-1, 1, 20)[:, None] * body(rank=1, frames=60, points=20)[:, :1, :2]
BAD = {
    "one place": (np.ones((60, 20, 2)), "coincide"),
    "few frames": (body(frames=60)[:2, :, :2], "frames"),
    "few points": (body()[:, :2, :2], "points"),
    "no turn": (STILL, "rank 2"),
    "a line": (LINE, "rank 1"),
    "one axis": (body(frames=60)[..., :2] * [1, 0], "at one x or one y"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("spec", METHODS)
def test_views_that_determine_no_shape_are_told_in_one_line(spec, case, observe, reconstructed):
    points_2d, words = BAD[case]
    with pytest.raises(ValueError, match=words) as caught:
        reconstructed(spec, observe(points_2d))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", WITH_HIDDEN)
def test_a_point_that_is_never_seen_is_told_in_one_line(spec, observe, reconstructed):
    points_3d = body(frames=60)
    visible = np.ones(points_3d.shape[:2], dtype=bool)
    visible[:, 5] = False
    with pytest.raises(ValueError, match="point 5 is hidden in every frame"):
        reconstructed(spec, observe(points_3d[..., :2], visible))
