"""Points and truth in the frame of the camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.conftest import not_none
from tests.datasets.conftest import mask_of, truth_of
from tests.datasets.nrsfm_challenge.conftest import (
    FRAMES,
    POINTS,
    TRUE_FRAME,
    camera_points,
    image,
    load,
    rows,
    shapes,
    true_rows,
    write_object,
)

from liftbench.cameras import project
from liftbench.errors import UserError
from liftbench_datasets.nrsfm_challenge.adapter import (
    CAMERAS,
    PATHS,
    ChallengeCamera,
    NrsfmChallenge,
)
from liftbench_datasets.nrsfm_challenge.views import make_view


@pytest.mark.parametrize("camera", CAMERAS)
def test_points_are_those_of_the_camera(root: Path, camera: ChallengeCamera) -> None:
    seen = load(root, camera).observations
    expected = np.concatenate([project(camera_points(path), camera) for path in PATHS])
    np.testing.assert_allclose(
        seen.points_2d, expected, atol=1e-9 if camera == "perspective" else 1e-6
    )
    assert seen.visible.all()
    assert seen.camera == camera


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("first", [0, 1])
def test_the_truth_stands_in_the_cameras_frame(
    tmp_path: Path, camera: ChallengeCamera, first: int
) -> None:
    write_object(tmp_path / "balloon", first=first)
    truth = truth_of(load(tmp_path, camera))
    assert np.flatnonzero(not_none(truth.mask).any(axis=1)).tolist() == [
        TRUE_FRAME + FRAMES * i for i in range(6)
    ]
    for i, path in enumerate(PATHS):
        expected = camera_points(path)[TRUE_FRAME]
        if camera == "orthographic":
            expected = expected - (0, 0, expected[:, 2].mean())
        np.testing.assert_allclose(truth.points_3d[TRUE_FRAME + FRAMES * i], expected, atol=1e-5)


def test_observations_are_the_projection_of_the_truth(root: Path) -> None:
    for camera in CAMERAS:
        data = load(root, camera)
        known = true_rows(data)
        np.testing.assert_allclose(
            project(truth_of(data).points_3d[known], camera),
            data.observations.points_2d[known],
            atol=1e-6,
        )


def test_a_scaled_view_is_brought_to_the_unit_of_the_truth(root: Path) -> None:
    file = root / "nrsfm_challenge/balloon/balloon/sequence/orthogonal/line.txt"
    before = load(root, path="line")
    np.savetxt(file, 3 * rows(image("line", "orthographic")))
    after = load(root, path="line")
    np.testing.assert_allclose(after.observations.points_2d, before.observations.points_2d)
    np.testing.assert_allclose(truth_of(after).points_3d, truth_of(before).points_3d, atol=1e-9)


def test_a_point_without_place_or_measure_is_left_out(root: Path) -> None:
    folder = root / "nrsfm_challenge/balloon/balloon"
    tracks, truth = image("line", "orthographic").copy(), shapes()[TRUE_FRAME].copy()
    tracks[2, 3] = tracks[TRUE_FRAME, 5] = truth[7] = truth[8, 1] = np.nan
    np.savetxt(folder / "sequence/orthogonal/line.txt", rows(tracks))
    np.savetxt(folder / f"gt_frame_{TRUE_FRAME + 1}.txt", truth.T)
    data = load(root, path="line")
    assert np.argwhere(~data.observations.visible).tolist() == [[2, 3], [TRUE_FRAME, 5]]
    assert np.flatnonzero(~mask_of(data)[TRUE_FRAME]).tolist() == [7, 8]


def test_without_truth(root: Path) -> None:
    (root / f"nrsfm_challenge/balloon/balloon/gt_frame_{TRUE_FRAME + 1}.txt").unlink()
    data = load(root, path="line")
    assert data.truth is None
    np.testing.assert_array_equal(data.observations.points_2d, image("line", "orthographic"))
    assert NrsfmChallenge().note(root, "balloon") == "no truth"
    with pytest.raises(UserError, match=r"circle\.txt: perspective points need a frame with truth"):
        load(root, "perspective")


def test_several_frames_may_have_truth(root: Path) -> None:
    folder = root / "nrsfm_challenge/balloon/balloon"
    np.savetxt(folder / "gt_frame_9.txt", shapes()[8].T)
    data = load(root, "perspective", path="tricky")
    assert true_rows(data) == [TRUE_FRAME, 8]
    np.testing.assert_allclose(truth_of(data).points_3d[8], camera_points("tricky")[8], atol=1e-5)


def test_the_truth_of_another_object_is_reported(root: Path) -> None:
    file = root / f"nrsfm_challenge/balloon/balloon/gt_frame_{TRUE_FRAME + 1}.txt"
    np.savetxt(file, np.random.default_rng(3).uniform(-80, 80, (3, POINTS)))
    with pytest.raises(UserError, match="fit neither frame 4 nor 5") as caught:
        load(root)
    assert "circle.txt: " in str(caught.value)


@pytest.mark.parametrize("number", [11, 500])
def test_a_truth_of_no_frame_is_reported(root: Path, number: int) -> None:
    folder = root / "nrsfm_challenge/balloon/balloon"
    (folder / f"gt_frame_{TRUE_FRAME + 1}.txt").rename(folder / f"gt_frame_{number}.txt")
    with pytest.raises(UserError, match=f"frame {number} cannot be fitted: there are 9 frames"):
        load(root)


def test_a_flat_truth_is_reported(root: Path) -> None:
    file = root / f"nrsfm_challenge/balloon/balloon/gt_frame_{TRUE_FRAME + 1}.txt"
    np.savetxt(file, (shapes()[TRUE_FRAME] * (1, 1, 0)).T)
    with pytest.raises(UserError, match="cannot be fitted: the points lie in a plane"):
        load(root)


def test_of_several_truths_the_best_one_gives_the_intrinsics_and_the_worst_the_misfit() -> None:
    tracks = image("tricky", "perspective")
    noise = np.random.default_rng(7).normal(0, 0.5, (POINTS, 3))
    truth = {5: shapes()[4] + noise, 9: shapes()[8]}
    view = make_view(tracks, truth, "perspective")
    expected = project(camera_points("tricky"), "perspective")
    np.testing.assert_allclose(view.points_2d, expected, atol=1e-9)
    noisy, exact = (make_view(tracks, {n: truth[n]}, "perspective").misfit for n in (5, 9))
    assert view.misfit == noisy > 1e-4 > exact
