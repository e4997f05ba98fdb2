import copy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from liftbench import Observations, RunContext, Skeleton
from liftbench.cameras import centred, in_place, project, random_rotations
from liftbench.plugin.registry import load_registry
from liftbench.protocols.builtin import BUILTIN_PROTOCOLS
from liftbench.protocols.metrics import relative_norm
from liftbench.protocols.protocol import frame_errors
from liftbench.types import GroundTruth
from liftbench_plugins.classical import CLASSICAL
from liftbench_plugins.learned import lifting

E3D = next(p for p in BUILTIN_PROTOCOLS if p.name == "e3d")
REGISTRY = load_registry()
CASES = [
    ("orthographic", False),
    ("orthographic", True),
    ("perspective", False),
    ("perspective", True),
]
SMALL = {"sizes": (32, 16, 4), "starts": 3, "start_steps": 100, "steps": 600}
SMALL_RRN = {
    "channels": (32, 16, 4),
    "rotation_channels": (32, 16),
    "memory": 64,
    "turn_steps": 10,
    "starts": 2,
    "start_steps": 20,
    "steps": 600,
    "batch_size": 32,
    "learning_rate": 4e-3,
}
VARIANTS = ("rrn_vanilla", "rrn", "rrn_contrast", "rrn_consist", "pr_rrn")
SETTINGS = {
    "deep_nrsfm": SMALL,
    "deep_nrsfm_pp": SMALL,
    "deep_nrsfm_pp_consist": SMALL,
    "zero_depth": {},
    **dict.fromkeys(VARIANTS, SMALL_RRN),
    **{spec.key: {} for spec in CLASSICAL},
}


def rigid_views(frames=200, points=9, seed=0):
    rng = np.random.default_rng(seed)
    shape = centred(rng.standard_normal((1, points, 3)))[0]
    return shape @ random_rotations(rng, frames).swapaxes(1, 2)


def observe(points_3d, camera="orthographic", visible=None):
    count = points_3d.shape[1]
    names = tuple(f"p{i}" for i in range(count))
    if visible is None:
        visible = np.ones(points_3d.shape[:2], dtype=bool)
    return Observations(
        np.where(visible[..., None], project(points_3d, camera), np.nan),
        visible,
        np.zeros(len(points_3d), dtype=np.int64),
        camera,
        Skeleton(names, tuple(pairwise(range(count)))),
    )


def before_a_camera(views, seed=1, nearest=12.0, farthest=12.0):
    """Return views moved in front of a perspective camera, off its axis."""
    rng = np.random.default_rng(seed)
    place = rng.uniform([-2, -2, nearest], [2, 2, farthest], (len(views), 3))
    return views + place[:, None]


def most(shape, hidden=0.3, seed=2):
    """Return a mask that hides a share of the points."""
    return np.random.default_rng(seed).random(shape[:2]) >= hidden


def e3d(prediction, points_3d):
    zeros = np.zeros(len(points_3d), dtype=np.int64)
    truth = GroundTruth(points_3d, "m", np.full(len(points_3d), "all"), zeros)
    metric = REGISTRY.metrics["relative_norm"]
    assert metric.errors is relative_norm
    return frame_errors(E3D, metric, prediction, truth, Skeleton(("root",))).mean()


def run(key, observations, tmp_path, seed=0, **params):
    spec = REGISTRY.methods[key]
    method = spec.make(**vars(spec.params(**{**SETTINGS[key], **params})))
    scratch = Path(tmp_path) / f"{key}-{seed}-{len(list(Path(tmp_path).iterdir()))}"
    scratch.mkdir()
    method.fit(observations, RunContext(seed, "cpu", 1, 1e6, scratch, lambda *_: None))
    return method


def test_rigid_recovers_a_rigid_body(tmp_path):
    views, unseen = rigid_views(), rigid_views(seed=0)[::-1][:20]
    method = run("rigid", observe(views), tmp_path)
    assert e3d(method.predict(observe(views)), views) < 1e-6
    assert e3d(method.predict(observe(unseen)), unseen) < 1e-6


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


