"""The NRSfM Challenge adapter on small objects that the test writes in the form of the release."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from liftbench.cameras import project
from liftbench.errors import DataMissingError, UserError
from liftbench.suites.suite import checked_params
from liftbench.types import Bools, Dataset, Floats
from liftbench_datasets.nrsfm_challenge import adapter as nrsfm_challenge
from liftbench_datasets.nrsfm_challenge.adapter import (
    CAMERAS,
    NRSFM_CHALLENGE,
    OBJECTS,
    PATHS,
    ChallengeCamera,
    NrsfmChallenge,
)

FRAMES, POINTS = 9, 12
TRUE_FRAME = 4
K = np.array([[950.0, 0, 300], [0, 940, 250], [0, 0, 1]])
FOLDERS = {"orthographic": "orthogonal", "perspective": "perspective"}


def shapes() -> Floats:
    """Return (F, P, 3) points of an object that bends, in mm."""
    rng = np.random.default_rng(1)
    base, bend = rng.uniform(-80, 80, (2, POINTS, 3))
    return base + 0.5 * bend * np.sin(np.arange(FRAMES))[:, None, None]


def camera_points(path: str) -> Floats:
    """Return the points in the frame of a camera that moves."""
    rng = np.random.default_rng(PATHS.index(path))
    turns = Rotation.from_rotvec(rng.uniform(-1, 1, (FRAMES, 3))).as_matrix()
    return shapes() @ turns.swapaxes(1, 2) + (20, -30, 900)


def image(path: str, camera: str) -> Floats:
    points = camera_points(path)
    if camera == "orthographic":
        return points[..., :2]
    pixels: Floats = (points @ K.T)[..., :2] / points[..., 2:]
    return pixels


def visibility(path: str) -> Bools:
    return np.random.default_rng(99 + PATHS.index(path)).random((FRAMES, POINTS)) > 0.3


def rows(points: Floats) -> Floats:
    return points.swapaxes(1, 2).reshape(-1, points.shape[1])


def write_object(folder: Path, *, first: int = 1, paths: tuple[str, ...] = PATHS) -> Path:
    """Write an object; the first frame has the number `first`."""
    for camera, name in FOLDERS.items():
        for kind in ("sequence", "visibility"):
            (folder / kind / name).mkdir(parents=True)
        for path in paths:
            np.savetxt(folder / "sequence" / name / f"{path}.txt", rows(image(path, camera)))
            shown = np.repeat(visibility(path), 2, axis=0)
            np.savetxt(folder / "visibility" / name / f"{path}.txt", shown, fmt="%d")
    np.savetxt(folder / f"gt_frame_{TRUE_FRAME + first}.txt", shapes()[TRUE_FRAME].T)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_object(tmp_path / "nrsfm_challenge" / "balloon" / "balloon")
    return tmp_path


def load(root: Path, camera: ChallengeCamera = "orthographic", **params: object) -> Dataset:
    return NrsfmChallenge(camera=camera, **params).load(root, "balloon", "all")


def true_rows(data: Dataset) -> list[int]:
    return np.flatnonzero(data.truth.mask.any(axis=1)).tolist()


@pytest.mark.parametrize("below", ["nrsfm_challenge/paper", "NRSfM_challenge/paper/paper", "paper"])
def test_every_layout_is_found(tmp_path: Path, below: str) -> None:
    write_object(tmp_path / below)
    for camera in CAMERAS:
        assert NrsfmChallenge(camera=camera, missing=True).subsets(tmp_path) == ("paper",)


def test_each_path_is_a_sequence_and_a_group(root: Path) -> None:
    data = load(root)
    assert data.observations.points_2d.shape == (6 * FRAMES, POINTS, 2)
    assert data.observations.sequence.tolist() == np.repeat([1, 2, 3, 4, 5, 6], FRAMES).tolist()
    assert data.truth.group.tolist() == np.repeat(PATHS, FRAMES).tolist()
    assert data.truth.unit == "mm"
    only = load(root, path="line")
    assert set(only.observations.sequence.tolist()) == {3}
    np.testing.assert_array_equal(
        only.observations.points_2d, data.observations.points_2d[2 * FRAMES : 3 * FRAMES]
    )


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
    truth = load(tmp_path, camera).truth
    assert np.flatnonzero(truth.mask.any(axis=1)).tolist() == [
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
            project(data.truth.points_3d[known], camera),
            data.observations.points_2d[known],
            atol=1e-6,
        )


def test_a_scaled_view_is_brought_to_the_unit_of_the_truth(root: Path) -> None:
    file = root / "nrsfm_challenge/balloon/balloon/sequence/orthogonal/line.txt"
    before = load(root, path="line")
    np.savetxt(file, 3 * rows(image("line", "orthographic")))
    after = load(root, path="line")
    np.testing.assert_allclose(after.observations.points_2d, before.observations.points_2d)
    np.testing.assert_allclose(after.truth.points_3d, before.truth.points_3d, atol=1e-9)


def test_hidden_points_are_those_of_the_visibility_files(root: Path) -> None:
    for camera in CAMERAS:
        seen = load(root, camera, missing=True).observations
        np.testing.assert_array_equal(seen.visible, np.concatenate([*map(visibility, PATHS)]))
        whole = load(root, camera).observations
        np.testing.assert_array_equal(seen.points_2d[seen.visible], whole.points_2d[seen.visible])


def test_visibility_may_have_one_row_a_frame(root: Path) -> None:
    before = load(root, missing=True, path="line").observations.visible
    file = root / "nrsfm_challenge/balloon/balloon/visibility/orthogonal/line.txt"
    np.savetxt(file, visibility("line"), fmt="%d")
    np.testing.assert_array_equal(
        load(root, missing=True, path="line").observations.visible, before
    )


def test_a_point_without_place_or_measure_is_left_out(root: Path) -> None:
    folder = root / "nrsfm_challenge/balloon/balloon"
    tracks, truth = image("line", "orthographic").copy(), shapes()[TRUE_FRAME].copy()
    tracks[2, 3] = tracks[TRUE_FRAME, 5] = truth[7] = np.nan
    np.savetxt(folder / "sequence/orthogonal/line.txt", rows(tracks))
    np.savetxt(folder / f"gt_frame_{TRUE_FRAME + 1}.txt", truth.T)
    data = load(root, path="line")
    assert np.argwhere(~data.observations.visible).tolist() == [[2, 3], [TRUE_FRAME, 5]]
    assert np.flatnonzero(~data.truth.mask[TRUE_FRAME]).tolist() == [7]


def test_other_kinds_of_files_say_the_same(root: Path) -> None:
    before = load(root, missing=True)
    folder = root / "nrsfm_challenge/balloon/balloon"
    for file in folder.rglob("*.txt"):
        name = {"sequence": "W", "visibility": "visibility"}.get(file.parents[1].name, "S")
        if "line" in file.name:
            np.savez(file.with_suffix(".npz"), **{name: np.loadtxt(file)})
        else:
            savemat(file.with_suffix(".mat"), {name: np.loadtxt(file)})
        file.unlink()
    after = load(root, missing=True)
    np.testing.assert_array_equal(after.observations.points_2d, before.observations.points_2d)
    np.testing.assert_array_equal(after.truth.points_3d, before.truth.points_3d)


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
    np.testing.assert_allclose(data.truth.points_3d[8], camera_points("tricky")[8], atol=1e-5)


def test_the_truth_of_another_object_is_told(root: Path) -> None:
    file = root / f"nrsfm_challenge/balloon/balloon/gt_frame_{TRUE_FRAME + 1}.txt"
    np.savetxt(file, np.random.default_rng(3).uniform(-80, 80, (3, POINTS)))
    with pytest.raises(UserError, match="fit neither frame 4 nor 5") as caught:
        load(root)
    assert "circle.txt: " in str(caught.value)


@pytest.mark.parametrize("number", [11, 500])
def test_a_truth_of_no_frame_is_told(root: Path, number: int) -> None:
    folder = root / "nrsfm_challenge/balloon/balloon"
    (folder / f"gt_frame_{TRUE_FRAME + 1}.txt").rename(folder / f"gt_frame_{number}.txt")
    with pytest.raises(UserError, match=f"frame {number} cannot be fitted: there are 9 frames"):
        load(root)


def test_a_flat_truth_is_told(root: Path) -> None:
    file = root / f"nrsfm_challenge/balloon/balloon/gt_frame_{TRUE_FRAME + 1}.txt"
    np.savetxt(file, (shapes()[TRUE_FRAME] * (1, 1, 0)).T)
    with pytest.raises(UserError, match="cannot be fitted: the points lie in a plane"):
        load(root)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("sequence/orthogonal/line.txt", "1 2\n", "expected two rows a frame"),
        ("sequence/orthogonal/line.txt", "1 2\n3\n", "expected a matrix of numbers"),
        ("sequence/orthogonal/line.txt", "", "the file is empty"),
        ("sequence/orthogonal/line.txt", "1 two\n3 4", "could not convert"),
        ("sequence/orthogonal/line.txt", "1 inf\n3 4", "numbers greater than"),
        ("sequence/orthogonal/line.txt", "1 2\n3 4", "expected 12 points as in"),
        ("visibility/orthogonal/line.txt", "1 1\n1 1", "expected 9 or 18 rows of 12 numbers"),
        ("gt_frame_5.txt", "1 2\n3 4", "expected three rows x, y and z"),
        ("gt_frame_5.txt", "1 2\n3 4\n5 6", "expected 12 points as in"),
    ],
)
def test_damage_names_the_file(root: Path, file: str, text: str, told: str) -> None:
    path = root / "nrsfm_challenge/balloon/balloon" / file
    path.write_text(text, encoding="ascii")
    with pytest.raises(UserError, match=re.escape(told)) as caught:
        load(root, missing=file.startswith("visibility"))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not {f.item: f for f in NrsfmChallenge().check(root)}["balloon orthographic"].ok


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("challenge")
    folder = write_object(root / "balloon", paths=("line",))
    camera = data.draw(st.sampled_from(CAMERAS))
    files = ["sequence/perspective/line.txt", "visibility/orthogonal/line.txt", "gt_frame_5.txt"]
    path = folder / data.draw(st.sampled_from(files))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        load(root, camera, missing=True)
    except UserError as error:
        told = str(error)
    else:
        return
    assert re.fullmatch(rf"{re.escape(str(folder))}.+: .+", told)


@pytest.mark.parametrize("call", ["checksum", "note", "load"])
def test_an_absent_object_is_told(root: Path, call: str) -> None:
    args = (root, "tearing", "all") if call == "load" else (root, "tearing")
    with pytest.raises(DataMissingError, match="see 'liftbench data info nrsfm_challenge'") as told:
        getattr(NrsfmChallenge(camera="perspective"), call)(*args)
    expected = "nrsfm_challenge/tearing/sequence/perspective/circle.txt"
    assert str(root / expected) in str(told.value)


def test_absent_visibility_is_told(root: Path) -> None:
    file = root / "nrsfm_challenge/balloon/balloon/visibility/orthogonal/line.txt"
    file.unlink()
    assert NrsfmChallenge(missing=True).subsets(root) == ("balloon",)
    with pytest.raises(DataMissingError, match="visibility not found") as told:
        load(root, missing=True)
    assert str(file) in str(told.value)
    assert load(root).observations.visible.all()


def test_unknown_names_are_told(root: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'balloon'"):
        NrsfmChallenge().load(root, "baloon", "all")
    with pytest.raises(UserError, match="unknown split 'train'"):
        NrsfmChallenge().load(root, "balloon", "train")


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"camera": "weak_perspective"}, "dataset 'it': camera: "),
        ({"path": "loop"}, "dataset 'it': path: "),
        ({"missing": "often"}, "dataset 'it': missing: "),
    ],
)
def test_params_are_checked(params: dict[str, object], told: str) -> None:
    with pytest.raises(UserError) as caught:
        checked_params("dataset 'it'", NRSFM_CHALLENGE.params, params)
    assert str(caught.value).startswith(told)
    with pytest.raises(ValueError, match=told.split("'")[2].strip(": ")):
        NrsfmChallenge(**params)


def test_the_note_tells_what_lacks(tmp_path: Path) -> None:
    write_object(tmp_path / "balloon", paths=("circle", "line"))
    assert NrsfmChallenge().note(tmp_path, "balloon") == (
        "without flyby, semi_circle, tricky, zigzag; truth in 2 of 18 frames"
    )
    assert NrsfmChallenge(path="line").note(tmp_path, "balloon") == "truth in 1 of 9 frames"


def test_check_tells_of_every_object_and_camera(root: Path) -> None:
    findings = {finding.item: finding for finding in NrsfmChallenge().check(root)}
    assert set(findings) == {f"{name} {camera}" for name in OBJECTS for camera in CAMERAS}
    assert {item for item, finding in findings.items() if finding.ok} == {
        "balloon orthographic",
        "balloon perspective",
    }
    shown = np.concatenate([*map(visibility, PATHS)]).mean()
    assert re.fullmatch(
        rf"6 paths, 54 frames, 12 points, {shown:.0%} visible, truth in 6 frames, "
        r"which it fits to \de-\d+ of the extent".replace(r"\de", r"\d\.\de"),
        findings["balloon perspective"].detail,
    )


def test_check_of_nothing(tmp_path: Path) -> None:
    (finding,) = NrsfmChallenge().check(tmp_path)
    assert not finding.ok
    assert "see 'liftbench data info nrsfm_challenge'" in finding.detail


def change_visibility(folder: Path) -> None:
    shown = np.repeat(~visibility("circle"), 2, axis=0)
    np.savetxt(folder / "visibility/orthogonal/circle.txt", shown, fmt="%d")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "sequence/orthogonal/line.txt").unlink(),
        lambda folder: np.savetxt(folder / "gt_frame_9.txt", shapes()[8].T),
        change_visibility,
    ],
    ids=["tracks", "truth", "visibility"],
)
def test_the_checksum_sees_every_change(root: Path, change: Callable[[Path], object]) -> None:
    before = [NrsfmChallenge(missing=m).checksum(root, "balloon") for m in (False, True)]
    assert before[0] != before[1]
    change(root / "nrsfm_challenge/balloon/balloon")
    after = [NrsfmChallenge(missing=m).checksum(root, "balloon") for m in (False, True)]
    assert after[1] != before[1]
    assert (after[0] == before[0]) == (change is change_visibility)


def test_a_second_load_does_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(root)
    monkeypatch.setattr(nrsfm_challenge, "read_sources", None)
    np.testing.assert_array_equal(load(root).observations.points_2d, first.observations.points_2d)
