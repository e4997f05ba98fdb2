"""Batched Procrustes steps against one frame at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.transform import Rotation

from liftbench.protocols.alignment import norms, orthogonal_alignment, subtract_weighted_mean
from liftbench.types import Floats

MIRROR = np.diag([1.0, 1.0, -1.0])


def sample(seed: int, frames: int = 12, points: int = 6) -> tuple[Floats, Floats, Floats]:
    """Return centred predicted and true points, and weights with at least four points."""
    rng = np.random.default_rng(seed)
    weights = (rng.random((frames, points)) < 0.7).astype(float)
    weights[:, :4] = 1.0
    predicted, truth = rng.standard_normal((2, frames, points, 3))
    return (
        subtract_weighted_mean(predicted, weights),
        subtract_weighted_mean(truth, weights),
        weights,
    )


def kabsch(predicted: Floats, truth: Floats) -> Floats:
    """Return the rotation Q that minimises the norm of `predicted @ Q - truth`."""
    rotation, _ = Rotation.align_vectors(truth, predicted)
    found: Floats = rotation.as_matrix().T
    return found


def test_weighted_centred_matches_a_loop() -> None:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((8, 5, 3))
    weights = (rng.random((8, 5)) < 0.6).astype(float)
    weights[:, 2] = 1.0
    result = subtract_weighted_mean(points, weights)
    for frame, weight, moved in zip(points, weights, result, strict=True):
        mean = np.mean([p for p, w in zip(frame, weight, strict=True) if w], axis=0)
        np.testing.assert_allclose(moved, frame - mean, atol=1e-12)


def test_norms_count_only_weighted_points() -> None:
    predicted, _, weights = sample(1)
    expected = [np.linalg.norm(p[w > 0]) for p, w in zip(predicted, weights, strict=True)]
    np.testing.assert_allclose(norms(predicted, weights), expected)


@pytest.mark.parametrize("seed", range(5))
def test_with_reflection_it_is_orthogonal_procrustes(seed: int) -> None:
    predicted, truth, weights = sample(seed)
    turns = orthogonal_alignment(predicted, truth, weights, reflection=True)
    for p, t, w, turn in zip(predicted, truth, weights, turns, strict=True):
        expected, _ = orthogonal_procrustes(p[w > 0], t[w > 0])
        np.testing.assert_allclose(turn, expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_without_reflection_it_is_kabsch(seed: int) -> None:
    predicted, truth, weights = sample(seed)
    turns = orthogonal_alignment(predicted, truth, weights, reflection=False)
    np.testing.assert_allclose(np.linalg.det(turns), 1.0)
    for p, t, w, turn in zip(predicted, truth, weights, turns, strict=True):
        np.testing.assert_allclose(turn, kabsch(p[w > 0], t[w > 0]), atol=1e-9)


def test_some_samples_need_a_reflection() -> None:
    turns = orthogonal_alignment(*sample(0), reflection=True)
    assert {-1, 1} == set(np.round(np.linalg.det(turns)).astype(int))


def test_inputs_are_not_changed() -> None:
    predicted, truth, weights = sample(3)
    kept = predicted.copy(), truth.copy(), weights.copy()
    orthogonal_alignment(predicted, truth, weights, reflection=False)
    for given_array, before in zip((predicted, truth, weights), kept, strict=True):
        np.testing.assert_array_equal(given_array, before)


@given(seed=st.integers(0, 2**32 - 1), mirrored=st.booleans())
@settings(max_examples=40)
def test_a_turned_truth_is_turned_back(seed: int, mirrored: bool) -> None:
    _, truth, weights = sample(seed, frames=3)
    turn = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    turn = turn @ MIRROR if mirrored else turn
    found = orthogonal_alignment(truth @ turn, truth, weights, reflection=True)
    np.testing.assert_allclose(found, np.broadcast_to(turn.T, found.shape), atol=1e-6)
    kept = orthogonal_alignment(truth @ turn, truth, weights, reflection=False)
    left = norms((truth @ turn) @ kept - truth, weights)
    thinnest = np.linalg.svd(truth * np.sqrt(weights[..., None]), compute_uv=False)[:, -1]
    np.testing.assert_allclose(left, 2 * thinnest if mirrored else 0.0, atol=1e-6)


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 1e3), reflection=st.booleans())
@settings(max_examples=40)
def test_scale_and_uncounted_points_do_not_matter(
    seed: int, scale: float, reflection: bool
) -> None:
    predicted, truth, weights = sample(seed, frames=3)
    found = orthogonal_alignment(predicted, truth, weights, reflection=reflection)
    noise = np.where(weights[..., None] > 0, 0.0, 100.0)
    again = orthogonal_alignment(
        predicted * scale + noise, truth + noise, weights, reflection=reflection
    )
    error, other = (norms(predicted @ turn - truth, weights) for turn in (found, again))
    np.testing.assert_allclose(other, error, rtol=1e-6)


@given(seed=st.integers(0, 2**32 - 1), reflection=st.booleans())
@settings(max_examples=40)
def test_no_other_turn_is_better(seed: int, reflection: bool) -> None:
    predicted, truth, weights = sample(seed, frames=2)
    best = orthogonal_alignment(predicted, truth, weights, reflection=reflection)
    other = Rotation.random(50, rng=np.random.default_rng(seed)).as_matrix()[:, None]
    if reflection:
        other = np.concatenate([other, other @ MIRROR])
    residual = ((predicted @ other - truth) ** 2 * weights[..., None]).sum(axis=(2, 3))
    assert (norms(predicted @ best - truth, weights) ** 2 <= residual + 1e-9).all()