@pytest.mark.parametrize(
    ("key", "camera", "missing"),
    [*(("deep_nrsfm_pp", *case) for case in CASES[1:]), ("deep_nrsfm_pp_consist", *CASES[3])],
)
def test_deep_nrsfm_learns_depth_with_hidden_points_and_from_a_near_camera(
    key, camera, missing, tmp_path
):
    views = rigid_views()
    flat = e3d(run("zero_depth", observe(views), tmp_path).predict(observe(views)), views)
    if camera == "perspective":
        views = before_a_camera(views)
    observations = observe(views, camera, most(views.shape) if missing else None)
    learned = e3d(run(key, observations, tmp_path).predict(observations), views)
    assert learned < 0.5 * flat


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("key", ["rrn_consist", "pr_rrn"])
def test_pr_rrn_learns_depth_with_and_without_hidden_points(key, missing, tmp_path):
    views = rigid_views()
    flat = e3d(run("zero_depth", observe(views), tmp_path).predict(observe(views)), views)
    mask = most(views.shape, hidden=0.2) if missing else None
    observations = observe(views, "orthographic", mask)
    learned = e3d(run(key, observations, tmp_path).predict(observations), views)
    assert learned < 0.5 * flat


@pytest.mark.parametrize("key", ["rigid", "deep_nrsfm", "deep_nrsfm_pp", "pr_rrn"])
def test_parts_of_a_reconstruction_fit_together(key, tmp_path):
    observations = observe(rigid_views(frames=40))
    prediction = run(key, observations, tmp_path, **({"steps": 50} if key != "rigid" else {}))
    prediction = prediction.predict(observations)
    turned = prediction.canonical_3d @ prediction.rotation.swapaxes(1, 2)
    placed = in_place(turned, observations)
    np.testing.assert_allclose(placed, prediction.points_3d, atol=1e-5)
    identity = prediction.rotation @ prediction.rotation.swapaxes(1, 2)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(3), identity.shape), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(prediction.rotation), 1, atol=1e-5)


FITTED = [(key, *case) for key in ("deep_nrsfm_pp", "deep_nrsfm_pp_consist") for case in CASES]


def named(param):
    return "-".join([*param[:2], "hidden" if param[2] else "complete"])


@pytest.fixture(scope="module", params=FITTED, ids=named)
def fitted(request, tmp_path_factory):
    """Return a method after a short training, with the points, camera and mask of that."""
    key, camera, missing = request.param
    views = rigid_views(frames=40)
    if camera == "perspective":
        views = before_a_camera(views)
    visible = most(views.shape) if missing else None
    observations = observe(views, camera, visible)
    method = run(key, observations, tmp_path_factory.mktemp("fitted"), steps=60)
    return method, views, camera, visible, key


def test_permuting_points_permutes_the_result(fitted):
    method, views, camera, visible, _ = fitted
    order = np.random.default_rng(3).permutation(views.shape[1])
    before = method.predict(observe(views, camera, visible))
    permuted = copy.deepcopy(method)
    with torch.no_grad():
        atoms = permuted.network.first.view(-1, 3, len(order))
        atoms.copy_(atoms[:, :, order].clone())
    mask = None if visible is None else visible[:, order]
    after = permuted.predict(observe(views[:, order], camera, mask))
    np.testing.assert_allclose(after.points_3d, before.points_3d[:, order], atol=1e-3)
    np.testing.assert_allclose(after.rotation, before.rotation, atol=1e-3)


def test_turning_the_image_turns_the_camera_and_leaves_the_shape(fitted):
    method, views, camera, visible, _ = fitted
    turn = np.array([[np.cos(0.7), np.sin(0.7), 0], [-np.sin(0.7), np.cos(0.7), 0], [0, 0, 1]])
    before = method.predict(observe(views, camera, visible))
    after = method.predict(observe(views @ turn.T, camera, visible))
    np.testing.assert_allclose(after.canonical_3d, before.canonical_3d, atol=1e-3)
    np.testing.assert_allclose(after.rotation, turn @ before.rotation, atol=1e-3)
    np.testing.assert_allclose(after.points_3d, before.points_3d @ turn.T, atol=1e-3)


@pytest.mark.parametrize("blocks", ["3x2", "3x3"])
def test_blocks_have_a_third_column_before_a_perspective_camera_only(blocks, tmp_path):
    views = before_a_camera(rigid_views(frames=40))
    near = run("deep_nrsfm_pp", observe(views, "perspective"), tmp_path, steps=2, blocks=blocks)
    assert near.network.columns == (3 if blocks == "3x3" else 2)
    far = run("deep_nrsfm_pp", observe(views), tmp_path, steps=2, blocks=blocks)
    assert far.network.columns == 2


