from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from liftbench import Observations, RunContext, Skeleton
from liftbench.cameras import centred, project, random_rotations
from liftbench.metrics import relative_norm
from liftbench.protocols import BUILTIN_PROTOCOLS, frame_errors
from liftbench.registry import load_registry
from liftbench.types import GroundTruth
from liftbench_plugins.deep_nrsfm import lifter
from liftbench_plugins.rigid import metric_upgrade

E3D = next(p for p in BUILTIN_PROTOCOLS if p.name == "e3d")
REGISTRY = load_registry()
SMALL = {"sizes": (32, 16, 4), "starts": 2, "start_steps": 20, "steps": 600}
SETTINGS = {
    "deep_nrsfm": SMALL,
    "deep_nrsfm_pp": SMALL,
    "deep_nrsfm_pp_consist": SMALL,
    "rigid": {},
    "zero_depth": {},
}


def rigid_views(frames=200, points=9, seed=0):
    rng = np.random.default_rng(seed)
    shape = centred(rng.standard_normal((1, points, 3)))[0]
    return shape @ random_rotations(rng, frames).swapaxes(1, 2)


def observe(points_3d):
    count = points_3d.shape[1]
    names = tuple(f"p{i}" for i in range(count))
    return Observations(
        project(points_3d, "orthographic"),
        np.ones(points_3d.shape[:2], dtype=bool),
        np.zeros(len(points_3d), dtype=np.int64),
        "orthographic",
        Skeleton(names, tuple(pairwise(range(count)))),
    )


def e3d(prediction, points_3d):
    zeros = np.zeros(len(points_3d), dtype=np.int64)
    truth = GroundTruth(points_3d, "m", np.full(len(points_3d), "all"), zeros)
    metric = REGISTRY.metrics["relative_norm"]
    assert metric.errors is relative_norm
    return frame_errors(E3D, metric, prediction, truth).mean()


def run(key, observations, tmp_path, seed=0, **params):
    spec = REGISTRY.methods[key]
    method = spec.make(**vars(spec.params(**{**SETTINGS[key], **params})))
    scratch = Path(tmp_path) / f"{key}-{seed}-{len(list(Path(tmp_path).iterdir()))}"
    scratch.mkdir()
    method.fit(observations, RunContext(seed, "cpu", 1, 1e6, scratch, lambda *_: None))
    return method


def test_every_built_in_method_is_tested_here():
    assert set(SETTINGS) == set(REGISTRY.methods.items)


def test_rigid_recovers_a_rigid_body(tmp_path):
    views, unseen = rigid_views(), rigid_views(seed=0)[::-1][:20]
    method = run("rigid", observe(views), tmp_path)
    assert e3d(method.predict(observe(views)), views) < 1e-6
    assert e3d(method.predict(observe(unseen)), unseen) < 1e-6


def test_metric_upgrade_undoes_an_affine_change_of_cameras():
    rng = np.random.default_rng(0)
    cameras = random_rotations(rng, 30)[:, :2]
    change = rng.standard_normal((3, 3))
    upgraded = cameras @ change @ metric_upgrade(cameras @ change)
    gram = upgraded @ upgraded.swapaxes(1, 2)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(2), gram.shape), atol=1e-9)


