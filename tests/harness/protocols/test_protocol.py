"""Frames as protocols compare them: axes, blocks, refusals, order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.spatial.transform import Rotation
from tests.harness.protocols.conftest import (
    METRICS,
    PROTOCOLS,
    SKELETON,
    errors_of,
    every_protocol,
    sample,
    seeds,
    similar,
)

from liftbench.protocols import protocol as protocols
from liftbench.protocols.protocol import Protocol, frame_errors, match_frames
from liftbench.types import Floats, Reconstruction


def turned_by(points: Floats, rotation: Floats) -> Floats:
    turned: Floats = points @ rotation.swapaxes(1, 2)
    return turned


def random_turns(frames: int, seed: int) -> Floats:
    turns: Floats = Rotation.random(frames, rng=np.random.default_rng(seed)).as_matrix()
    return turns


@every_protocol
def test_axes_of_the_body_are_those_of_its_own_rotations(name: str) -> None:
    """Akhter et al. compare the shapes before the cameras turn them."""
    predicted, truth = sample()
    true_camera, camera = random_turns(30, 1), random_turns(30, 2)
    seen = replace(truth, points_3d=turned_by(truth.points_3d, true_camera), rotation=true_camera)
    protocol = PROTOCOLS[name]
    errors = frame_errors(
        protocol,
        METRICS[protocol.metric],
        Reconstruction(turned_by(predicted, camera), rotation=camera),
        seen,
        SKELETON,
    )
    along_body = errors_of(name, predicted, truth)
    along_camera = errors_of(name, turned_by(predicted, camera), replace(seen, rotation=None))
    expected = along_body if name == "e3d_akhter" else along_camera
    np.testing.assert_allclose(errors, expected, rtol=1e-9)


def test_a_prediction_without_rotations_is_seen_by_a_camera_that_does_not_turn() -> None:
    predicted, truth = sample()
    camera = random_turns(30, 1)
    seen = replace(truth, points_3d=turned_by(truth.points_3d, camera), rotation=camera)
    np.testing.assert_allclose(
        errors_of("e3d_akhter", predicted, seen),
        errors_of("e3d_akhter", predicted, truth),
        rtol=1e-9,
    )


@pytest.mark.parametrize("frames", [1, 511, 512, 513, 1025])
@every_protocol
def test_blocks_do_not_change_results(
    name: str, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted, truth = sample(frames=frames)
    errors = errors_of(name, predicted, truth)
    assert errors.shape == (frames,)
    monkeypatch.setattr(protocols, "_BLOCK", 10_000)
    np.testing.assert_allclose(errors, errors_of(name, predicted, truth), rtol=1e-9)


@every_protocol
def test_a_frame_without_a_counted_point_is_refused(name: str) -> None:
    predicted, truth = sample()
    assert truth.mask is not None
    mask = truth.mask.copy()
    mask[4] = False
    with pytest.raises(ValueError, match="frame 4 has no point that counts"):
        errors_of(name, predicted, replace(truth, mask=mask))


@every_protocol
@pytest.mark.parametrize("part", [np.s_[:-1], np.s_[:, :-1], np.s_[:1]])
def test_different_shapes_are_refused(name: str, part: slice) -> None:
    predicted, truth = sample()
    with pytest.raises(ValueError, match=r"expected predicted points \(30, 7, 3\)"):
        errors_of(name, predicted[part], truth)


def test_identity_holds_the_version() -> None:
    protocol = Protocol("mine", "stress", "words")
    assert protocol.identity == "mine@1"
    assert replace(protocol, version=3).identity == "mine@3"


@every_protocol
@settings(max_examples=10)
@given(seed=seeds)
def test_errors_are_those_of_the_matched_frames(name: str, seed: int) -> None:
    predicted, truth = sample(seed)
    protocol, metric = PROTOCOLS[name], METRICS[PROTOCOLS[name].metric]
    frames = np.random.default_rng(seed).permutation(len(predicted))[:9]
    matched = match_frames(protocol, metric, Reconstruction(predicted), truth, SKELETON, frames)
    assert truth.mask is not None
    weights = truth.mask[frames].astype(np.float64)
    assert np.array_equal(matched.errors, errors_of(name, predicted, truth)[frames])
    assert np.array_equal(matched.errors, metric.errors(matched.predicted, matched.truth, weights))


@pytest.mark.parametrize("name", ["e3d", "pa_mpjpe"])
def test_a_similar_prediction_is_matched_with_the_truth(name: str) -> None:
    _, truth = sample(masked=False)
    predicted = similar(truth.points_3d, np.random.default_rng(1))
    protocol = PROTOCOLS[name]
    frames = np.array([7, 2])
    matched = match_frames(
        protocol, METRICS[protocol.metric], Reconstruction(predicted), truth, SKELETON, frames
    )
    true = truth.points_3d[frames]
    assert np.allclose(matched.truth, true - true.mean(axis=1, keepdims=True))
    assert np.allclose(matched.predicted, matched.truth)
