"""UP-3D in both its forms, on small files that the test writes in the official layouts."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.spatial.transform import Rotation
from tests.conftest import not_none
from tests.datasets.conftest import truth_of

from liftbench.errors import DataMissingError, UserError
from liftbench_datasets.c3dpo.adapter import C3dpoJson
from liftbench_datasets.up3d import adapter as up3d
from liftbench_datasets.up3d import release as up3d_release
from liftbench_datasets.up3d.adapter import UP3D, Up3d

JOINTS = 24
# A cube of half a metre and a small plate 0.1 before its middle (z points away from the camera).
CUBE = np.array(np.meshgrid([-0.25, 0.25], [-0.25, 0.25], [-0.25, 0.25])).reshape(3, -1).T
PLATE = np.array([[-0.1, -0.1, -0.35], [0.1, -0.1, -0.35], [0, 0.2, -0.35]])
MIDDLE = np.array([[0.0, 0.0, -0.25]])
TEMPLATE = np.concatenate([CUBE, PLATE, MIDDLE])
MARKS = {"lfront": 0, "rfront": 4, "plate": 8, "belly_button": 11}
LANDMARKS = (  # in the old form of the release's file
    b"ccollections\nOrderedDict\np1\n((lp2\n"
    + b"".join(b"(lS'%s'\naI%d\naa" % (name.encode(), i) for name, i in MARKS.items())
    + b"tR."
)
BODY_KEYS = {"pose": 72, "betas": 10, "trans": 3, "rt": 3, "t": 3}


def write_model(folder: Path, **changed: Any) -> None:
    """Write a model whose vertices all belong to the root; its one shape makes it wider."""
    shapes = np.zeros((len(TEMPLATE), 3, 10))
    shapes[:, 0, 0] = TEMPLATE[:, 0]
    arrays: dict[str, Any] = {
        "v_template": TEMPLATE,
        "shapedirs": shapes,
        "posedirs": np.zeros((len(TEMPLATE), 3, 9 * (JOINTS - 1))),
        "J_regressor": np.full((JOINTS, len(TEMPLATE)), 1 / len(TEMPLATE)),
        "weights": np.eye(JOINTS)[[0] * len(TEMPLATE)],
        "kintree_table": [[-1, *range(JOINTS - 1)], [*range(JOINTS)]],
        "f": [[8, 9, 10]],
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "smpl.npz", **(arrays | changed))
    (folder / "landmarks.pkl").write_bytes(LANDMARKS)


def write_fit(folder: Path, number: int, **changed: Any) -> Path:
    fit: dict[str, Any] = {name: np.zeros(size) for name, size in BODY_KEYS.items()}
    fit |= {"f": np.float64(5000.0), **changed}
    path = folder / f"{number:05}_body.pkl"
    path.write_bytes(pickle.dumps(fit, protocol=2))
    return path


def write_release(root: Path, below: str = "up3d") -> Path:
    folder = root / below
    write_model(folder)
    splits = {"train": (0, 3), "val": (1,), "test": (2,)}
    for split, numbers in splits.items():
        lines = [f"/{n:05}_image.png 1.2" for n in numbers]
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="ascii")
    for number in range(4):
        write_fit(folder, number)
    return folder


def write_c3dpo(root: Path) -> None:
    space = np.random.default_rng(0).standard_normal((2, 3, 79))
    entries = [
        {"kp_loc": p[:2].tolist(), "kp_vis": [1] * 79, "kp_loc_3d": p.tolist()} for p in space
    ]
    (root / "c3dpo").mkdir()
    for split in ("train", "test"):
        path = root / "c3dpo" / f"up3d_79kp_{split}.json"
        path.write_text(json.dumps({"dataset": path.stem, "data": entries}), encoding="utf-8")


def marks(points: Any) -> Any:
    chosen = points[list(MARKS.values())]
    return chosen - chosen.mean(axis=0)


def test_the_spec_makes_the_adapter() -> None:
    assert isinstance(UP3D.make(**vars(UP3D.params())), Up3d)
    assert UP3D.splits == ("train", "val", "test")


def test_c3dpos_files_are_read_as_c3dpo_json_reads_them(tmp_path: Path) -> None:
    write_c3dpo(tmp_path)
    assert Up3d().subsets(tmp_path) == ("all",)
    ours = Up3d().load(tmp_path, "all", "test")
    theirs = C3dpoJson().load(tmp_path, "up3d_79kp", "test")
    np.testing.assert_array_equal(ours.observations.points_2d, theirs.observations.points_2d)
    assert Up3d().note(tmp_path, "all").startswith("up3d_79kp_test.json has 2 of")
    assert Up3d().checksum(tmp_path, "all") == C3dpoJson().checksum(tmp_path, "up3d_79kp")
    assert [finding.item for finding in Up3d().check(tmp_path)] == [
        "up3d_79kp_test",
        "up3d_79kp_train",
    ]


@pytest.mark.parametrize("below", ["up3d", "up-3d", "up3d/up-3d"])
def test_the_release_is_found(tmp_path: Path, below: str) -> None:
    write_release(tmp_path, below)
    assert Up3d().subsets(tmp_path) == ("fits",)
    sequences = {
        split: Up3d().load(tmp_path, "fits", split).observations.sequence.tolist()
        for split in UP3D.splits
    }
    assert sequences == {"train": [0, 3], "val": [1], "test": [2]}
    assert "not C3DPO's rendering" in Up3d().note(tmp_path, "fits")


def test_points_are_vertices_of_the_fitted_body(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    data = Up3d().load(tmp_path, "fits", "train")
    seen, truth = data.observations, data.truth
    assert truth is not None
    np.testing.assert_allclose(truth.points_3d, [marks(TEMPLATE)] * 2, atol=1e-12)
    assert seen.skeleton.points == tuple(MARKS)
    assert seen.skeleton.left_right == ((0, 1),)
    assert (seen.camera, truth.unit, set(truth.group)) == ("orthographic", "m", {"all"})
    turn = np.zeros(72)
    turn[:3] = [0.3, -0.8, 0.5]
    camera = np.array([0.0, 0.4, 0.0])
    write_fit(folder, 0, pose=turn, betas=[0.5] + [0.0] * 9, rt=camera, t=[0, 0, 20.0])
    points = truth_of(Up3d().load(tmp_path, "fits", "train")).points_3d
    wide = TEMPLATE * [1.5, 1, 1]
    moved = wide @ (Rotation.from_rotvec(camera) * Rotation.from_rotvec(turn[:3])).as_matrix().T
    np.testing.assert_allclose(points[0], marks(moved), atol=1e-12)
    np.testing.assert_allclose(points[1], marks(TEMPLATE), atol=1e-12)


def test_the_body_hides_what_is_behind_it(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    half_turn = np.zeros(72)
    half_turn[1] = np.pi
    write_fit(folder, 3, pose=half_turn)
    seen = Up3d().load(tmp_path, "fits", "train").observations
    # The plate stands before the navel; from behind it does not.
    assert seen.visible.tolist() == [[True, True, True, False], [True] * 4]
    assert np.isnan(seen.points_2d[0, 3]).all()


def test_the_order_of_batches_is_that_of_the_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_release(tmp_path)
    for number in range(4):
        write_fit(folder, number, betas=[number] + [0.0] * 9)
    lines = [f"/{n:05}_image.png" for n in (2, 0, 3, 1)]
    (folder / "train.txt").write_text("\n".join(lines), encoding="ascii")
    monkeypatch.setattr(up3d_release, "_BATCH", 3)
    data = Up3d().load(tmp_path, "fits", "train")
    widths = np.ptp(truth_of(data).points_3d[..., 0], axis=1)
    np.testing.assert_allclose(widths / np.ptp(marks(TEMPLATE)[:, 0]), [3, 1, 4, 2])
    assert data.observations.sequence.tolist() == [2, 0, 3, 1]


def test_images_are_those_of_the_fits(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    images = Up3d().load(tmp_path, "fits", "train").observations.images
    assert images is not None
    Image.new("RGB", (5, 4)).save(folder / "00003_image.png")
    assert images.image(1).shape == (4, 5, 3)


def test_points_lie_where_the_camera_of_the_photograph_sees_them(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    place, focal = np.array([0.3, -0.2, 20.0]), 5000.0
    for number in (0, 3):
        write_fit(folder, number, t=place, trans=np.array([0.1, 0.0, 0.0]), f=focal)
        Image.new("RGB", (400, 300)).save(folder / f"{number:05}_image.png")
    seen = Up3d().load(tmp_path, "fits", "train").observations
    body = TEMPLATE[list(MARKS.values())] + place + [0.1, 0, 0]
    positions = focal * body[:, :2] / body[:, 2:] + [200, 150]
    # Least squares over a scale and two offsets, with the hidden points too.
    flat = marks(TEMPLATE)[:, :2]
    columns = [[x, 1, 0] for x in flat[:, 0]] + [[y, 0, 1] for y in flat[:, 1]]
    scale, *offset = np.linalg.lstsq(np.array(columns), positions.T.ravel())[0]
    np.testing.assert_allclose(not_none(seen.pixel), [1 / scale] * 2)
    np.testing.assert_allclose(not_none(seen.origin), [offset] * 2)
    assert not_none(seen.pixel)[0] == pytest.approx(20 / focal, rel=0.02)


@pytest.mark.parametrize("absent", ["image", "camera"])
def test_without_photograph_or_camera_there_is_no_map(tmp_path: Path, absent: str) -> None:
    folder = write_release(tmp_path)
    for number in (0, 3):
        write_fit(folder, number, t=[0, 0, 20.0])
        Image.new("RGB", (400, 300)).save(folder / f"{number:05}_image.png")
    if absent == "image":
        (folder / "00003_image.png").unlink()
    else:
        keys = {name: np.zeros(size) for name, size in BODY_KEYS.items() if name != "t"}
        (folder / "00003_body.pkl").write_bytes(pickle.dumps(keys, protocol=2))
    seen = Up3d().load(tmp_path, "fits", "train").observations
    assert seen.pixel is None
    assert seen.origin is None


def test_model_and_landmarks_may_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    first = truth_of(Up3d().load(tmp_path, "fits", "val")).points_3d
    (tmp_path / "smpl").mkdir()
    for name in ("smpl.npz", "landmarks.pkl"):
        (folder / name).rename(tmp_path / "smpl" / name)
    np.testing.assert_array_equal(truth_of(Up3d().load(tmp_path, "fits", "val")).points_3d, first)


def test_a_second_load_does_not_pose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_release(tmp_path)
    first = truth_of(Up3d().load(tmp_path, "fits", "val")).points_3d
    monkeypatch.setattr(up3d, "view_fits", None)
    np.testing.assert_array_equal(truth_of(Up3d().load(tmp_path, "fits", "val")).points_3d, first)


def test_the_checksum_sees_model_landmarks_fits_and_splits(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    sums = [Up3d().checksum(tmp_path, "fits")]
    write_model(folder, f=[[8, 10, 9]])
    sums.append(Up3d().checksum(tmp_path, "fits"))
    (folder / "landmarks.pkl").write_bytes(LANDMARKS.replace(b"plate", b"brett"))
    sums.append(Up3d().checksum(tmp_path, "fits"))
    write_fit(folder, 2, betas=np.ones(10))
    sums.append(Up3d().checksum(tmp_path, "fits"))
    (folder / "test.txt").write_text("/00003_image.png", encoding="ascii")
    sums.append(Up3d().checksum(tmp_path, "fits"))
    assert len(set(sums)) == len(sums)


def test_check_reports_what_is_incomplete(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    (folder / "00001_body.pkl").unlink()
    train, val, test = Up3d().check(tmp_path)
    assert train.detail == "2 of the official 5703 photographs, 4 of 79 points, 75 % visible"
    assert "1 of 1 fits are not there" in val.detail
    assert not any(finding.ok for finding in (train, val, test))
    (finding,) = Up3d().check(tmp_path / "nowhere")
    assert "up3d/train.txt found; see 'liftbench data info up3d'" in finding.detail


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        ("smpl.npz", "no SMPL model, looked for basicModel_neutral_lbs_10_207_0_v1.0.0.pkl or"),
        ("landmarks.pkl", "no list of the 79 vertices, looked for landmarks.pkl in"),
        ("00003_body.pkl", r"1 of 2 fits are not there, such as .*00003_body\.pkl"),
        ("train.txt", r"train\.txt: not found"),
    ],
)
def test_absent_files_are_errors(tmp_path: Path, absent: str, message: str) -> None:
    (write_release(tmp_path) / absent).unlink()
    with pytest.raises(DataMissingError, match=message):
        Up3d().load(tmp_path, "fits", "train")


def test_an_absent_release_is_an_error(tmp_path: Path) -> None:
    assert Up3d().subsets(tmp_path) == ()
    for subset in ("fits", "all"):
        with pytest.raises(DataMissingError, match="data info"):
            Up3d().load(tmp_path, subset, "train")
    with pytest.raises(UserError, match="unknown subset of dataset 'up3d' 'fit': did you mean"):
        Up3d().load(tmp_path, "fit", "train")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"pose": np.zeros(69)}, r"pose: expected numbers of shape \(72\), got shape \(69\)"),
        ({"pose": np.full(72, np.nan)}, "pose: expected finite numbers"),
        ({"betas": np.full(10, 1e305)}, "betas: expected finite numbers"),
        ({"betas": "wide"}, "betas: expected numbers"),
        ({"rt": np.zeros(4)}, r"rt: .* got shape \(4\)"),
        ({"extra": Path()}, "not allowed"),
    ],
)
def test_damaged_fits_are_errors(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    path = write_fit(write_release(tmp_path), 3, **changed)
    with pytest.raises(UserError, match=message) as caught:
        Up3d().load(tmp_path, "fits", "train")
    assert str(caught.value).startswith(f"{path}: expected a fit of SMPL: ")


def test_damaged_lists_are_errors(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    for content, message in (
        (b"cos\nsystem\n(S'true'\ntR.", "not allowed"),
        (pickle.dumps({1: 2}), "it is not a dict of names and indices"),
        (pickle.dumps({"a": 0.5}), "vertices: expected integers"),
        (pickle.dumps({"a": 12}), "it names vertices that .* does not have"),
        (pickle.dumps({"a": -1}), "it names vertices that .* does not have"),
    ):
        (folder / "landmarks.pkl").write_bytes(content)
        with pytest.raises(UserError, match=message) as caught:
            Up3d().load(tmp_path, "fits", "train")
        assert str(caught.value).startswith(f"{folder / 'landmarks.pkl'}: ")


def test_damaged_splits_are_errors(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    for content, message in (
        (
            "/00000_image.png\n/3_image.png",
            "train.txt line 2: expected a name such as /00007_image.png",
        ),
        ("\n", "train.txt: it names no photograph"),
    ):
        (folder / "train.txt").write_text(content, encoding="ascii")
        with pytest.raises(UserError, match=message):
            Up3d().load(tmp_path, "fits", "train")


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("damaged")
    folder = write_release(root)
    path = folder / data.draw(st.sampled_from(["00000_body.pkl", "landmarks.pkl", "train.txt"]))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.sampled_from([None, len(content) // 2]))])
    try:
        Up3d().load(root, "fits", "train")
    except UserError as error:
        message = str(error)
    else:
        return
    assert re.fullmatch(r".*(up3d: |body\.pkl|landmarks\.pkl|train\.txt).*", message)