@pytest.mark.parametrize("missing", [False, True])
def test_a_network_of_3x3_blocks_learns_depth(missing, tmp_path):
    views = before_a_camera(rigid_views())
    flat = e3d(run("zero_depth", observe(views), tmp_path).predict(observe(views)), views)
    observations = observe(views, "perspective", most(views.shape) if missing else None)
    method = run("deep_nrsfm_pp", observations, tmp_path, blocks="3x3")
    assert e3d(method.predict(observations), views) < 0.5 * flat


@pytest.mark.parametrize("camera", ["orthographic", "perspective"])
def test_filling_hidden_points_helps_and_leaves_complete_frames_alone(camera, tmp_path):
    views = rigid_views()
    if camera == "perspective":
        views = before_a_camera(views)
    complete = observe(views, camera)
    hidden = observe(views, camera, most(views.shape))
    once, twice = (
        run("deep_nrsfm_pp_consist", hidden, tmp_path, seed=1, fill_rounds=rounds, held_out=0.0)
        for rounds in (0, 1)
    )
    assert e3d(twice.predict(hidden), views) < 0.5 * e3d(once.predict(hidden), views)
    before = twice.predict(complete).points_3d
    twice.network.fill_rounds = 0
    np.testing.assert_array_equal(twice.predict(complete).points_3d, before)


@pytest.mark.parametrize("camera", ["orthographic", "perspective"])
def test_points_held_out_are_visible_ones_and_leave_enough(camera, tmp_path):
    views = rigid_views(frames=400)
    if camera == "perspective":
        views = before_a_camera(views)
    seldom = np.random.default_rng(0).random(views.shape[:2]) < 0.6
    seldom[:, :3] = True
    observations = observe(views, camera, seldom)
    method = run("deep_nrsfm_pp_consist", observations, tmp_path, steps=2, held_out=0.5)
    whole = method._on_device(observations)
    part = method._held_out(whole, torch.Generator().manual_seed(0))
    assert ((whole.visible - part.visible) >= 0).all()
    fewer = part.visible.sum(dim=0) < whole.visible.sum(dim=0)
    assert part.visible.sum(dim=0)[fewer].min() == 4
    assert not fewer[whole.visible.sum(dim=0) <= 4].any()
    taken = (1 - part.visible[:, fewer].sum() / whole.visible[:, fewer].sum()).item()
    assert 0.2 < taken < 0.5
    method.params = replace(method.params, held_out=0.0)
    assert method._held_out(whole, torch.Generator()) is whole


def test_points_held_out_change_nothing_where_none_is_hidden(tmp_path):
    observations = observe(rigid_views(frames=40))
    some, none = (
        run("deep_nrsfm_pp_consist", observations, tmp_path, steps=5, held_out=share)
        for share in (0.3, 0.0)
    )
    np.testing.assert_array_equal(
        some.predict(observations).points_3d, none.predict(observations).points_3d
    )


def with_noise(observations, size, seed=3):
    noise = np.random.default_rng(seed).normal(0, size, observations.points_2d.shape)
    return replace(observations, points_2d=observations.points_2d + noise)


@pytest.mark.parametrize("camera", ["orthographic", "perspective"])
def test_points_are_held_out_of_complete_data_when_asked_for(camera, tmp_path):
    views = rigid_views(frames=400)
    observations = observe(before_a_camera(views) if camera == "perspective" else views, camera)
    method = run("deep_nrsfm_pp", observations, tmp_path, steps=2, held_out=0.5, hold_out="always")
    whole = method._on_device(observations)
    part = method._held_out(whole, torch.Generator().manual_seed(0))
    assert whole.visible is None
    assert 0.2 < 1 - part.visible.mean().item() < 0.3


def test_points_held_out_are_not_repeated_with_their_noise(tmp_path):
    views = rigid_views(points=12)
    noisy = with_noise(observe(views), 0.2)
    seen, held_out = (
        e3d(
            run("deep_nrsfm_pp", noisy, tmp_path, held_out=0.5, hold_out=data).predict(noisy),
            views,
        )
        for data in ("hidden", "always")
    )
    assert held_out < 0.8 * seen


def test_residuals_in_the_image_leave_far_frames_less_say(tmp_path):
    views = before_a_camera(rigid_views(), nearest=6.0, farthest=60.0)
    noisy = with_noise(observe(views, "perspective"), 0.01)
    settings = {"shape_scale": "box_max", "mirroring": "shared"}
    in_frames, in_image = (
        e3d(
            run("deep_nrsfm_pp", noisy, tmp_path, weighting=weighting, **settings).predict(noisy),
            views,
        )
        for weighting in ("frames", "image")
    )
    assert in_image < 0.92 * in_frames


