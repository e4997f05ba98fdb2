"""The MUCT adapter on small files of landmarks that the test writes, and the 76 landmarks."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.conftest import not_none

from liftbench.arrays import Arrays
from liftbench.errors import DataMissingError, UserError
from liftbench.types import Floats
from liftbench_datasets.muct import adapter as muct
from liftbench_datasets.muct.adapter import MUCT, Muct
from liftbench_datasets.muct.face_landmarks import FACE, GROUPS
from liftbench_datasets.muct.file import CENTRED, OPENCV, read_muct

NAMES = ("i000qa-fn", "i000qb-fn", "ir000qb-fn", "i001sc-mg", "i001sd-mg", "i002te-fn")
HIDDEN = {"i000qb-fn": (15, 40), "i001sc-mg": (0,)}
HEADER = "name,tag," + ",".join(f"x{i:02},y{i:02}" for i in range(76))


def landmarks(name: str) -> Floats:
    """Return the landmarks of a face in pixels, 0 where they are hidden."""
    points = np.random.default_rng(sum(map(ord, name))).integers(2, 900, (76, 2)) / 2
    points[list(HIDDEN.get(name, ()))] = 0
    return points


def line(name: str, points: Floats) -> str:
    return ",".join([name, "0000", *(f"{value:g}" for value in points.ravel())])


def write(folder: Path, names: tuple[str, ...] = NAMES, file: str = OPENCV) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name in names:
        points = landmarks(name)
        if file == CENTRED:
            shown = points.any(axis=1, keepdims=True)
            points = np.where(shown, (points - (240, 320)) * (1, -1), 0)
        lines.append(line(name, points))
    path = folder / file
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="ascii")
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "muct" / "muct-landmarks")
    return tmp_path


def test_points_are_those_of_the_file(root: Path) -> None:
    data = Muct().load(root, "all", "all")
    kept = [name for name in NAMES if name != "ir000qb-fn"]
    seen = data.observations
    assert data.truth is None
    assert (seen.camera, seen.skeleton, seen.images) == ("orthographic", FACE, None)
    assert seen.sequence.tolist() == [0, 0, 1, 1, 2]
    for name, points, visible in zip(kept, seen.points_2d, seen.visible, strict=True):
        hidden = list(HIDDEN.get(name, ()))
        assert np.flatnonzero(~visible).tolist() == hidden
        np.testing.assert_array_equal(points[visible], np.delete(landmarks(name), hidden, axis=0))
        assert np.isnan(points[hidden]).all()


def test_boxes_enclose_the_visible_points(root: Path) -> None:
    seen = Muct().load(root, "all", "all").observations
    for points, visible, box in zip(seen.points_2d, seen.visible, not_none(seen.box), strict=True):
        np.testing.assert_array_equal(box[:2], points[visible].min(axis=0))
        np.testing.assert_array_equal(box[:2] + box[2:], points[visible].max(axis=0))


def test_points_are_in_pixels(root: Path) -> None:
    seen = Muct().load(root, "all", "all").observations
    np.testing.assert_array_equal(seen.pixel, np.ones(seen.frames))
    np.testing.assert_array_equal(seen.in_pixels().points_2d, seen.points_2d)


def test_both_files_show_the_same_points(tmp_path: Path, root: Path) -> None:
    write(tmp_path / "other" / "muct", file=CENTRED)
    first, second = (Muct().load(place, "all", "all") for place in (root, tmp_path / "other"))
    np.testing.assert_allclose(first.observations.points_2d, second.observations.points_2d)


@pytest.mark.parametrize("folder", ["muct", "muct/muct-landmarks", "muct-landmarks", ""])
def test_every_layout_is_found(tmp_path: Path, folder: str) -> None:
    write(tmp_path / folder)
    assert Muct().subsets(tmp_path) == ("all", "a", "b", "c", "d", "e")


def test_a_subset_is_a_camera(root: Path) -> None:
    frames = {camera: Muct().load(root, camera, "all").observations.frames for camera in "abcde"}
    assert frames == dict.fromkeys("abcde", 1)
    only = Muct().load(root, "e", "all").observations
    np.testing.assert_array_equal(only.points_2d[0], landmarks("i002te-fn"))


def test_faces_without_landmarks_are_left_out(root: Path) -> None:
    path = root / "muct" / "muct-landmarks" / OPENCV
    with path.open("a", encoding="ascii") as stream:
        stream.write(line("i003xa-fn", np.zeros((76, 2))) + "\n")
    assert Muct().load(root, "all", "all").observations.frames == 5


def test_images_come_along_where_all_are_there(root: Path) -> None:
    folder = root / "muct" / "jpg"
    folder.mkdir()
    Image.new("RGB", (480, 640), "red").save(folder / "i000qa-fn.jpg")
    assert Muct().load(root, "all", "all").observations.images is None
    images = Muct().load(root, "a", "all").observations.images
    assert images is not None
    assert images.image(0).shape == (640, 480, 3)
    findings = {finding.item: finding for finding in Muct().check(root)}
    assert (findings["images"].ok, findings["images"].detail[:6]) == (False, "1 of 5")


def test_check_counts(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *cameras, images = Muct().check(root)
    assert (first.ok, first.detail) == (False, "5 of 3755 faces, 3 subjects")
    assert [c.detail for c in cameras[:3]] == [
        "1 faces, 0 landmarks hidden",
        "1 faces, 2 landmarks hidden",
        "1 faces, 1 landmarks hidden",
    ]
    assert all(finding.ok for finding in (*cameras, images))
    monkeypatch.setattr(muct, "FACES", 5)
    assert Muct().check(root)[0].ok
    assert Muct().note(root, "a") == ""


def test_check_reports_hidden_points_where_none_should_be(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(HIDDEN, "i001sd-mg", (3,))
    write(root / "muct" / "muct-landmarks")
    camera = Muct().check(root)[4]
    assert (camera.item, camera.ok) == ("camera d", False)
    assert camera.detail == (
        "1 faces, 1 landmarks hidden; expected hidden ones only in cameras b and c"
    )


def test_the_note_says_what_is_missing(root: Path) -> None:
    assert Muct().note(root, "b") == "5 of the official 3755 faces"


def test_the_checksum_sees_a_change(root: Path) -> None:
    before = Muct().checksum(root, "a")
    assert Muct().checksum(root, "a") == before
    write(root / "muct" / "muct-landmarks", NAMES[:3])
    assert Muct().checksum(root, "a") != before


@pytest.mark.parametrize("call", ["checksum", "note", "load"])
def test_absent_landmarks_are_errors(tmp_path: Path, call: str) -> None:
    args = (tmp_path, "all", "all") if call == "load" else (tmp_path, "all")
    with pytest.raises(DataMissingError, match="see 'liftbench data info muct'") as caught:
        getattr(Muct(), call)(*args)
    assert str(tmp_path / "muct" / "muct-landmarks" / OPENCV) in str(caught.value)
    assert Muct().subsets(tmp_path) == ()
    (finding,) = Muct().check(tmp_path)
    assert not finding.ok


def test_a_camera_without_faces_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "muct", NAMES[:2])
    with pytest.raises(DataMissingError, match="no face of camera d"):
        Muct().load(tmp_path, "d", "all")


def test_unknown_names_are_errors(root: Path) -> None:
    with pytest.raises(UserError, match="unknown subset of dataset 'muct' 'f'"):
        Muct().load(root, "f", "all")
    with pytest.raises(UserError, match="unknown split 'train'"):
        Muct().load(root, "a", "train")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[1:], ":1: expected the names of the columns"),
        (lambda rows: rows[:1], ": expected a line for each face after the first, got none"),
        (lambda _: [], ":1: expected the names of the columns"),
        (lambda rows: [*rows, rows[1]], ": i000qa-fn has more than one line"),
        (lambda rows: [*rows, "j000qa-fn,0"], ":8: expected the name of a face such as i000qa-fn"),
        (lambda rows: [*rows, "k" + rows[1]], ":8: expected the name of a face such as"),
        (lambda rows: [rows[0], rows[1] + ",1"], ":2: expected 154 columns, got 155"),
        (
            lambda rows: [rows[0], rows[2].replace(",0,0,", ",0,nan,", 1)],
            ":2: column 34: expected a finite number, got 'nan'",
        ),
        (
            lambda rows: [rows[0], rows[2].replace(",0,0,", ",1e999,x,", 1)],
            ":2: column 33: expected a finite number, got '1e999'",
        ),
    ],
)
def test_damage_is_an_error(
    root: Path, change: Callable[[list[str]], list[str]], message: str
) -> None:
    path = root / "muct" / "muct-landmarks" / OPENCV
    rows = path.read_text(encoding="ascii").splitlines()
    path.write_text("\n".join(change(rows)), encoding="ascii")
    with pytest.raises(UserError) as caught:
        Muct().load(root, "all", "all")
    assert str(caught.value).startswith(f"{path}{message}")
    assert "\n" not in str(caught.value)
    assert not Muct().check(root)[0].ok


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = write(tmp_path_factory.mktemp("muct"), NAMES[:2])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        arrays: Arrays = read_muct(path)
    except UserError as error:
        message = str(error)
    else:
        assert np.isfinite(arrays["points_2d"]).all()
        return
    assert re.fullmatch(rf"{re.escape(str(path))}:.+", message)


def test_a_second_load_does_not_parse(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Muct().load(root, "b", "all")
    monkeypatch.setattr(muct, "read_muct", None)
    again = Muct().load(root, "b", "all")
    np.testing.assert_array_equal(first.observations.points_2d, again.observations.points_2d)


def test_the_landmarks_are_76_in_groups() -> None:
    assert len(FACE.points) == sum(count for _, count in GROUPS) == 76
    starts = {name: FACE.points.index(f"{name}_0") for name in ("nose", "lips", "left_lid")}
    assert starts == {"nose": 37, "lips": 48, "left_lid": 72}
    assert FACE.points[FACE.root] == "nose_tip"


def test_a_mirror_swaps_each_landmark_at_most_once_and_keeps_the_lines() -> None:
    swapped = list(range(76))
    for left, right in FACE.left_right:
        swapped[left], swapped[right] = right, left
    used = list(itertools.chain(*FACE.left_right))
    assert len(set(used)) == len(used) == 68
    edges = {frozenset(edge) for edge in FACE.edges}
    assert edges == {frozenset(swapped[i] for i in edge) for edge in edges}
    alone = {FACE.points[i] for i in range(76) if swapped[i] == i}
    assert alone == {
        *("jaw_7", "nose_4", "lips_3", "lips_9"),
        *("lower_lip_1", "upper_lip_1", "mouth", "nose_tip"),
    }
    for left, right in FACE.left_right:
        names = FACE.points[left], FACE.points[right]
        if "left" in names[0]:
            assert names[1] == names[0].replace("left", "right")


def test_the_spec_says_what_is_needed() -> None:
    assert MUCT.make(**vars(MUCT.params())).subsets(Path("/nonexistent")) == ()
    assert "0,0" in (Muct.__doc__ or "")
