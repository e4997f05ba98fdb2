"""The CUB adapter on small files of the test's own, and on the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import not_none
from tests.datasets.conftest import truth_of
from tests.datasets.cub.conftest import (
    BIRDS,
    SPLITS,
    mask,
    views_of,
    write_all_sfm,
    write_cleaned,
    write_release,
    write_sfm,
    write_template,
)

from liftbench.errors import DataMissingError, UserError
from liftbench_datasets.cub import adapter as cub
from liftbench_datasets.cub.adapter import CUB, SKELETON, Cub
from liftbench_datasets.cub.release import (
    PARTS,
)


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
    np.testing.assert_allclose(not_none(seen.box), not_none(expected.box))
    np.testing.assert_allclose(truth_of(matched).points_3d, truth_of(cleaned).points_3d)
    np.testing.assert_allclose(truth_of(matched).points_3d, views_of(SPLITS[split]) - [1, 1, 0])


def test_what_methods_and_scoring_get(extract: Path) -> None:
    data = Cub().load(extract, "all", "train")
    assert data.observations.camera == "orthographic"
    assert data.observations.skeleton == SKELETON
    assert data.observations.images is None
    assert len(set(data.observations.sequence.tolist())) == 20
    assert (truth_of(data).unit, set(truth_of(data).group)) == ("px", {"bird"})


def test_positions_in_an_image_begin_at_its_corner(extract: Path) -> None:
    seen = Cub().load(extract, "all", "train").observations
    files_count_from_one = BIRDS.points[SPLITS["train"]][seen.visible]
    found = seen.in_pixels().points_2d[seen.visible]
    np.testing.assert_allclose(found, files_count_from_one - 0.5)


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
    with pytest.raises(DataMissingError, match="no files of the 'val' split found"):
        Cub().load(tmp_path, "all", "val")


def test_images_and_masks_are_those_of_the_frames(whole: Path) -> None:
    assert Cub().load(whole, "all", "val").observations.images is None
    for number, name in enumerate(BIRDS.names):
        path = whole / "CUB_200_2011" / "images" / name
        path.parent.mkdir(parents=True)
        height, width = mask(number).shape
        Image.new("RGB", (width, height)).save(path)
    images = not_none(Cub().load(whole, "all", "val").observations.images)
    assert [file[-13:] for file in images.files] == [BIRDS.names[i][-13:] for i in SPLITS["val"]]
    assert images.image(1).shape == (*mask(SPLITS["val"][1]).shape, 3)
    np.testing.assert_array_equal(images.mask(1), mask(SPLITS["val"][1]) > 0)


def test_images_of_the_release_need_no_annotations(extract: Path) -> None:
    folder = extract / "cub_200_2011"
    lines = [f"{i} {name}" for i, name in enumerate(BIRDS.names, start=1)]
    (folder / "images.txt").write_text("\n".join(lines))
    for name in BIRDS.names:
        (folder / "images" / name).parent.mkdir(parents=True)
        Image.new("RGB", (9, 6)).save(folder / "images" / name)
    images = not_none(Cub().load(extract, "all", "test").observations.images)
    assert [file[-13:] for file in images.files] == [BIRDS.names[i][-13:] for i in SPLITS["test"]]
    assert images.masks is None


def test_a_second_load_does_not_parse(extract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Cub().load(extract, "all", "val")
    monkeypatch.setattr(cub, "find_images", None)
    again = Cub().load(extract, "all", "val")
    np.testing.assert_array_equal(truth_of(first).points_3d, truth_of(again).points_3d)


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


def test_files_of_different_sizes_are_reported(whole: Path, extract: Path) -> None:
    write_sfm(whole / "cub_cmr" / "sfm" / "anno_val.mat", SPLITS["val"][:-1], None)
    with pytest.raises(UserError, match=r"4 entries, but .* has 5; take both from the same"):
        Cub().load(whole, "all", "val")
    (whole / "cub_cmr" / "data" / "train_cub_cleaned.mat").unlink()
    boxes = extract / "cub_200_2011" / "bounding_boxes.txt"
    boxes.write_text("\n".join(boxes.read_text().splitlines()[:-1]))
    with pytest.raises(UserError, match="its files have different numbers of images"):
        Cub().load(extract, "all", "train")


def test_the_note_says_what_the_truth_is(extract: Path) -> None:
    note = Cub().note(extract, "all")
    assert note.startswith("pseudo truth: one rigid shape from CMR's structure from motion")
    assert "its birds were found by their 2D parts" in note
    assert "20 of CMR's 5964 birds of train" in note


def test_check_lists_every_part(extract: Path) -> None:
    write_template(extract / "cub_ttp" / "bird.obj")
    found = {finding.item: finding for finding in Cub().check(extract)}
    assert found["release"].ok
    assert found["release"].detail.startswith("40 of 11788 images, ")
    assert found["release"].detail.endswith("; without images.txt and train_test_split.txt")
    assert found["val"].detail.startswith("5 birds; pseudo truth")
    assert "642 vertices and 2 faces, expected 642 and 1280" in found["template"].detail
    assert [item for item, finding in found.items() if not finding.ok] == ["template"]


def test_check_reports_damage_and_goes_on(extract: Path) -> None:
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


def test_unknown_names_are_reported(extract: Path) -> None:
    assert CUB.make(**vars(CUB.params())).subsets(extract) == ("all",)
    with pytest.raises(UserError, match="unknown subset"):
        Cub().load(extract, "birds", "train")
    with pytest.raises(UserError, match="unknown split"):
        Cub().load(extract, "all", "unseen")


def test_flags_of_images_without_parts_are_reported(tmp_path: Path) -> None:
    folder = write_release(tmp_path / "CUB_200_2011", flags=True)
    flags = folder / "train_test_split.txt"
    flags.write_text(flags.read_text() + "\n41 1")
    with pytest.raises(UserError, match="its files have different numbers of images"):
        Cub().load(tmp_path, "all", "train")