def test_points_held_out_help_with_points_that_are_always_hidden_together(tmp_path):
    """A network that always gets all of what is visible need not tell one point from others."""
    views = rigid_views(points=12)
    hidden = np.ones(views.shape[:2], dtype=bool)
    hidden[::2, :6] = hidden[1::2, 6:9] = False
    observations = observe(views, visible=hidden)
    errors = [
        e3d(
            run("deep_nrsfm_pp", observations, tmp_path, held_out=share).predict(observe(views)),
            views,
        )
        for share in (0.0, 0.5)
    ]
    assert errors[1] < errors[0]


def test_the_mirror_image_of_a_rigid_body_is_told_by_a_near_camera(tmp_path):
    views = before_a_camera(rigid_views())
    observations = observe(views, "perspective")
    for seed in range(3):
        method = run("deep_nrsfm_pp_consist", observations, tmp_path, seed=seed, starts=1)
        relative = centred(method.predict(observations).points_3d)
        agreement = (relative[..., 2] * centred(views)[..., 2]).sum(axis=1)
        assert (agreement > 0).mean() > 0.95


def test_noise_that_hides_the_perspective_of_far_frames_mirrors_none(tmp_path):
    views = before_a_camera(rigid_views(), nearest=6.0, farthest=60.0)
    exact = observe(views, "perspective")
    noise = np.random.default_rng(4).normal(0, 0.05, exact.points_2d.shape) / views[:, :1, 2:]
    observations = replace(exact, points_2d=exact.points_2d + noise)
    method = run("deep_nrsfm_pp", observations, tmp_path, shape_scale="box_max", mirroring="shared")
    together = method.predict(observations).points_3d
    agreement = (centred(together)[..., 2] * centred(views)[..., 2]).sum(axis=1)
    assert (agreement > 0).mean() > 0.95
    for frame in range(len(views)):
        alone = method.predict(observations.take(np.array([frame]))).points_3d
        np.testing.assert_allclose(alone[0], together[frame], atol=1e-3)


def test_a_perspective_camera_can_be_taken_for_orthographic(tmp_path):
    views = before_a_camera(rigid_views(frames=40))
    observations = observe(views, "perspective")
    method = run("deep_nrsfm_pp", observations, tmp_path, steps=20, camera="orthographic")
    flat = np.pad(observations.points_2d, ((0, 0), (0, 0), (0, 1)))
    expected = run("deep_nrsfm_pp", observe(flat), tmp_path, steps=20).predict(observe(flat))
    np.testing.assert_array_equal(method.predict(observations).points_3d, expected.points_3d)


@pytest.mark.parametrize("camera", ["orthographic", "perspective"])
def test_hidden_points_can_be_put_at_the_mean_of_the_visible_ones(camera, tmp_path):
    views = before_a_camera(rigid_views(frames=40))
    visible = most(views.shape)
    observations, filled = observe(views, camera, visible), observe(views, camera)
    mean = np.nanmean(observations.points_2d, axis=1, keepdims=True)
    points = np.where(visible[..., None], observations.points_2d, mean)
    object.__setattr__(filled, "points_2d", points)
    made = run("deep_nrsfm_pp", observations, tmp_path, steps=20, hidden_points="mean_filled")
    expected = run("deep_nrsfm_pp", filled, tmp_path, steps=20).predict(filled)
    # Where they are put in the image is up to the points that are visible to each.
    found, wanted = (centred(p.points_3d) for p in (made.predict(observations), expected))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("measure", ["norm", "bones"])
def test_scale_correction_gives_reconstructions_one_size(measure, tmp_path):
    views = before_a_camera(rigid_views(), nearest=9, farthest=27)
    observations = observe(views, "perspective")
    spreads = []
    for rounds in (0, 3):
        params = {"scale_rounds": rounds, "scale_measure": measure, "steps": 300}
        method = run("deep_nrsfm_pp", observations, tmp_path, **params)
        shapes = method.predict(observations).canonical_3d
        if measure == "norm":
            sizes = np.linalg.norm(centred(shapes), axis=(1, 2))
        else:
            sizes = np.linalg.norm(np.diff(shapes, axis=1), axis=2).mean(axis=1)
        spreads.append(sizes.std() / sizes.mean())
    assert spreads[0] > 0.2
    assert spreads[1] < 0.2 * spreads[0]


