"""Each step of a protocol against closed forms and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.transform import Rotation

from liftbench.protocols.steps import (
    Centre,
    DegeneratePredictionError,
    align_points,
    centre_points,
    flip_depth,
    mean_spread,
    refuse_collapsed,
    scale_points,
)
from liftbench.types import Floats, Skeleton

SKELETON = Skeleton(tuple("abcd"), ((0, 1), (1, 2), (2, 3)), root=2)
POINTS = np.array([[[0.0, 0, 1], [2, 0, 3], [4, 6, 8], [9, 9, 9]]])
FIRST_THREE = np.array([[1.0, 1, 1, 0]])


@pytest.mark.parametrize(
    ("centre", "moved_by"),
    [("none", (0, 0, 0)), ("mean", (2, 2, 4)), ("depth", (0, 0, 4)), ("root", (4, 6, 8))],
)
def test_the_centre_goes_to_the_origin(centre: Centre, moved_by: tuple[int, ...]) -> None:
    moved = centre_points(POINTS, FIRST_THREE, centre, SKELETON.root)
    np.testing.assert_array_equal(moved, POINTS - np.array(moved_by))


def test_each_frame_has_its_own_centre() -> None:
    points = np.concatenate([POINTS, POINTS + 5])
    for centre in ("mean", "root"):
        moved = centre_points(points, np.repeat(FIRST_THREE, 2, axis=0), centre, 0)
        np.testing.assert_array_equal(moved[0], moved[1])


def test_spread_is_the_mean_standard_deviation_of_the_coordinates() -> None:
    points = np.concatenate([POINTS, 3 * POINTS])
    weights = np.concatenate([FIRST_THREE, np.ones((1, 4))])
    expected = np.mean(
        [np.std(frame[w > 0], axis=0, ddof=1) for frame, w in zip(points, weights, strict=True)]
    )
    assert mean_spread(points, weights) == pytest.approx(expected, rel=1e-12)


def test_a_flip_mirrors_depth_alone() -> None:
    np.testing.assert_array_equal(flip_depth(POINTS), POINTS * np.array([1, 1, -1]))


def random_points(seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Return centred predicted and true points (3, 4, 3), and weights that are all 1."""
    points = np.random.default_rng(seed).standard_normal((2, 3, 4, 3))
    predicted, truth = points - points.mean(axis=2, keepdims=True)
    return predicted, truth, np.ones((3, 4))


def test_without_alignment_nothing_is_turned() -> None:
    predicted, truth, weights = random_points()
    assert align_points(predicted, truth, weights, "none", "frame") is predicted


def test_each_frame_is_turned_by_its_own_alignment() -> None:
    predicted, truth, weights = random_points()
    turned = align_points(predicted, truth, weights, "orthogonal", "frame")
    for p, t, found in zip(predicted, truth, turned, strict=True):
        np.testing.assert_allclose(found, p @ orthogonal_procrustes(p, t)[0], atol=1e-12)


def test_a_sequence_is_turned_by_one_alignment() -> None:
    predicted, truth, weights = random_points()
    weights[1, 2] = 0
    counted = weights > 0
    turn, _ = orthogonal_procrustes(predicted[counted], truth[counted])
    turned = align_points(predicted, truth, weights, "orthogonal", "sequence")
    np.testing.assert_allclose(turned, predicted @ turn, atol=1e-12)


@pytest.mark.parametrize("over", ["frame", "sequence"])
def test_only_an_orthogonal_alignment_mirrors(over: str) -> None:
    predicted, _, weights = random_points()
    turn = Rotation.from_rotvec([0.3, -0.5, 0.2]).as_matrix()
    truth = flip_depth(predicted) @ turn
    mirrored = align_points(predicted, truth, weights, "orthogonal", over)  # type: ignore[arg-type]
    np.testing.assert_allclose(mirrored, truth, atol=1e-12)
    turned = align_points(predicted, truth, weights, "rotation", over)  # type: ignore[arg-type]
    assert np.abs(turned - truth).max() > 0.1
    for before, after in zip(predicted, turned, strict=True):
        assert np.linalg.det(before[:3]) * np.linalg.det(after[:3]) > 0


def test_scaling_by_norm_gives_the_norm_of_the_truth() -> None:
    predicted, truth, weights = random_points()
    weights[1, 3] = 0
    scaled = scale_points(predicted, truth, weights, "norm", SKELETON)
    for p, found, t, w in zip(predicted, scaled, truth, weights > 0, strict=True):
        assert np.linalg.norm(found[w]) == pytest.approx(np.linalg.norm(t[w]))
        factors = found / p
        np.testing.assert_allclose(factors, factors[0, 0])
        assert factors[0, 0] > 0


def test_scaling_by_least_squares_leaves_the_smallest_difference() -> None:
    predicted, truth, weights = random_points()
    weights[1, 3] = 0
    scaled = scale_points(predicted, truth, weights, "least_squares", SKELETON)
    for p, found, t, w in zip(predicted, scaled, truth, weights > 0, strict=True):
        factor = np.linalg.lstsq(p[w].reshape(-1, 1), t[w].ravel())[0][0]
        np.testing.assert_allclose(found, factor * p, atol=1e-12)


def test_scaling_by_bones_gives_the_mean_bone_length_of_the_truth() -> None:
    predicted = np.array([[[0.0, 0, 0], [1, 0, 0], [1, 3, 0], [1, 3, 9]]])
    truth = 10 * predicted
    truth[0, 3, 2] = 1000
    scaled = scale_points(predicted, truth, FIRST_THREE, "bones", SKELETON)
    np.testing.assert_allclose(scaled, 10 * predicted)
    scaled = scale_points(predicted, 2 * predicted[..., ::-1], np.ones((1, 4)), "bones", SKELETON)
    np.testing.assert_allclose(scaled, 2 * predicted)


def test_a_frame_without_a_bone_that_counts_is_named() -> None:
    predicted, truth, weights = random_points()
    weights[2] = [1, 0, 1, 0]
    with pytest.raises(ValueError, match="frame 2 has no edge that counts"):
        scale_points(predicted, truth, weights, "bones", SKELETON)


@pytest.mark.parametrize(("share", "collapsed"), [(0.9e-9, True), (1.1e-9, False)])
def test_a_prediction_is_collapsed_below_a_share_of_the_truth(
    share: float, collapsed: bool
) -> None:
    _, truth, weights = random_points()
    predicted = truth.copy()
    predicted[1] *= share
    if not collapsed:
        refuse_collapsed(predicted, truth, weights)
        return
    with pytest.raises(DegeneratePredictionError, match="all points coincide in 1 of 3 predicted"):
        refuse_collapsed(predicted, truth, weights)


def test_a_truth_without_extent_is_refused() -> None:
    predicted, truth, weights = random_points()
    truth[:2] = 0
    with pytest.raises(ValueError, match="true points that count coincide in 2 frames"):
        refuse_collapsed(predicted, truth, weights)
