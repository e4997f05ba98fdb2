"""Kernel components of frames, and the two methods whose coefficients are made of them."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from liftbench_plugins.classical.ksta import KSTA
from liftbench_plugins.classical.riks import RIKS, rotation_invariant_distances
from liftbench_plugins.classical.shapes.kernel_basis import kernel_basis

both = pytest.mark.parametrize("spec", [KSTA, RIKS], ids=lambda spec: spec.key)


@pytest.fixture
def body(make_scene):
    """Return a maker of points (F, P, 3) before a camera that turns smoothly."""
    return lambda rank=1, frames=80: make_scene(rank, frames, points=14).points


@pytest.fixture
def reconstructed(solve, observe):
    return lambda spec, image, **given: solve(spec, observe(image), **given)


def error(found, truth):
    """Return ‖found - truth‖ / ‖truth‖ of all frames, mirrored in depth where that is better."""
    mirrored = truth * [1.0, 1.0, -1.0]
    left = min(np.linalg.norm(found - true) for true in (truth, mirrored))
    return left / np.linalg.norm(truth)


def test_the_first_component_is_constant_and_the_others_are_at_right_angles_to_it():
    path = np.cumsum(np.random.default_rng(0).standard_normal((60, 3)), axis=0)
    basis = kernel_basis(cdist(path, path, "sqeuclidean"), 12)
    assert basis.shape == (60, 12)
    np.testing.assert_allclose(basis[:, 0], 1 / np.sqrt(60))
    products = basis.T @ basis
    np.testing.assert_allclose(products - np.diag(np.diagonal(products)), 0, atol=1e-9)
    assert (np.diff(np.diagonal(products)[1:]) <= 1e-12).all()


@pytest.mark.parametrize("count", [5, 12])
def test_the_components_hold_99_percent_of_a_kernel_of_some_width(count):
    path = np.cumsum(np.random.default_rng(0).standard_normal((60, 3)), axis=0)
    squares = cdist(path, path, "sqeuclidean")
    basis = kernel_basis(squares, count)[:, 1:]
    centre = np.eye(60) - 1 / 60
    shares = []
    for variance in squares.max() * np.logspace(-5, 3, 400):
        kernel = centre @ np.exp(-squares / (2 * variance)) @ centre
        values, vectors = np.linalg.eigh(kernel)
        spanned = np.linalg.svd(vectors[:, -count + 1 :].T @ np.linalg.qr(basis)[0])[1]
        shares.append((spanned.min(), values[-count + 1 :].sum() / values.sum()))
    nearest, held = max(shares)
    assert nearest > 0.99
    assert held == pytest.approx(0.99, abs=3e-3)


def test_frames_that_are_alike_have_a_constant_only():
    np.testing.assert_allclose(kernel_basis(np.zeros((9, 9)), 4), np.full((9, 1), 1 / 3))


def test_turned_distances_are_the_least_over_all_turns(body):
    image = body(frames=6)[..., :2]
    unit = image / np.linalg.norm(image, axis=(1, 2), keepdims=True)
    angles = np.linspace(0, 2 * np.pi, 3600)
    turns = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]])
    turned = np.einsum("abk,fpb->fkpa", turns, unit)
    least = np.square(unit[:, None, None] - turned).sum(axis=(3, 4)).min(axis=2)
    np.testing.assert_allclose(rotation_invariant_distances(image), least, atol=1e-5)


def test_turned_distances_see_no_turn_size_nor_order_of_points(body):
    image, rng = body(frames=20)[..., :2], np.random.default_rng(0)
    angle = rng.uniform(0, 6, 20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = np.einsum("abf,fpb->fpa", turn, image)[:, rng.permutation(14)]
    moved *= rng.uniform(0.5, 2, (20, 1, 1))
    np.testing.assert_allclose(
        rotation_invariant_distances(moved), rotation_invariant_distances(image), atol=1e-9
    )


@both
def test_a_rigid_body_is_exact(spec, body, reconstructed):
    truth = body()
    found = reconstructed(spec, 3 * truth[..., :2] + 5).points_3d
    found = found - found.mean(axis=1, keepdims=True)
    assert error(found, 3 * truth) < 1e-6


@both
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_body_of_two_basis_shapes_is_found(spec, noise, body, reconstructed):
    truth = body(rank=2)
    rng = np.random.default_rng(3)
    image = truth[..., :2] + noise * truth.std() * rng.standard_normal((80, 14, 2))
    assert error(reconstructed(spec, image).points_3d, truth) < (0.08 if noise else 0.02)


@both
def test_the_order_of_points_and_a_turn_of_the_image_do_not_matter(spec, body, reconstructed):
    truth = body(rank=2)
    order = np.random.default_rng(0).permutation(14)
    turn = np.array([[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, 1]])
    found = reconstructed(spec, truth[..., :2]).points_3d
    moved = reconstructed(spec, (truth @ turn)[:, order, :2]).points_3d
    assert error(moved, (found @ turn)[:, order]) < 0.01


def test_riks_need_no_order_of_frames_and_ksta_says_that_it_does(body, reconstructed):
    truth = body(rank=2)
    order = np.random.default_rng(0).permutation(80)
    assert error(reconstructed(RIKS, truth[order, :, :2]).points_3d, truth[order]) < 0.02
    assert KSTA.capabilities.needs_sequences
    assert not RIKS.capabilities.needs_sequences
    assert not KSTA.capabilities.seeded
    assert not RIKS.capabilities.seeded


@both
def test_k_that_is_asked_for_is_the_rank_of_the_shapes(spec, body, reconstructed):
    found = reconstructed(spec, body(rank=4)[..., :2], shapes=3)
    values = np.linalg.svd(found.canonical_3d.reshape(80, -1), compute_uv=False)
    assert (values > 1e-9 * values[0]).sum() == 3


@both
@pytest.mark.parametrize(
    ("spoil", "params", "told"),
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
    spec, spoil, params, told, body, reconstructed
):
    with pytest.raises(ValueError, match=told) as caught:
        reconstructed(spec, spoil(body()[..., :2]), **params)
    assert "\n" not in str(caught.value)
