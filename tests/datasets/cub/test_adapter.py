"""The CUB adapter on small files of the test's own, and on the real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.spatial.transform import Rotation

from liftbench.errors import DataMissingError, UserError
from liftbench.types import Bools, Floats
from liftbench_datasets.cub import adapter as cub
from liftbench_datasets.cub import cmr as cub_cmr
from liftbench_datasets.cub.adapter import CUB, SKELETON, Cub
from liftbench_datasets.cub.cmr import find_images, read_annotations, read_sfm, shape_of
from liftbench_datasets.cub.files import find_files
from liftbench_datasets.cub.masks import unpacked_masks
from liftbench_datasets.cub.release import (
    PARTS,
    read_boxes,
    read_image_names,
    read_part_names,
    read_parts,
    read_train_flags,
)
from liftbench_datasets.cub.template import KEYPOINT_VERTICES, read_template

IMAGES = 40
SHAPE = np.random.default_rng(0).normal(size=(3, 15))
SPLITS = {"train": list(range(0, 20)), "val": [20, 23, 26, 31, 38], "test": [21, 25, 30, 33, 39]}
TESTVAL = sorted(SPLITS["val"] + SPLITS["test"])


class Birds:
    """Images of one rigid shape, with a translation fitted to the visible parts."""

    def __init__(self, noise: float = 6.0) -> None:
        rng = np.random.default_rng(1)
        self.rot = Rotation.random(IMAGES, rng).as_matrix()
        self.scale = rng.uniform(30, 90, IMAGES)
        self.visible = rng.random((IMAGES, 15)) < 0.7
        self.visible[:, 3] = True
        views = self.scale[:, None, None] * (self.rot @ SHAPE)[:, :2].swapaxes(1, 2)
        annotated = views + rng.uniform(150, 350, (IMAGES, 1, 2))
        self.points = np.round(annotated + rng.normal(0, noise, views.shape), 1)
        gaps = np.where(self.visible[..., None], self.points - views, 0.0)
        self.trans = gaps.sum(axis=1) / self.visible.sum(axis=1, keepdims=True)
        self.box = np.concatenate([rng.uniform(1, 99, (IMAGES, 2)), np.full((IMAGES, 2), 200)], 1)
        self.names = [f"{i:03}.Bird/Bird_{i:04}.jpg" for i in range(IMAGES)]


BIRDS = Birds()


def write_release(folder: Path, names: bool = False, flags: bool = False) -> Path:
    (folder / "parts").mkdir(parents=True)
    rows = [
        f"{i + 1} {p + 1} {x if v else 0.0} {y if v else 0.0} {int(v)}"
        for i in range(IMAGES)
        for p, ((x, y), v) in enumerate(zip(BIRDS.points[i], BIRDS.visible[i], strict=True))
    ]
    (folder / "parts" / "part_locs.txt").write_text("\n".join(rows))
    parts = "\n".join(f"{i} {name}" for i, name in enumerate(PARTS, start=1))
    (folder / "parts" / "parts.txt").write_text(parts)
    boxes = [f"{i + 1} {' '.join(map(str, box))}" for i, box in enumerate(BIRDS.box.tolist())]
    (folder / "bounding_boxes.txt").write_text("\n".join(boxes))
    if names:
        lines = [f"{i} {name}" for i, name in enumerate(BIRDS.names, start=1)]
        (folder / "images.txt").write_text("\n".join(lines))
    if flags:
        lines = [f"{i + 1} {int(i in SPLITS['train'])}" for i in range(IMAGES)]
        (folder / "train_test_split.txt").write_text("\n".join(lines))
    return folder


def structs(rows: list[dict[str, Any]]) -> Any:
    """Return a MATLAB struct array."""
    array = np.zeros((1, len(rows)), dtype=[(name, "O") for name in rows[0]])
    for i, row in enumerate(rows):
        array[0, i] = tuple(row.values())
    return array


def write_sfm(path: Path, images: list[int], shape: Floats | None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"rot": BIRDS.rot[i], "scale": BIRDS.scale[i], "trans": BIRDS.trans[i][:, None]}
        for i in images
    ]
    content = {"sfm_anno": structs(rows), **({} if shape is None else {"S": shape})}
    scipy.io.savemat(path, content, do_compression=True)
    return path


def write_all_sfm(folder: Path, below: str = "") -> None:
    for split, images in SPLITS.items():
        shape = SHAPE if split == "train" else None
        write_sfm(folder / below / f"anno_{split}.mat", images, shape)
    write_sfm(folder / below / "anno_testval.mat", TESTVAL, SHAPE)


def mask(image: int) -> np.ndarray[Any, Any]:
    drawn = np.zeros((6 + image, 9), dtype=np.uint8)
    drawn[2:5, image % 5 :] = 1
    return drawn


def write_cleaned(path: Path, images: list[int], **changes: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for i in images:
        x, y, width, height = BIRDS.box[i]
        seen = BIRDS.visible[i]
        corners = {"x1": x, "y1": y, "x2": x + width - 1, "y2": y + height - 1}
        row = {
            "rel_path": BIRDS.names[i],
            "bbox": structs([corners]),
            "parts": np.vstack([np.where(seen, BIRDS.points[i].T, 0), seen]),
            "mask": mask(i),
        }
        rows.append({**row, **changes})
    scipy.io.savemat(path, {"images": structs(rows)}, do_compression=True)
    return path


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    """Return a root with CMR's structure from motion, but without its annotations."""
    write_release(tmp_path / "cub_200_2011")
    write_all_sfm(tmp_path / "cub_ttp")
    return tmp_path


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Return a root with all files of CMR and without those of the release."""
    write_all_sfm(tmp_path / "cub_cmr", "sfm")
    for split, images in SPLITS.items():
        write_cleaned(tmp_path / "cub_cmr" / "data" / f"{split}_cub_cleaned.mat", images)
    return tmp_path


# --- the release --------------------------------------------------------------------------


def test_points_are_counted_from_the_middle_of_the_first_pixel(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    points, visible = read_parts(folder / "parts" / "part_locs.txt")
    np.testing.assert_array_equal(visible, BIRDS.visible)
    np.testing.assert_allclose(points[visible], BIRDS.points[visible] - 1)
    boxes = read_boxes(folder / "bounding_boxes.txt")
    np.testing.assert_allclose(boxes, BIRDS.box - [1, 1, 0, 0])


def test_the_order_of_the_lines_does_not_matter(tmp_path: Path) -> None:
    path = write_release(tmp_path) / "parts" / "part_locs.txt"
    before = read_parts(path)
    path.write_text("\n".join(np.random.default_rng(0).permutation(path.read_text().splitlines())))
    for first, again in zip(before, read_parts(path), strict=True):
        np.testing.assert_array_equal(first, again)


def test_names_and_flags_are_those_of_the_files(tmp_path: Path) -> None:
    folder = write_release(tmp_path, names=True, flags=True)
    assert read_image_names(folder / "images.txt").tolist() == BIRDS.names
    assert read_train_flags(folder / "train_test_split.txt").tolist() == [True] * 20 + [False] * 20
    assert read_part_names(folder / "parts" / "parts.txt") == PARTS


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows[:-1], "the images are not numbered from 1, each once"),
        (lambda rows: [*rows, rows[-1]], "the images are not numbered from 1, each once"),
        (lambda rows: rows[15:], "the images are not numbered"),
        (lambda rows: ["1 1 2 3 4", *rows[1:]], "visibility is not 0 or 1"),
        (lambda rows: ["1 1 nan 3 1", *rows[1:]], "line 1 holds a number that is not finite"),
        (lambda rows: ["1 16 2 3 1", *rows[1:]], "the parts are not numbered"),
        (lambda rows: ["1 1 2 3", *rows[1:]], "columns"),
        (lambda rows: [row + " 1" for row in rows], "lines of 6 numbers, not of 5"),
        (lambda rows: ["1 one 2 3 1", *rows[1:]], "one"),
        (lambda rows: rows[:0], "expected lines of an image, a part"),
    ],
)
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_damaged_parts_are_told(tmp_path: Path, change: Any, told: str) -> None:
    path = write_release(tmp_path) / "parts" / "part_locs.txt"
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(UserError) as caught:
        read_parts(path)
    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)


@pytest.mark.parametrize("line", ["1 2 3 4", "1 2 3 0 4", "2 1 1 9 9", "1 1 1 inf 9"])
def test_damaged_boxes_are_told(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bounding_boxes.txt"
    path.write_text(line)
    with pytest.raises(UserError, match="expected lines of an image, x, y, width and height"):
        read_boxes(path)


@pytest.mark.parametrize("content", ["1 a b\n", "2 a\n", "one a\n", "", "1\n"])
def test_damaged_names_are_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "images.txt"
    path.write_text(content)
    with pytest.raises(UserError, match="expected lines of an image and its path"):
        read_image_names(path)


@pytest.mark.parametrize("content", ["1 2\n", "1\n", "2 1\n", "x"])
def test_damaged_flags_are_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "train_test_split.txt"
    path.write_text(content)
    with pytest.raises(UserError, match="expected lines of an image and 0 or 1"):
        read_train_flags(path)


READERS = (read_parts, read_boxes, read_train_flags, read_image_names, read_part_names)
LINES = st.lists(
    st.lists(
        st.sampled_from(["1", "2", "0", "-3", "nan", "1e999", "9" * 30, "a", "\0"]), max_size=6
    )
)


@pytest.mark.filterwarnings("ignore:loadtxt")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(LINES.map(lambda rows: "\n".join(map(" ".join, rows)).encode()) | st.binary(max_size=60))
@pytest.mark.parametrize("read", [*READERS, read_template, read_sfm, read_annotations])
def test_any_file_is_read_or_told_of_in_one_line(tmp_path: Path, read: Any, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    told = ""
    try:
        read(path)
    except UserError as error:
        told = str(error)
    assert not told or told.startswith(str(path))
    assert "\n" not in told


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_damaged_matlab_files_are_told_in_one_line(tmp_path: Path, data: st.DataObject) -> None:
    path = write_sfm(tmp_path / "anno.mat", [0, 1], SHAPE)
    content = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(content) - 1))
    content[start : start + 4] = data.draw(st.binary(max_size=4))
    path.write_bytes(bytes(content))
    told = ""
    try:
        read_sfm(path)
    except UserError as error:
        told = str(error)
    assert not told or told.startswith(str(path))
    assert "\n" not in told


# --- CMR's files --------------------------------------------------------------------------


@pytest.mark.parametrize("images", [[4], [4, 7, 9]])
def test_annotations_are_those_of_the_file(tmp_path: Path, images: list[int]) -> None:
    birds = read_annotations(write_cleaned(tmp_path / "x.mat", images))
    seen = BIRDS.visible[images]
    np.testing.assert_array_equal(birds.visible, seen)
    np.testing.assert_allclose(birds.points[seen], BIRDS.points[images][seen] - 1)
    np.testing.assert_allclose(birds.box, BIRDS.box[images] - [1, 1, 0, 0])
    assert birds.names.tolist() == [BIRDS.names[i] for i in images]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"parts": np.ones((3, 14))}, "parts: expected numbers of shape (2, 3, 15), got shape"),
        ({"parts": np.full((3, 15), np.nan)}, "parts: expected finite numbers"),
        ({"bbox": structs([{"x1": 5.0, "y1": 5.0, "x2": 1.0, "y2": 9.0}])}, "no size"),
        ({"bbox": structs([{"x1": 5.0}])}, "y1"),
        ({"bbox": "none"}, "expected a struct array 'images'"),
    ],
)
def test_damaged_annotations_are_told(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    path = write_cleaned(tmp_path / "x.mat", [1, 2], **changes)
    with pytest.raises(UserError) as caught:
        read_annotations(path)
    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)


@pytest.mark.parametrize("images", [[4], [4, 7, 9]])
def test_views_are_the_turned_scaled_and_moved_shape(tmp_path: Path, images: list[int]) -> None:
    sfm = read_sfm(write_sfm(tmp_path / "x.mat", images, SHAPE))
    assert sfm.shape is not None
    views = sfm.views(sfm.shape)
    for view, i in zip(views, images, strict=True):
        turned = BIRDS.scale[i] * BIRDS.rot[i] @ SHAPE
        np.testing.assert_allclose(view[:, :2], turned[:2].T + BIRDS.trans[i] - 1, atol=1e-9)
        np.testing.assert_allclose(view[:, 2], turned[2], atol=1e-9)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"other": 1.0}, "expected a struct array 'sfm_anno'"),
        ({"sfm_anno": 1.0}, "expected a struct array 'sfm_anno'"),
        (
            {"sfm_anno": structs([{"rot": np.eye(2), "scale": 1.0, "trans": np.ones(2)}] * 2)},
            "rot: expected numbers of shape (2, 3, 3), got shape (2, 2, 2)",
        ),
        (
            {"sfm_anno": structs([{"rot": np.eye(3), "scale": np.nan, "trans": np.ones(2)}] * 2)},
            "scale: expected finite numbers",
        ),
        ({"sfm_anno": structs([{"rot": 0, "scale": 0, "trans": 0}])[:, :0]}, "sfm_anno"),
    ],
)
def test_damaged_structure_from_motion_is_told(tmp_path: Path, content: Any, told: str) -> None:
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, content)
    with pytest.raises(UserError) as caught:
        read_sfm(path)
    assert told in str(caught.value)


def test_the_shape_of_val_is_that_of_testval(tmp_path: Path) -> None:
    write_all_sfm(tmp_path)
    val = read_sfm(tmp_path / "anno_val.mat")
    found = shape_of(val, tmp_path / "anno_testval.mat")
    np.testing.assert_allclose(found, SHAPE)
    assert shape_of(val, tmp_path / "none.mat") is None
    foreign = write_sfm(tmp_path / "foreign.mat", [20, 1], None)
    assert shape_of(read_sfm(foreign), tmp_path / "anno_testval.mat") is None


def found_images(views: Floats, points: Floats, visible: Bools) -> list[int]:
    return find_images(views, points, visible, Path("anno.mat")).tolist()


@pytest.mark.parametrize("at_once", [3, 256])
def test_entries_find_their_images(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(cub_cmr, "_AT_ONCE", at_once)
    for images in (*SPLITS.values(), TESTVAL, [7], list(range(IMAGES))):
        assert found_images(views_of(images), BIRDS.points, BIRDS.visible) == images


def views_of(images: list[int]) -> Floats:
    flat = BIRDS.scale[:, None, None] * (BIRDS.rot @ SHAPE)
    views = flat.swapaxes(1, 2) + np.pad(BIRDS.trans, ((0, 0), (0, 1)))[:, None]
    return views[images]


def test_of_two_equal_images_the_one_in_order_is_found() -> None:
    points, visible = BIRDS.points.copy(), BIRDS.visible.copy()
    points[35], visible[35] = points[10], visible[10]
    points[2], visible[2] = points[30], visible[30]
    images = [5, 8, 10, 11, 13, 14, 20, 28, 29, 30, 31, 32]
    assert found_images(views_of(images), points, visible) == images


def test_entries_of_other_images_are_told() -> None:
    views = views_of([3, 4]) + np.array([0.01, 0, 0])
    with pytest.raises(UserError, match=r"anno\.mat: an entry fits no image"):
        found_images(views, BIRDS.points, BIRDS.visible)
    with pytest.raises(UserError, match=r"anno\.mat: the entries are not in the order"):
        found_images(views_of([4, 3]), BIRDS.points, BIRDS.visible)


def test_an_image_without_parts_is_no_entrys() -> None:
    visible = BIRDS.visible.copy()
    visible[5] = False
    views = views_of([3, 4, 6]) * [[[1]], [[0]], [[1]]]
    with pytest.raises(UserError, match="an entry fits no image"):
        found_images(views, BIRDS.points, visible)


# --- masks and template -------------------------------------------------------------------


def test_masks_are_unpacked_once(tmp_path: Path, cache_folder: Path) -> None:
    path = write_cleaned(tmp_path / "x.mat", [3, 8])
    files = unpacked_masks(path, 2)
    for file, i in zip(files, [3, 8], strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(file)), mask(i) > 0)
        assert Path(file).is_relative_to(cache_folder)
    times = [Path(file).stat().st_mtime_ns for file in files]
    assert unpacked_masks(path, 2) == files
    assert [Path(file).stat().st_mtime_ns for file in files] == times
    assert len(list((cache_folder / "masks" / "cub").iterdir())) == 1


@pytest.mark.parametrize("bad", [np.ones((2, 2, 2)), np.array([["a", "b"]]), np.ones((3, 3))])
def test_damaged_masks_are_told_and_leave_nothing(
    tmp_path: Path, cache_folder: Path, bad: Any
) -> None:
    path = write_cleaned(tmp_path / "x.mat", [3, 8], mask=bad)
    with pytest.raises(UserError, match="expected a struct array 'images' with a mask each"):
        unpacked_masks(path, 2)
    assert list((cache_folder / "masks" / "cub").iterdir()) == []


def write_template(path: Path, vertices: int = 642) -> Path:
    rng = np.random.default_rng(0)
    lines = [f"v {x} {y} {z}" for x, y, z in rng.normal(size=(vertices, 3)).round(4).tolist()]
    path.write_text("\n".join(["# a bird", *lines, "f 1 2 3", "f 4/1/2 5//2 642"]))
    return path


def test_the_template_is_that_of_the_file(tmp_path: Path) -> None:
    template = read_template(write_template(tmp_path / "bird.obj"))
    assert template.faces.tolist() == [[0, 1, 2], [3, 4, 641]]
    written = np.random.default_rng(0).normal(size=(642, 3)).round(4)
    np.testing.assert_array_equal(template.keypoints, written[list(KEYPOINT_VERTICES)])


def test_a_template_with_too_few_vertices_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"within 1\.\.600"):
        read_template(write_template(tmp_path / "bird.obj", 600))


# --- the adapter --------------------------------------------------------------------------


def test_the_skeleton_is_that_of_the_parts() -> None:
    permutation = np.arange(15)
    left, right = np.array(SKELETON.left_right).T
    permutation[left], permutation[right] = right, left
    expected = [1, 2, 3, 4, 5, 6, 11, 12, 13, 10, 7, 8, 9, 14, 15]
    assert (permutation + 1).tolist() == expected
    for a, b in SKELETON.left_right:
        assert PARTS[a].replace("left", "right") == PARTS[b]
    assert len(SKELETON.edges) == 15


@pytest.mark.parametrize("split", SPLITS)
def test_both_sources_of_a_split_say_the_same(
    extract: Path, tmp_path_factory: pytest.TempPathFactory, split: str
) -> None:
    other = tmp_path_factory.mktemp("whole")
    write_all_sfm(other / "cub_cmr", "sfm")
    write_cleaned(other / "cub_cmr" / "data" / f"{split}_cub_cleaned.mat", SPLITS[split])
    matched, cleaned = (Cub().load(root, "all", split) for root in (extract, other))
    seen, expected = matched.observations, cleaned.observations
    np.testing.assert_array_equal(seen.visible, BIRDS.visible[SPLITS[split]])
    np.testing.assert_allclose(seen.points_2d, expected.points_2d)
    np.testing.assert_allclose(seen.box, expected.box)
    np.testing.assert_allclose(matched.truth.points_3d, cleaned.truth.points_3d)
    np.testing.assert_allclose(matched.truth.points_3d, views_of(SPLITS[split]) - [1, 1, 0])


def test_what_methods_and_scoring_get(extract: Path) -> None:
    data = Cub().load(extract, "all", "train")
    assert data.observations.camera == "orthographic"
    assert data.observations.skeleton == SKELETON
    assert data.observations.images is None
    assert len(set(data.observations.sequence.tolist())) == 20
    assert (data.truth.unit, set(data.truth.group)) == ("px", {"bird"})


def test_without_its_shape_a_split_has_no_truth(whole: Path) -> None:
    (whole / "cub_cmr" / "sfm" / "anno_testval.mat").unlink()
    assert Cub().load(whole, "all", "val").truth is None
    (whole / "cub_cmr" / "sfm" / "anno_train.mat").unlink()
    assert Cub().load(whole, "all", "train").truth is None
    assert "no 3D truth of val" in Cub().note(whole, "all")


def test_the_release_alone_has_its_own_split(tmp_path: Path) -> None:
    write_release(tmp_path / "CUB_200_2011", flags=True)
    train, test = (Cub().load(tmp_path, "all", split) for split in ("train", "test"))
    assert (train.truth, test.truth) == (None, None)
    np.testing.assert_array_equal(train.observations.visible, BIRDS.visible[:20])
    np.testing.assert_array_equal(test.observations.visible, BIRDS.visible[20:])
    note = Cub().note(tmp_path, "all")
    assert "test is CUB's own, not CMR's" in note
    assert "no val" in note
    with pytest.raises(DataMissingError, match="nothing tells of the 'val' split"):
        Cub().load(tmp_path, "all", "val")


def test_images_and_masks_are_those_of_the_frames(whole: Path) -> None:
    assert Cub().load(whole, "all", "val").observations.images is None
    for name in BIRDS.names:
        path = whole / "CUB_200_2011" / "images" / name
        path.parent.mkdir(parents=True)
        Image.new("RGB", (9, 6)).save(path)
    images = Cub().load(whole, "all", "val").observations.images
    assert [file[-13:] for file in images.files] == [BIRDS.names[i][-13:] for i in SPLITS["val"]]
    assert images.image(1).shape == (6, 9, 3)
    np.testing.assert_array_equal(images.mask(1), mask(SPLITS["val"][1]) > 0)


def test_images_of_the_release_need_no_annotations(extract: Path) -> None:
    folder = extract / "cub_200_2011"
    lines = [f"{i} {name}" for i, name in enumerate(BIRDS.names, start=1)]
    (folder / "images.txt").write_text("\n".join(lines))
    for name in BIRDS.names:
        (folder / "images" / name).parent.mkdir(parents=True)
        Image.new("RGB", (9, 6)).save(folder / "images" / name)
    images = Cub().load(extract, "all", "test").observations.images
    assert [file[-13:] for file in images.files] == [BIRDS.names[i][-13:] for i in SPLITS["test"]]
    assert images.masks is None


def test_a_second_load_does_not_parse(extract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Cub().load(extract, "all", "val")
    monkeypatch.setattr(cub, "find_images", None)
    again = Cub().load(extract, "all", "val")
    np.testing.assert_array_equal(first.truth.points_3d, again.truth.points_3d)


@pytest.mark.parametrize(
    "file", ["cub_200_2011/parts/part_locs.txt", "cub_200_2011/bounding_boxes.txt"]
)
def test_the_checksum_sees_every_change(extract: Path, file: str) -> None:
    before = Cub().checksum(extract, "all")
    assert Cub().checksum(extract, "all") == before
    (extract / file).write_text((extract / file).read_text() + "\n")
    changed = Cub().checksum(extract, "all")
    assert changed != before
    write_sfm(extract / "cub_ttp" / "anno_val.mat", SPLITS["val"][:-1], None)
    assert Cub().checksum(extract, "all") != changed


def test_files_of_different_sizes_are_told(whole: Path, extract: Path) -> None:
    write_sfm(whole / "cub_cmr" / "sfm" / "anno_val.mat", SPLITS["val"][:-1], None)
    with pytest.raises(UserError, match=r"4 entries, but .* has 5; take both from the same"):
        Cub().load(whole, "all", "val")
    (whole / "cub_cmr" / "data" / "train_cub_cleaned.mat").unlink()
    boxes = extract / "cub_200_2011" / "bounding_boxes.txt"
    boxes.write_text("\n".join(boxes.read_text().splitlines()[:-1]))
    with pytest.raises(UserError, match="its files tell of different numbers of images"):
        Cub().load(extract, "all", "train")


def test_the_note_says_what_the_truth_is(extract: Path) -> None:
    note = Cub().note(extract, "all")
    assert note.startswith("pseudo truth: one rigid shape from CMR's structure from motion")
    assert "its birds were found by their 2D parts" in note
    assert "20 of CMR's 5964 birds of train" in note


def test_check_tells_of_every_part(extract: Path) -> None:
    write_template(extract / "cub_ttp" / "bird.obj")
    found = {finding.item: finding for finding in Cub().check(extract)}
    assert found["release"].ok
    assert found["release"].detail.startswith("40 of 11788 images, ")
    assert found["release"].detail.endswith("; without images.txt and train_test_split.txt")
    assert found["val"].detail.startswith("5 birds; pseudo truth")
    assert "642 vertices and 2 faces, expected 642 and 1280" in found["template"].detail
    assert [item for item, finding in found.items() if not finding.ok] == ["template"]


def test_check_tells_of_damage_and_goes_on(extract: Path) -> None:
    path = extract / "cub_ttp" / "anno_val.mat"
    path.write_bytes(path.read_bytes()[:-20])
    names = extract / "cub_200_2011" / "parts" / "parts.txt"
    names.write_text(names.read_text().replace("beak", "nose"))
    found = {finding.item: finding for finding in Cub().check(extract)}
    assert [item for item, finding in found.items() if finding.ok] == ["train", "test"]
    assert str(path) in found["val"].detail
    assert str(names) in found["release"].detail


@pytest.mark.parametrize("split", SPLITS)
def test_absent_files_are_named(tmp_path: Path, split: str) -> None:
    assert Cub().subsets(tmp_path) == ()
    with pytest.raises(DataMissingError) as caught:
        Cub().load(tmp_path, "all", split)
    for place in (f"cub_cmr/data/{split}_cub_cleaned.mat", f"cub_cmr/sfm/anno_{split}.mat"):
        assert str(tmp_path / place) in str(caught.value)
    assert "data info cub" in str(caught.value)
    assert not any(finding.ok for finding in Cub().check(tmp_path))


def test_unknown_names_are_told(extract: Path) -> None:
    assert CUB.make(**vars(CUB.params())).subsets(extract) == ("all",)
    with pytest.raises(UserError, match="unknown subset"):
        Cub().load(extract, "birds", "train")
    with pytest.raises(UserError, match="unknown split"):
        Cub().load(extract, "all", "unseen")


# --- the real files -----------------------------------------------------------------------


@pytest.fixture(scope="session")
def real(shared_data: Path) -> Path:
    if not (shared_data / "cub_ttp").is_dir():
        pytest.skip(f"no CUB files in {shared_data}")
    return shared_data


@pytest.mark.parametrize("split", ["val", "test"])
def test_the_real_shape_fits_the_annotated_parts(real: Path, split: str) -> None:
    data = Cub().load(real, "all", split)
    seen = data.observations
    assert seen.frames == 2874
    gaps = np.where(seen.visible[..., None], seen.points_2d - data.truth.points_3d[..., :2], 0.0)
    assert np.abs(gaps.sum(axis=1) / seen.visible.sum(axis=1, keepdims=True)).max() < 2e-4
    away = np.linalg.norm(gaps, axis=2)[seen.visible]
    assert away.mean() == pytest.approx(14, abs=0.5)
    assert away.max() < 140


def test_val_and_test_of_the_real_files_share_one_bird(real: Path) -> None:
    val, test = (read_sfm(find_files(real).sfm(split)) for split in ("val", "test"))
    assert np.isin(val.scales, test.scales).sum() == 1


def test_the_real_depth_grows_away_from_the_camera(real: Path) -> None:
    data = Cub().load(real, "all", "val")
    left, right = data.observations.visible[:, [6, 10]].T
    depth = data.truth.points_3d[..., 2]
    nearer = (depth[:, 6] < depth[:, 10]) == left
    assert nearer[left != right].mean() > 0.9


def test_the_real_release(real: Path) -> None:
    files = find_files(real)
    points, _ = read_parts(files.parts)
    assert points.shape == (11_788, 15, 2)
    assert read_boxes(files.boxes).shape == (11_788, 4)
    assert read_part_names(files.release / "parts" / "parts.txt") == PARTS
    template = read_template(files.template)
    shape = read_sfm(files.sfm("train")).shape
    assert shape is not None
    flipped = shape.T * [-1, 1, 1]  # the template is a mirror image
    for axis in range(3):
        assert np.corrcoef(template.keypoints[:, axis], flipped[:, axis])[0, 1] > 0.8
