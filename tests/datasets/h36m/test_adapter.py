"""Human3.6M on small files in the forms of the release and of VideoPose3D."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cdflib.cdfwrite import CDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import not_none
from tests.datasets.conftest import truth_of

from liftbench.arrays import Arrays
from liftbench.errors import DataMissingError, UserError
from liftbench.suites.suite import make_params
from liftbench.types import Dataset, Floats
from liftbench_datasets.h36m import adapter as h36m
from liftbench_datasets.h36m import release
from liftbench_datasets.h36m.adapter import H36M, make_h36m
from liftbench_datasets.h36m.cameras import CAMERAS, LENSES, PLACES
from liftbench_datasets.h36m.skeleton import ACTION_SUBSETS, KEPT, SKELETON, SUBSETS

OFFSET = np.array([1.5, -0.5])  # of the detected points, pixels
Poses = dict[str, dict[str, Floats]]

# Takes of a subject, their frames and the names that the official files have for them.
TAKES = {"Directions": 11, "Photo": 6, "WalkDog 2": 8}
OFFICIAL = {"Photo": "TakingPhoto", "WalkDog 2": "WalkingDog 2"}


def person(rng: np.random.Generator, frames: int) -> Floats:
    """Return (frames, 32, 3) points of the size of a person in metres, with thighs of 0.45 m."""
    points = rng.uniform(-0.4, 0.4, (frames, 32, 3)) + np.array([0.0, 0.0, 0.9])
    for hip, knee in ((1, 2), (6, 7)):
        points[:, knee] = points[:, hip] - [0.0, 0.0, 0.45]
    single: Floats = points.astype("f4")
    return single


def draw_poses() -> Poses:
    rng = np.random.default_rng(0)
    return {
        subject: {name: person(rng, n) for name, n in TAKES.items()}
        for subject in ("S1", "S9", "S11")
    }


POSES = draw_poses()


def write_npz(root: Path, poses: object = POSES) -> Path:
    path = root / "h36m" / "data_3d_h36m.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, positions_3d=np.array(poses, dtype=object))
    return path


def write_cdfs(root: Path, poses: Poses = POSES) -> Path:
    for subject, takes in poses.items():
        folder = root / "h36m" / subject / "MyPoseFeatures" / "D3_Positions"
        folder.mkdir(parents=True)
        for name, points in takes.items():
            write_cdf(folder / f"{OFFICIAL.get(name, name)}.cdf", 1000 * points.reshape(1, -1, 96))
    return root / "h36m"


def write_cdf(path: Path, values: Floats) -> None:
    file = CDF(str(path))
    spec = {"Variable": "Pose", "Data_Type": 21, "Num_Elements": 1, "Rec_Vary": True}
    file.write_var(spec | {"Dim_Sizes": list(values.shape[1:])}, var_data=values.astype("f4"))
    file.close()


def true_pixels(subject: str, camera: str, points: Floats) -> Floats:
    """Project (F, 32, 3) metres by hand to the (F, 17, 2) pixels of a camera."""
    place = PLACES[subject][camera]
    view = np.einsum("ij,fpj->fpi", place.rotation, 1000.0 * points[:, KEPT] - place.position)
    return LENSES[camera].pixels(view[..., :2] / view[..., 2:])


def write_detections(
    root: Path, poses: Poses = POSES, more: int = 3, change: Callable[[Any], Any] = lambda v: v
) -> Path:
    """Write pixels beside the true ones, with more frames than poses."""
    views = {
        subject: {
            name: [
                np.pad(true_pixels(subject, camera, points), ((0, more), (0, 0), (0, 0)), "edge")
                + OFFSET
                for camera in CAMERAS
            ]
            for name, points in takes.items()
        }
        for subject, takes in poses.items()
    }
    path = root / "h36m" / "data_2d_h36m_cpn.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"layout_name": "h36m", "num_joints": 17, "keypoints_symmetry": [[4], [1]]}
    np.savez_compressed(
        path,
        positions_2d=np.array(change(views), dtype=object),
        metadata=np.array(metadata, dtype=object),
    )
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_npz(tmp_path)
    return tmp_path


def load(root: Path, split: str = "train", **params: object) -> Dataset:
    return make_h36m(**params).load(root, "all", split)


def sequence(data: Dataset, number: int) -> tuple[Floats, Floats]:
    """Return the 2D and 3D points of a sequence."""
    chosen = data.observations.sequence == number
    return data.observations.points_2d[chosen], truth_of(data).points_3d[chosen]


# --- what is loaded -----------------------------------------------------------------------


def test_points_lie_before_their_camera(root: Path) -> None:
    seen, true = sequence(load(root, every=1), 10603)  # S1, Photo, third camera
    place = PLACES["S1"]["58860488"]
    world = 1000.0 * POSES["S1"]["Photo"][:, KEPT]
    expected = np.einsum("ij,fpj->fpi", place.rotation, world - place.position)
    np.testing.assert_allclose(true, expected, atol=1e-2)
    np.testing.assert_array_equal(seen, true[..., :2] / true[..., 2:])


def test_sequences_groups_and_boxes(root: Path) -> None:
    data = load(root, every=1)
    ids, counts = np.unique(truth_of(data).sequence, return_counts=True)
    takes = ((10100, 11), (10600, 6), (11320, 8))
    assert dict(zip(ids.tolist(), counts.tolist(), strict=True)) == {
        take + camera: n for take, n in takes for camera in (1, 2, 3, 4)
    }
    assert set(truth_of(data).group[truth_of(data).sequence // 10 == 1132].tolist()) == {"WalkDog"}
    assert truth_of(data).unit == "mm"
    assert data.observations.skeleton == SKELETON
    assert data.observations.visible.all()
    points, box = data.observations.points_2d, not_none(data.observations.box)
    np.testing.assert_allclose(box[:, :2], points.min(axis=1))
    np.testing.assert_allclose(box[:, :2] + box[:, 2:], points.max(axis=1))


def test_cdf_files_hold_the_same(root: Path, tmp_path: Path) -> None:
    write_cdfs(tmp_path / "official")
    for split in ("train", "test"):
        npz, cdf = (load(place, split, every=1) for place in (root, tmp_path / "official"))
        np.testing.assert_allclose(truth_of(cdf).points_3d, truth_of(npz).points_3d, atol=1e-3)
        np.testing.assert_array_equal(truth_of(cdf).sequence, truth_of(npz).sequence)
        np.testing.assert_array_equal(truth_of(cdf).group, truth_of(npz).group)


@pytest.mark.parametrize("folder", ["", "h36m", "human3.6m"])
def test_folders_that_are_found(tmp_path: Path, folder: str) -> None:
    path = write_npz(tmp_path / "made")
    (tmp_path / "data" / folder).mkdir(parents=True)
    shutil.copy(path, tmp_path / "data" / folder)
    assert make_h36m().subsets(tmp_path / "data") == SUBSETS


def test_splits_are_by_subject_and_lack_the_damaged_take(root: Path) -> None:
    train, test = load(root, "train"), load(root, "test")
    assert set((truth_of(train).sequence // 10_000).tolist()) == {1}
    assert set((truth_of(test).sequence // 10_000).tolist()) == {9, 11}
    assert 90101 in truth_of(test).sequence
    assert not set(range(110101, 110105)) & set(truth_of(test).sequence.tolist())
    c3dpo = truth_of(load(root, "test", camera="orthographic")).sequence.tolist()
    assert 110101 not in c3dpo
    assert {110102, 110103, 110104} <= set(c3dpo)


def test_a_subset_of_an_action_holds_its_takes_alone(root: Path) -> None:
    adapter = make_h36m()
    whole = adapter.load(root, "all", "train")
    for action in np.unique(truth_of(whole).group):
        subset = next(key for key, name in ACTION_SUBSETS.items() if name == action)
        part, of_action = adapter.load(root, subset, "train"), truth_of(whole).group == action
        np.testing.assert_array_equal(
            truth_of(part).points_3d, truth_of(whole).points_3d[of_action]
        )
    absent = next(k for k, name in ACTION_SUBSETS.items() if name not in truth_of(whole).group)
    with pytest.raises(DataMissingError, match=f"no take of '{absent}' in the split 'train'"):
        adapter.load(root, absent, "train")
    assert {"walk_dog", "sitting_down", "photo"} < ACTION_SUBSETS.keys()


def test_every_and_cameras_choose(root: Path) -> None:
    whole = load(root, every=1)
    some = load(root, every=4, cameras=("55011271", "60457274"))
    ids = set(truth_of(some).sequence.tolist())
    assert {i % 10 for i in ids} == {2, 4}
    for number in ids:
        np.testing.assert_array_equal(sequence(some, number)[1], sequence(whole, number)[1][::4])


def test_c3dpo_normalisation(root: Path) -> None:
    far, near = load(root, every=1), load(root, every=1, camera="orthographic")
    seen, true = sequence(near, 10102)
    depth = sequence(far, 10102)[1]
    np.testing.assert_allclose(true, depth - depth[:, :1])
    scale = np.array([np.mean([np.hypot(*p[:2]) for p in frame[1:]]) for frame in true])
    pixels = true_pixels("S1", "55011271", POSES["S1"]["Directions"])
    centred = pixels - pixels[:, :1]
    extent = np.array([np.mean([np.hypot(*p) for p in frame[1:]]) for frame in centred])
    np.testing.assert_allclose(
        seen / scale[:, None, None], centred / extent[:, None, None], atol=1e-4
    )
    assert near.observations.camera == "orthographic"


# --- detected points ----------------------------------------------------------------------


def test_detections_are_undistorted(root: Path) -> None:
    write_detections(root)
    data = load(root, every=1, keypoints="cpn")
    seen, true = sequence(data, 10101)
    pixels = LENSES["54138969"].pixels(seen)
    expected = true_pixels("S1", "54138969", POSES["S1"]["Directions"]) + OFFSET
    np.testing.assert_allclose(pixels, expected, atol=1e-2)
    np.testing.assert_array_equal(true, sequence(load(root, every=1), 10101)[1])
    np.testing.assert_allclose(
        not_none(data.observations.box)[:, :2], data.observations.points_2d.min(axis=1)
    )


def test_detections_of_the_orthographic_setting_are_scaled_pixels(root: Path) -> None:
    write_detections(root)
    seen, _ = sequence(load(root, every=1, keypoints="cpn", camera="orthographic"), 10101)
    pixels = true_pixels("S1", "54138969", POSES["S1"]["Directions"])
    turned = (pixels - pixels[:, :1]).reshape(len(seen), -1)
    flat = seen.reshape(len(seen), -1)
    cosine = (turned * flat).sum(1) / np.linalg.norm(turned, axis=1) / np.linalg.norm(flat, axis=1)
    np.testing.assert_allclose(cosine, 1, atol=1e-6)


def test_absent_detections_are_errors(root: Path) -> None:
    with pytest.raises(DataMissingError, match=r"h36m/data_2d_h36m_cpn\.npz; see 'liftbench data"):
        load(root, keypoints="cpn")
    write_detections(root, {s: POSES[s] for s in ("S1", "S9")})
    load(root, keypoints="cpn")
    with pytest.raises(UserError, match="h36m: no points 'cpn' of S11 Photo"):
        load(root, "test", keypoints="cpn")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda views: views[:3], "S1 Photo: 3 cameras, expected 4 cameras"),
        (lambda views: [view[:4] for view in views], "S1 Photo: 4 frames, the poses have 6"),
        (lambda views: [view[:, 1:] for view in views], "S1 Photo: .*shape"),
        (lambda views: [view * np.nan for view in views], "S1 Photo: NaN"),
        (lambda views: [view + 5e3 for view in views], "S1 Photo: points beyond -1000"),
        (len, "S1 Photo: int, expected 4 cameras"),
    ],
)
def test_damaged_detections_are_errors(
    root: Path, change: Callable[[Any], Any], message: str
) -> None:
    path = write_detections(
        root, more=0, change=lambda v: {"S1": {"Photo": change(v["S1"]["Photo"])}}
    )
    with pytest.raises(UserError, match=message) as caught:
        load(root, keypoints="cpn")
    assert str(path) in str(caught.value)


# --- the adapter --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"camera": "weak_perspective"}, "camera: "),
        ({"cameras": []}, "cameras: expected some of 54138969, "),
        ({"cameras": ["1"]}, "cameras: expected some of 54138969, "),
        ({"cameras": ["54138969"] * 2}, "cameras: expected each camera once, got "),
        ({"every": 0}, "every: expected at least 1, got 0"),
        ({"every": 1.5}, "every: "),
        ({"keypoints": "../cpn"}, "keypoints: expected 'truth' or NAME"),
        ({"release": "eccv18"}, "camera: release eccv18 has only poses, expected 'orthographic'"),
        (
            {"release": "eccv18", "camera": "orthographic", "keypoints": "cpn"},
            "keypoints: release eccv18",
        ),
        ({"release": "old"}, "release: "),
    ],
)
def test_params_are_checked(params: dict[str, object], message: str) -> None:
    with pytest.raises(UserError) as caught:
        make_params("dataset 'h36m'", H36M.params, params)
    assert str(caught.value).startswith(f"dataset 'h36m': {message}")


def test_unknown_names(root: Path) -> None:
    with pytest.raises(UserError, match="unknown subset of dataset 'h36m' 'swimming'"):
        make_h36m().load(root, "swimming", "train")
    with pytest.raises(UserError, match="unknown split 'val'"):
        make_h36m().load(root, "all", "val")


def test_absent_files_are_named(tmp_path: Path) -> None:
    adapter = make_h36m()
    assert adapter.subsets(tmp_path) == ()
    for call in (adapter.checksum, adapter.note):
        with pytest.raises(DataMissingError, match=r"h36m/data_3d_h36m\.npz and .*S1/MyPoseFeat"):
            call(tmp_path, "all")
    (finding,) = adapter.check(tmp_path)
    assert not finding.ok
    write_npz(tmp_path, {"S1": POSES["S1"]})
    with pytest.raises(DataMissingError, match="no take of S9, S11"):
        load(tmp_path, "test")


def test_checksums_see_what_is_read(root: Path) -> None:
    before = make_h36m().checksum(root, "all")
    write_detections(root)
    assert make_h36m().checksum(root, "all") == before
    detected = make_h36m(keypoints="cpn").checksum(root, "all")
    assert detected != before
    write_detections(root, more=4)
    assert make_h36m(keypoints="cpn").checksum(root, "all") != detected
    write_npz(root, {**POSES, "S9": POSES["S1"]})
    assert make_h36m().checksum(root, "all") != before


def test_the_folder_names_the_subject(tmp_path: Path) -> None:
    folder = write_cdfs(tmp_path, {"S1": POSES["S1"]})
    before = make_h36m().checksum(tmp_path, "all")
    load(tmp_path)
    (folder / "S1").rename(folder / "S5")
    assert make_h36m().checksum(tmp_path, "all") != before
    assert set((truth_of(load(tmp_path)).sequence // 10_000).tolist()) == {5}


def test_files_are_parsed_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[list[Path]] = []
    read = release.read_poses

    def counted(files: list[Path]) -> Arrays:
        parsed.append(files)
        return read(files)

    monkeypatch.setattr(h36m, "read_poses", counted)
    first, again = load(root), load(root)
    load(root, "test", camera="orthographic")
    assert len(parsed) == 1
    np.testing.assert_array_equal(truth_of(first).points_3d, truth_of(again).points_3d)


def test_note_and_check(root: Path) -> None:
    write_detections(root)
    assert make_h36m().note(root, "all") == ("8 of the official 209 takes, so not the papers' set")
    found = {f.item: f for f in make_h36m(keypoints="cpn").check(root)}
    assert all(f.ok for f in found.values())
    assert found["train"].detail == ("3 takes, 25 of the official 389938 frames; no S5, S6, S7, S8")
    assert found["size"].detail == "thighs of 450 to 450 mm"
    assert found["detections"].detail.startswith("1.6 pixels")


def test_check_finds_other_units_and_other_points(root: Path) -> None:
    write_npz(root, {s: {t: p / 1000 for t, p in takes.items()} for s, takes in POSES.items()})
    assert {f.item for f in make_h36m().check(root) if not f.ok} == {"size"}
    write_npz(root)
    flip = lambda v: {s: {t: [p[:, ::-1] for p in q] for t, q in x.items()} for s, x in v.items()}  # noqa: E731
    write_detections(root, change=flip)
    assert {f.item for f in make_h36m(keypoints="cpn").check(root) if not f.ok} == {"detections"}


def test_points_behind_a_camera_are_errors(root: Path) -> None:
    away = {"S1": {"Photo": POSES["S1"]["Photo"] + np.array([0, 30, 0], dtype="f4")}}
    write_npz(root, away)
    with pytest.raises(UserError, match=r"S1 Photo before camera \d+: perspective"):
        load(root)
    findings = make_h36m().check(root)
    assert {f.item for f in findings if not f.ok} >= {"depth"}


# --- damaged files ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("poses", "message"),
    [
        ({"S2": {"Photo": POSES["S1"]["Photo"]}}, "unknown subject 'S2'"),
        ({"S1": {"Dancing 1": POSES["S1"]["Photo"]}}, "unknown action of S1 'Dancing 1'"),
        ({"S1": {"Photo x": POSES["S1"]["Photo"]}}, "unknown action of S1 'Photo x'"),
        ({"S1": {"Photo": POSES["S1"]["Photo"][:, :17]}}, r"S1 Photo: float32 of shape \(6, 17, 3"),
        ({"S1": {"Photo": POSES["S1"]["Photo"][:0]}}, r"S1 Photo: .* \(0, 32, 3\)"),
        ({"S1": {"Photo": POSES["S1"]["Photo"] * np.nan}}, "S1 Photo: NaN"),
        ({"S1": {"Photo": POSES["S1"]["Photo"].astype(int)}}, "S1 Photo: int64"),
        ({"S1": {"Photo": None}}, "S1 Photo: object"),
        (
            {"S1": {"Photo": POSES["S1"]["Photo"], "TakingPhoto": POSES["S1"]["Photo"]}},
            "S1 Photo under",
        ),
        ({"S1": [1]}, "data_3d_h36m"),
        ({}, "expected poses, got none"),
        ([], "data_3d_h36m"),
    ],
)
def test_damaged_poses_are_errors(tmp_path: Path, poses: object, message: str) -> None:
    path = write_npz(tmp_path, poses)
    with pytest.raises(UserError, match=message) as caught:
        load(tmp_path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_cdf_files_are_errors(tmp_path: Path) -> None:
    folder = write_cdfs(tmp_path) / "S1" / "MyPoseFeatures" / "D3_Positions"
    write_cdf(folder / "Walking.cdf", np.zeros((1, 4, 95)))
    with pytest.raises(UserError, match=r"Walking\.cdf: .*shape \(1, 4, 95\)"):
        load(tmp_path)
    (folder / "Walking.cdf").rename(folder / "Jumping.cdf")
    with pytest.raises(UserError, match="unknown action of S1 'Jumping'"):
        load(tmp_path)
    (folder / "Jumping.cdf").rename(folder / "_ALL.cdf")
    load(tmp_path)


class Touch:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.mkdir, (self.path,)


@pytest.mark.parametrize("write", [write_npz, lambda root, bad: write_detections(root, change=bad)])
def test_code_is_refused_and_not_run(root: Path, write: Callable[[Path, Any], Path]) -> None:
    made = root / "made"
    bad = {"S1": {"Photo": Touch(made)}}
    write(root, bad if write is write_npz else lambda _: bad)
    with pytest.raises(UserError, match="not allowed"):
        load(root, keypoints="truth" if write is write_npz else "cpn")
    assert not made.exists()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.booleans(), st.data())
def test_any_damage_is_a_one_line_error(root: Path, detections: bool, data: st.DataObject) -> None:
    small = {"S1": {"Photo": POSES["S1"]["Photo"][:2]}}
    write_npz(root, small)
    path = write_detections(root, small) if detections else root / "h36m" / "data_3d_h36m.npz"
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = bytearray(pickle.dumps(POSES["S9"]["Photo"]))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + 4] = data.draw(st.binary(min_size=1, max_size=4))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    message = ""
    try:
        load(root, keypoints="cpn" if detections else "truth")
    except UserError as error:
        message = str(error)
    assert not message or ("h36m" in message and "\n" not in message)