def test_correction_by_bones_needs_a_skeleton_with_edges(tmp_path):
    bare = observe(rigid_views(frames=10), "orthographic")
    object.__setattr__(bare, "skeleton", Skeleton(bare.skeleton.points))
    with pytest.raises(ValueError, match="scale_measure 'bones' needs a skeleton with edges") as e:
        run("deep_nrsfm_pp", bare, tmp_path, scale_rounds=1, scale_measure="bones")
    assert "\n" not in str(e.value)


def test_the_consistency_loss_changes_what_is_learned(tmp_path):
    observations = observe(rigid_views(frames=40))
    one, two, same = (
        run(key, observations, tmp_path, steps=5, **params).predict(observations).points_3d
        for key, params in [
            ("deep_nrsfm_pp", {}),
            ("deep_nrsfm_pp_consist", {}),
            ("deep_nrsfm_pp_consist", {"consistency": 0.0}),
        ]
    )
    assert not np.allclose(one, two)
    np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize("best", [0, 1, 2])
def test_deep_nrsfm_goes_on_from_the_start_of_the_least_misfit(best, tmp_path, monkeypatch):
    judged = []

    def judge(lift, _views, _odds):
        if lift.__self__ not in judged:
            judged.append(lift.__self__)
        return 0.1 if judged.index(lift.__self__) == best else 0.5

    monkeypatch.setattr(lifting, "misfit", judge)
    observations = observe(rigid_views(frames=40))
    method = run("deep_nrsfm_pp", observations, tmp_path, starts=3, start_steps=2, steps=2)
    assert len(judged) == 3
    assert method.network is judged[best]
    assert len({network.first[0, 0].item() for network in judged}) == 3


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


@pytest.mark.parametrize("key", ["rigid", "deep_nrsfm_pp", "pr_rrn"])
def test_a_shift_of_the_image_shifts_the_reconstruction(key, tmp_path):
    views, shift = rigid_views(frames=40), np.array([5.0, -3.0, 0.0])
    method = run(key, observe(views), tmp_path, **({"steps": 50} if key != "rigid" else {}))
    still, shifted = (method.predict(observe(points)) for points in (views, views + shift))
    np.testing.assert_allclose(shifted.points_3d, still.points_3d + shift, atol=1e-4)
    np.testing.assert_allclose(shifted.canonical_3d, still.canonical_3d, atol=1e-4)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sizes": (8,)}, "sizes: expected at least two"),
        ({"nonlinearity": "tanh"}, "nonlinearity: expected one of bst, relu, got 'tanh'"),
        ({"code": "none"}, "code: expected"),
        ({"steps": 0}, "steps: expected a positive number, got 0"),
        ({"starts": 0}, "starts: expected a positive number, got 0"),
        ({"sizes": "cmv"}, "sizes: expected one of cmu, up3d, pascal3d, .*, got 'cmv'"),
        ({"camera": "fisheye"}, "camera: expected one of observed, orthographic, got 'fisheye'"),
        ({"hidden_points": "zero"}, "hidden_points: expected one of masked, mean_filled, got"),
        ({"shape_scale": "box"}, "shape_scale: expected one of constant, box_max, box_min"),
        ({"scale_measure": "size"}, "scale_measure: expected one of norm, bones, got 'size'"),
        ({"scale_rounds": -1}, "scale_rounds: expected 0 or more, got -1"),
        ({"consistency": -0.1}, "consistency: expected 0 or more, got -0.1"),
        ({"input_scale": 0.0}, "input_scale: expected a positive number, got 0.0"),
    ],
)
@pytest.mark.parametrize("key", ["deep_nrsfm", "deep_nrsfm_pp", "deep_nrsfm_pp_consist"])
def test_bad_parameters_are_refused_in_one_line(key, params, message):
    with pytest.raises(ValueError, match=message) as e:
        REGISTRY.methods[key].params(**params)
    assert "\n" not in str(e.value)


HALVED = (512, 256, 128, 64, 32, 16, 8)
LINEAR = (125, 115, 104, 94, 83, 73, 62, 52, 41, 31, 20, 10)


@pytest.mark.parametrize(
    ("preset", "sizes"),
    [
        ("cmu", HALVED),
        ("up3d", HALVED),
        ("pascal3d", (256, 128, 64, 32, 16, 8, 4, 2)),
        ("h36m", LINEAR),
        ("nrsfm_challenge", LINEAR),
        ("apollo", (128, 100, 64, 50, 32, 16, 8, 4)),
    ],
)
def test_presets_are_the_sizes_of_table_7(preset, sizes):
    assert REGISTRY.methods["deep_nrsfm_pp"].params(sizes=preset).sizes == sizes