@pytest.mark.parametrize(
    ("views", "message"),
    [
        (rigid_views(frames=2), "needs 3 frames of 4 points, got 2 of 9"),
        (rigid_views(points=3), "needs 3 frames of 4 points, got 200 of 3"),
        (np.repeat(rigid_views(frames=1), 5, axis=0), "rank below 3"),
    ],
)
def test_rigid_refuses_degenerate_views_in_one_line(views, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        run("rigid", observe(views), tmp_path)


def test_zero_depth_is_flat_and_keeps_the_image(tmp_path):
    views = rigid_views()
    points = run("zero_depth", observe(views), tmp_path).predict(observe(views)).points_3d
    np.testing.assert_array_equal(points[..., :2], views[..., :2])
    assert not points[..., 2].any()


@pytest.mark.parametrize("key", ["deep_nrsfm", "deep_nrsfm_pp"])
def test_deep_nrsfm_learns_depth_from_image_points(key, tmp_path):
    views = rigid_views()
    flat = e3d(run("zero_depth", observe(views), tmp_path).predict(observe(views)), views)
    learned = e3d(run(key, observe(views), tmp_path).predict(observe(views)), views)
    assert learned < 0.5 * flat


@pytest.mark.parametrize("key", sorted(SETTINGS))
def test_a_method_is_deterministic_and_leaves_its_input_alone(key, tmp_path):
    views = rigid_views(frames=40)
    observations = observe(views)
    before = observations.points_2d.copy()
    few = {"steps": 60} if key.startswith("deep") else {}
    one, two = (run(key, observations, tmp_path, **few).predict(observations) for _ in range(2))
    np.testing.assert_array_equal(one.points_3d, two.points_3d)
    np.testing.assert_array_equal(observations.points_2d, before)


@pytest.mark.parametrize("key", ["deep_nrsfm", "deep_nrsfm_pp"])
def test_deep_nrsfm_depends_on_the_seed(key, tmp_path):
    observations = observe(rigid_views(frames=40))
    one, two = (
        run(key, observations, tmp_path, seed=seed, steps=5).predict(observations).points_3d
        for seed in (0, 1)
    )
    assert not np.allclose(one, two)


@pytest.mark.parametrize("key", ["rigid", "deep_nrsfm", "deep_nrsfm_pp"])
def test_parts_of_a_reconstruction_fit_together(key, tmp_path):
    observations = observe(rigid_views(frames=40))
    prediction = run(key, observations, tmp_path, **({"steps": 50} if key != "rigid" else {}))
    prediction = prediction.predict(observations)
    turned = prediction.canonical_3d @ prediction.rotation.swapaxes(1, 2)
    np.testing.assert_allclose(turned, prediction.points_3d, atol=1e-5)
    identity = prediction.rotation @ prediction.rotation.swapaxes(1, 2)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(3), identity.shape), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(prediction.rotation), 1, atol=1e-5)


@pytest.mark.parametrize("best", [0, 1, 2])
def test_deep_nrsfm_goes_on_from_the_most_consistent_start(best, tmp_path, monkeypatch):
    views = rigid_views(frames=40)
    judged = []

    def judge(network, images):
        judged.append(network)
        return 0.1 if len(judged) == best + 1 else 0.5

    monkeypatch.setattr(lifter, "inconsistency", judge)
    method = run("deep_nrsfm_pp", observe(views), tmp_path, starts=3, start_steps=2, steps=2)
    assert len(judged) == 3
    assert method.network is judged[best]
    assert len({network.first[0, 0, 0].item() for network in judged}) == 3


def test_progress_counts_through_starts_and_the_main_training(tmp_path):
    spec, told = REGISTRY.methods["deep_nrsfm_pp"], []
    params = spec.params(sizes=(8, 4), starts=2, start_steps=15, steps=20)
    spec.make(**vars(params)).fit(
        observe(rigid_views(frames=40)),
        RunContext(0, "cpu", 1, 1e6, tmp_path, lambda *point: told.append(point[:2])),
    )
    assert [step for step, _ in told] == [1, 11, 15, 16, 26, 30, 31, 41, 50]
    assert {total for _, total in told} == {50}


def test_deep_nrsfm_refuses_points_without_extent_in_one_line(tmp_path):
    with pytest.raises(ValueError, match="needs points that differ"):
        run("deep_nrsfm_pp", observe(np.zeros((5, 4, 3))), tmp_path)


def test_a_shift_of_the_image_changes_nothing(tmp_path):
    observations = observe(rigid_views(frames=40))
    method = run("deep_nrsfm_pp", observations, tmp_path, steps=50)
    shifted = observe(rigid_views(frames=40) + np.array([5.0, -3.0, 0.0]))
    np.testing.assert_allclose(
        method.predict(shifted).points_3d, method.predict(observations).points_3d, atol=1e-5
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sizes": (8,)}, "sizes: expected at least two"),
        ({"nonlinearity": "tanh"}, "nonlinearity: expected 'bst' or 'relu', got 'tanh'"),
        ({"code": "none"}, "code: expected"),
        ({"steps": 0}, "steps: expected a positive number, got 0"),
        ({"starts": 0}, "starts: expected a positive number, got 0"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        REGISTRY.methods["deep_nrsfm_pp"].params(**params)
