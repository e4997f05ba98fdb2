"""Every built-in protocol against a plain loop, and its invariances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.transform import Rotation
from tests.harness.protocols.conftest import (
    EDGES,
    FLIP,
    PROTOCOLS,
    ROOT,
    SKELETON,
    errors_of,
    every_protocol,
    sample,
    seeds,
    similar,
    truth_of,
)

from liftbench.protocols.steps import DegeneratePredictionError
from liftbench.types import Bools, Floats, GroundTruth


def distance_from_mirror_image(points: Floats) -> float:
    """Return the least ‖X - Y‖_F over all Y similar to the mirror image of the centred X (N, 3).

    With the singular values s of X, the best rotation has the trace s1² + s2² - s3². Divided by
    ‖X‖², that is the best scale a, and the squared distance is ‖X‖² (1 - a²) = 2 s3² (1 + a).
    """
    values = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    scale = 1 - 2 * values[2] ** 2 / (values**2).sum()
    return float(values[2] * np.sqrt(2 * (1 + scale)))


def distances(predicted: Floats, truth: Floats) -> float:
    return float(np.mean([np.linalg.norm(p - t) for p, t in zip(predicted, truth, strict=True)]))


def centred(points: Floats) -> Floats:
    moved: Floats = points - points.mean(axis=0)
    return moved


def to_norm(predicted: Floats, truth: Floats) -> Floats:
    scaled: Floats = predicted * np.linalg.norm(truth) / np.linalg.norm(predicted)
    return scaled


def e3d(p: Floats, t: Floats) -> float:
    p, t = centred(p), centred(t)
    p = to_norm(p, t) @ orthogonal_procrustes(p, t)[0]
    return float(np.linalg.norm(t - p) / np.linalg.norm(t))


def frobenius_flip(p: Floats, t: Floats) -> float:
    p, t = centred(p), centred(t)
    return float(min(np.linalg.norm(t - q) for q in (p, p * FLIP)) / np.linalg.norm(t))


def mpjpe(p: Floats, t: Floats) -> float:
    return distances(centred(p), centred(t))


def mpjpe_scale(p: Floats, t: Floats) -> float:
    return distances(to_norm(centred(p), centred(t)), centred(t))


def pa_mpjpe(p: Floats, t: Floats) -> float:
    p, t = centred(p), centred(t)
    p = Rotation.align_vectors(t, p)[0].apply(p)
    return distances(p * np.sum(p * t) / np.sum(p * p), t)


def stress(p: Floats, t: Floats) -> float:
    gaps = [
        abs(np.linalg.norm(t[i] - t[j]) - np.linalg.norm(p[i] - p[j]))
        for i, j in combinations(range(len(t)), 2)
    ]
    return float(np.mean(gaps))


def c3dpo_depth(p: Floats, t: Floats) -> float:
    p, t = p.copy(), t.copy()
    p[:, 2] -= p[:, 2].mean()
    t[:, 2] -= t[:, 2].mean()
    return min(distances(p, t), distances(p * FLIP, t))


FRAME_LOOPS: dict[str, Callable[[Floats, Floats], float]] = {
    "e3d": e3d,
    "frobenius_flip": frobenius_flip,
    "mpjpe": mpjpe,
    "mpjpe_scale": mpjpe_scale,
    "mpjpe_flip": lambda p, t: min(mpjpe(p, t), mpjpe(p * FLIP, t)),
    "mpjpe_scale_flip": lambda p, t: min(mpjpe_scale(p, t), mpjpe_scale(p * FLIP, t)),
    "pa_mpjpe": pa_mpjpe,
    "stress": stress,
    "stress_groups": stress,
    "c3dpo_up3d": c3dpo_depth,
    "c3dpo_pascal3d": c3dpo_depth,
}
WITH_ROOT_OR_BONES = {
    "depth_error",
    "image_error",
    "c3dpo_h36m",
    "kd_mpjpe",
    "kd_pa_mpjpe",
    "kd_depth_error",
    "mirrored_frames",
}


def counted(points: Floats, truth: GroundTruth) -> list[Floats]:
    mask = np.ones(points.shape[:2], dtype=bool) if truth.mask is None else truth.mask
    return [p[m] for p, m in zip(points, mask, strict=True)]


def loop_errors(name: str, predicted: Floats, truth: GroundTruth) -> Floats:
    pairs = list(zip(counted(predicted, truth), counted(truth.points_3d, truth), strict=True))
    if name == "e3d_akhter":
        return akhter_errors(pairs, truth.sequence)
    if name in WITH_ROOT_OR_BONES:
        return np.array([loop_from_root(name, predicted, truth, f) for f in range(len(predicted))])
    return np.array([FRAME_LOOPS[name](p, t) for p, t in pairs])


def loop_from_root(name: str, predicted: Floats, truth: GroundTruth, frame: int) -> float:
    counts = np.ones(predicted.shape[1], bool) if truth.mask is None else truth.mask[frame]
    p, t = predicted[frame], truth.points_3d[frame]
    if name == "c3dpo_h36m":
        p, t = p - p[ROOT], t - t[ROOT]
        return min(distances(p[counts], t[counts]), distances((p * FLIP)[counts], t[counts]))
    if name.startswith(("kd", "mirrored")):
        p = p * bone_length(t, counts) / bone_length(p, counts)
    if name == "kd_pa_mpjpe":
        p, t = centred(p[counts]), centred(t[counts])
        return distances(Rotation.align_vectors(t, p)[0].apply(p), t)
    p, t = (p - p[ROOT])[counts], (t - t[ROOT])[counts]
    if name == "mirrored_frames":
        return 100.0 * (distances(p * FLIP, t) < distances(p, t))
    if name == "image_error":
        return distances(p[:, :2], t[:, :2])
    return distances(p, t) if name == "kd_mpjpe" else float(np.mean(np.abs(p[:, 2] - t[:, 2])))


def bone_length(points: Floats, counts: Bools) -> float:
    bones = [(i, j) for i, j in EDGES if counts[i] and counts[j]]
    return float(np.mean([np.linalg.norm(points[i] - points[j]) for i, j in bones]))


def akhter_errors(pairs: list[tuple[Floats, Floats]], sequence: NDArray[np.int64]) -> Floats:
    errors = np.empty(len(pairs))
    for wanted in set(sequence.tolist()):
        frames = [i for i, s in enumerate(sequence) if s == wanted]
        sigma = np.mean([np.std(pairs[i][1], axis=0, ddof=1) for i in frames])
        moved = [[centred(points) / sigma for points in pairs[i]] for i in frames]
        turn, _ = orthogonal_procrustes(*(np.concatenate(x) for x in zip(*moved, strict=True)))
        for i, (p, t) in zip(frames, moved, strict=True):
            errors[i] = distances(p @ turn, t)
    return errors


def test_the_loops_cover_the_built_in_protocols() -> None:
    assert PROTOCOLS.keys() == FRAME_LOOPS.keys() | WITH_ROOT_OR_BONES | {"e3d_akhter"}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("seed", range(3))
@every_protocol
def test_protocol_matches_its_loop(name: str, seed: int, masked: bool) -> None:
    predicted, truth = sample(seed, masked=masked)
    np.testing.assert_allclose(
        errors_of(name, predicted, truth), loop_errors(name, predicted, truth), rtol=1e-9
    )


@every_protocol
def test_a_random_prediction_matches_its_loop(name: str) -> None:
    _, truth = sample()
    predicted = np.random.default_rng(9).standard_normal(truth.points_3d.shape)
    np.testing.assert_allclose(
        errors_of(name, predicted, truth), loop_errors(name, predicted, truth), rtol=1e-9
    )


@every_protocol
def test_the_truth_has_no_error(name: str) -> None:
    _, truth = sample()
    np.testing.assert_allclose(errors_of(name, truth.points_3d, truth), 0.0, atol=1e-12)


@every_protocol
def test_uncounted_points_do_not_matter(name: str) -> None:
    predicted, truth = sample()
    assert truth.mask is not None
    junk = np.random.default_rng(1).uniform(-50, 50, (2, *predicted.shape))
    junk[:, truth.mask] = 0.0
    moved = replace(truth, points_3d=truth.points_3d + junk[0])
    np.testing.assert_allclose(
        errors_of(name, predicted + junk[1], moved), errors_of(name, predicted, truth), rtol=1e-9
    )


@pytest.mark.parametrize("name", sorted(PROTOCOLS.keys() - {"e3d_akhter"}))
def test_frames_do_not_depend_on_each_other(name: str) -> None:
    predicted, truth = sample(masked=False)
    alone = [
        errors_of(name, predicted[i : i + 1], truth_of(truth.points_3d[i : i + 1]))[0]
        for i in range(30)
    ]
    np.testing.assert_allclose(errors_of(name, predicted, truth), alone, rtol=1e-9)


def test_e3d_akhter_sequences_do_not_depend_on_each_other() -> None:
    predicted, truth = sample(masked=False)
    errors = errors_of("e3d_akhter", predicted, truth)
    for sequence in range(3):
        chosen = truth.sequence == sequence
        alone = errors_of("e3d_akhter", predicted[chosen], truth_of(truth.points_3d[chosen]))
        np.testing.assert_allclose(errors[chosen], alone, rtol=1e-9)


def test_frobenius_flip_mirrors_each_frame_by_itself_and_depends_on_scale() -> None:
    _, truth = sample(masked=False)
    mirrored = truth.points_3d.copy()
    mirrored[::2] *= FLIP
    np.testing.assert_allclose(errors_of("frobenius_flip", mirrored, truth), 0, atol=1e-12)
    np.testing.assert_allclose(errors_of("frobenius_flip", 1.5 * mirrored, truth), 0.5)


def test_mirrored_frames_counts_the_frames_against_the_others() -> None:
    _, truth = sample(masked=False)
    mirrored = truth.points_3d.copy()
    mirrored[:3] *= FLIP
    expected = np.where(np.arange(30) < 3, 100, 0)
    assert np.array_equal(errors_of("mirrored_frames", 0.4 * mirrored, truth), expected)


@given(seed=seeds, reflect=st.booleans())
@settings(max_examples=30)
def test_e3d_does_not_change_under_any_similarity(seed: int, reflect: bool) -> None:
    _, truth = sample(seed, frames=4)
    moved = similar(truth.points_3d, np.random.default_rng(seed), reflect=reflect)
    np.testing.assert_allclose(errors_of("e3d", moved, truth), 0.0, atol=1e-6)


@given(seed=seeds, reflect=st.booleans())
@settings(max_examples=30)
def test_e3d_is_the_same_for_a_turned_prediction(seed: int, reflect: bool) -> None:
    predicted, truth = sample(seed, frames=4)
    moved = similar(predicted, np.random.default_rng(seed), reflect=reflect)
    np.testing.assert_allclose(
        errors_of("e3d", moved, truth), errors_of("e3d", predicted, truth), rtol=1e-6
    )


@given(seed=seeds)
@example(seed=32767)  # its third frame is almost flat, so it nearly equals its mirror image
@settings(max_examples=30)
def test_pa_mpjpe_does_not_change_under_similarities_but_under_reflections(seed: int) -> None:
    _, truth = sample(seed, frames=4)
    rng = np.random.default_rng(seed)
    turned = errors_of("pa_mpjpe", similar(truth.points_3d, rng), truth)
    np.testing.assert_allclose(turned, 0.0, atol=1e-6)
    mirrored = errors_of("pa_mpjpe", similar(truth.points_3d, rng, reflect=True), truth)
    assert truth.mask is not None
    for error, points, counted in zip(mirrored, truth.points_3d, truth.mask, strict=True):
        count, left = counted.sum(), distance_from_mirror_image(points[counted])
        assert left / count <= error * (1 + 1e-9)
        assert error <= left / np.sqrt(count) * (1 + 1e-9)


@given(seed=seeds)
@settings(max_examples=30)
def test_pa_mpjpe_is_at_most_mpjpe_scale(seed: int) -> None:
    _, truth = sample(seed, frames=40, masked=False)
    rng = np.random.default_rng(seed)
    turn = Rotation.from_rotvec(rng.normal(scale=0.3, size=(40, 3))).as_matrix()
    predicted = truth.points_3d @ turn + 0.1 * rng.standard_normal(truth.points_3d.shape)
    similarity = errors_of("pa_mpjpe", predicted, truth).mean()
    assert similarity <= errors_of("mpjpe_scale", predicted, truth).mean()


@given(seed=seeds, scale=st.floats(1.1, 10.0))
@settings(max_examples=30)
def test_only_scaling_protocols_ignore_scale(seed: int, scale: float) -> None:
    _, truth = sample(seed, frames=4)
    larger = truth.points_3d * scale
    np.testing.assert_allclose(errors_of("mpjpe_scale", larger, truth), 0.0, atol=1e-9)
    for name in ("mpjpe", "mpjpe_flip", "stress", "e3d_akhter", "depth_error"):
        assert (errors_of(name, larger, truth) > 1e-3).all(), name


@given(seed=seeds, reflect=st.booleans())
@settings(max_examples=30)
def test_stress_is_the_same_for_a_moved_prediction(seed: int, reflect: bool) -> None:
    predicted, truth = sample(seed, frames=4)
    rng = np.random.default_rng(seed)
    turn = Rotation.random(4, rng=rng).as_matrix() @ (np.diag(FLIP) if reflect else np.eye(3))
    moved = predicted @ turn + rng.uniform(-5, 5, (4, 1, 3))
    np.testing.assert_allclose(
        errors_of("stress", moved, truth), errors_of("stress", predicted, truth), rtol=1e-6
    )


@pytest.mark.parametrize("name", ["mpjpe", "mpjpe_scale"])
def test_depth_flip_takes_the_lower_error_of_each_frame(name: str) -> None:
    _, truth = sample(masked=False)
    predicted = truth.points_3d + 0.1
    predicted[::2] *= FLIP
    plain = errors_of(name, predicted, truth)
    flipped = errors_of(name, predicted * FLIP, truth)
    best = errors_of(f"{name}_flip", predicted, truth)
    np.testing.assert_allclose(best, np.minimum(plain, flipped), rtol=1e-12)
    assert (plain[::2] > 0.1).all()
    assert (flipped[1::2] > 0.1).all()
    np.testing.assert_allclose(best, 0.0, atol=1e-9)


def test_depth_error_follows_the_root() -> None:
    predicted, truth = sample(masked=False)
    skeletons = [replace(SKELETON, root=root) for root in (0, 1)]
    first, other = (errors_of("depth_error", predicted, truth, s) for s in skeletons)
    assert not np.allclose(first, other)
    elsewhere = predicted + np.arange(30.0)[:, None, None]
    np.testing.assert_allclose(errors_of("depth_error", elsewhere, truth, skeletons[1]), other)


@pytest.mark.parametrize(
    ("file", "expected"), [("drink", 0.0246), ("pickup", 0.2195), ("dance", 0.3116)]
)
def test_e3d_akhter_of_the_shipped_solutions(shared_data: Path, file: str, expected: float) -> None:
    path = shared_data / "nrsfm_classic" / f"{file}.mat"
    if not path.is_file():
        pytest.skip(f"no {path}")
    stored = scipy.io.loadmat(path)
    true, solved = (
        stored[key].reshape(-1, 3, stored[key].shape[1]).swapaxes(1, 2) for key in ("S", "Shat")
    )
    assert errors_of("e3d_akhter", solved, truth_of(true)).mean() == pytest.approx(
        expected, abs=1e-3
    )


@pytest.mark.parametrize("spread", [0.0, 1e-11])
@pytest.mark.parametrize("frame", [0, 599])
@every_protocol
def test_a_collapsed_frame_is_refused(name: str, frame: int, spread: float) -> None:
    predicted, truth = sample(frames=600, masked=False)
    predicted[frame] = (1.0, 2.0, 3.0) + spread * predicted[frame]
    with pytest.raises(DegeneratePredictionError, match=r"all points coincide in 1 of \d+"):
        errors_of(name, predicted, truth)


@every_protocol
def test_an_all_zero_prediction_is_refused(name: str) -> None:
    _, truth = sample()
    with pytest.raises(DegeneratePredictionError):
        errors_of(name, np.zeros(truth.points_3d.shape), truth)


@every_protocol
def test_a_frame_whose_counted_points_collapse_is_refused(name: str) -> None:
    predicted, truth = sample()
    assert truth.mask is not None
    predicted[5, truth.mask[5]] = 1.0
    with pytest.raises(DegeneratePredictionError):
        errors_of(name, predicted, truth)


@every_protocol
def test_a_frame_with_one_counted_point_is_refused(name: str) -> None:
    predicted, truth = sample()
    mask = np.ones(predicted.shape[:2], dtype=bool)
    mask[5, 1:] = False
    with pytest.raises(ValueError, match="all true points that count coincide in 1 frames"):
        errors_of(name, predicted, replace(truth, mask=mask))


@every_protocol
def test_a_small_prediction_scores(name: str) -> None:
    predicted, truth = sample()
    assert np.isfinite(errors_of(name, 1e-6 * predicted, truth)).all()


@every_protocol
def test_a_zero_depth_prediction_scores(name: str) -> None:
    _, truth = sample()
    errors = errors_of(name, truth.points_3d * (1.0, 1.0, 0.0), truth)
    assert np.isfinite(errors).all()
    # A flat body is its own mirror image, so that no frame is closer mirrored; its image is right.
    right = name in {"mirrored_frames", "image_error"}
    assert not errors.any() if right else (errors > 0).all()
